"""What comes near a file that is missing: in the data, among the sources, and among the outputs of rules."""

from types import SimpleNamespace

import pytest

from snakemake_launcher.engines.near_misses import NearMisses

FOLDERS = {"": ["reads/", "Reads/", "sheet.tsv"], "reads": ["A.fq", "b.fq"], "Reads": ["c.fq"]}


class Data:
    """Of a launch."""

    def names(self, folder, most):
        return FOLDERS.get(folder, [])


def workflow(**outputs: str):
    return SimpleNamespace(rules=[SimpleNamespace(name=name, output=[output]) for name, output in outputs.items()])


@pytest.fixture
def near(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "x.yaml").touch()
    misses = NearMisses(lambda path: str(path).removeprefix("data/run/"), Data())
    return lambda path, **outputs: misses.near(f"data/run/{path}", workflow(**outputs))


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("reads/a.fq", "reads/A.fq"),
        ("READS/A.fq", "reads/A.fq"),
        ("reads/C.FQ", "Reads/c.fq"),
        ("Sheet.tsv", "sheet.tsv"),
        ("Conf/X.yaml", "conf/x.yaml"),
    ],
)
def test_a_name_in_other_case(near, path, there):
    assert near(path) == f"there is {there}, and names are case-sensitive"


@pytest.mark.parametrize("path", ["reads/d.fq", "other/a.fq", "reads", "sheet.tsv/x"])
def test_nothing_is_near(near, path):
    outputs = {"one": "out/{s}.txt", "two": "data/run/in/{s}/{s}.txt", "three": "a+b.txt"}
    assert near(path if path != "reads" else "read", **outputs) == ""


@pytest.mark.parametrize(
    ("path", "output", "said"),
    [
        ("out/a1.txt", "data/run/out/{s,[a-z]+}.txt", "only where {s} is as its constraint says, `[a-z]+`, and a1 is"),
        ("out/b/7/7.txt", "out/{s}/{n,[0-6]}/{n}.txt", "only where {n} is as its constraint says, `[0-6]`, and 7 is"),
        ("out/123.txt", r"out/{n,\d{2}}.txt", r"only where {n} is as its constraint says, `\d{2}`, and 123 is not"),
        ("Out/a.TXT", "out/{s}.txt", "the rule one makes out/{s}.txt, and names are case-sensitive"),
        ("A+B.txt", "a+b.txt", "the rule one makes a+b.txt, and names are case-sensitive"),
    ],
)
def test_a_rule_that_nearly_makes_it(near, path, output, said):
    assert said in near(path, other="else/{x}.txt", one=output)


@pytest.mark.usefixtures("near")
def test_errors_say_it_when_they_are_shown():
    class MissingError(Exception):
        """As Snakemake's MissingInputException."""

        def __init__(self, job, files):
            super().__init__("\n".join(sorted(files)))

    class NoRuleError(Exception):
        """As Snakemake's MissingRuleException."""

        def __init__(self, file):
            super().__init__(f"No rule to produce {file} (if you use input functions make sure ...).")

    class Graph:
        """As Snakemake's DAG."""

        workflow = workflow(one="out/{s,[a-z]}.txt")

        def jobs_of(self, file):
            return NoRuleError(file)

    misses = NearMisses(str, Data())
    misses.tell(MissingError, NoRuleError)
    job = SimpleNamespace(rule=SimpleNamespace(workflow=workflow()))

    assert str(MissingError(job, ["reads/a.fq", "reads/z.fq"])) == (
        "reads/a.fq (near: there is reads/A.fq, and names are case-sensitive)\nreads/z.fq"
    )
    assert str(Graph().jobs_of("Sheet.tsv")).startswith(
        "No rule to produce Sheet.tsv (near: there is sheet.tsv, and names are case-sensitive) (if you use"
    )
    assert str(NoRuleError("Sheet.tsv")) == "No rule to produce Sheet.tsv (if you use input functions make sure ...)."
