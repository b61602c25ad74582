"""Which people are analysed, and how ids and chromosomes are matched."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

Edit: TypeAlias = Callable[[list[list[str]]], list[list[str]]]


@pytest.fixture
def both_steps(regenie, tmp_path):
    """Run both steps; the text of the results by trait."""

    def run(cohort, *more):
        out = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        assert regenie("--step", "1", *cohort.arguments, *more, "--out", out) == 0
        assert regenie("--step", "2", *cohort.arguments, *more, "--pred", f"{out}_pred.list", "--out", out) == 0
        return {trait: out.with_name(f"{out.name}_{trait}.regenie").read_text() for trait in ("height", "ldl")}

    return run


def without(*people: str) -> Edit:
    return lambda rows: [row for row in rows if row[1] not in people]


def test_people_with_missing_covariates_are_as_if_absent(both_steps, own_cohort):
    def lose_two(rows):
        return [[*row[:3], "NA"] if row[1] in {"S0003", "S0700"} else row for row in rows]

    own_cohort.rewrite("covariates.txt", lose_two)
    missing = both_steps(own_cohort)
    own_cohort.rewrite("covariates.txt", without("S0003", "S0700"))

    assert both_steps(own_cohort) == missing


@pytest.mark.parametrize(("file", "column"), [("phenotypes.txt", 3), ("covariates.txt", 2)])
def test_regenies_own_number_for_missing_is_missing(both_steps, own_cohort, file: str, column: int):
    def with_word(word: str) -> Edit:
        return lambda rows: [[*r[:column], word, *r[column + 1 :]] if r[1] in {"S0003", "S0700"} else r for r in rows]

    own_cohort.rewrite(file, with_word("NA"))
    missing = both_steps(own_cohort)
    own_cohort.rewrite(file, with_word("-999.0"))

    assert both_steps(own_cohort) == missing


def test_people_absent_from_the_phenotype_file_are_as_if_without_covariates(both_steps, own_cohort):
    original = (own_cohort.folder / "phenotypes.txt").read_text()
    own_cohort.rewrite("phenotypes.txt", without("S0003", "S0700"))
    absent = both_steps(own_cohort)
    (own_cohort.folder / "phenotypes.txt").write_text(original)
    own_cohort.rewrite("covariates.txt", without("S0003", "S0700"))

    assert both_steps(own_cohort) == absent
    assert any(line.split()[6] == "798" for line in absent["height"].splitlines()[1:])


def test_order_of_lines_and_unknown_people_do_not_matter(both_steps, own_cohort, whole):
    stranger = [["nobody", "nobody", "1", "1"]]

    for name in ("phenotypes.txt", "covariates.txt"):
        own_cohort.rewrite(name, lambda rows: [rows[0], *reversed(rows[1:]), *stranger])

    assert both_steps(own_cohort)["ldl"] == (whole.step2.parent / "step2_ldl.regenie").read_text()


def test_a_covariate_that_follows_from_others_changes_nothing(both_steps, own_cohort, whole):
    own_cohort.rewrite("covariates.txt", lambda rows: [[*row, row[3]] for row in rows])

    assert both_steps(own_cohort)["height"] == (whole.step2.parent / "step2_height.regenie").read_text()


def test_chosen_covariates(both_steps, own_cohort):
    chosen = both_steps(own_cohort, "--covarColList", "age")
    own_cohort.rewrite("covariates.txt", lambda rows: [row[:3] for row in rows])

    assert both_steps(own_cohort) == chosen


def test_an_unknown_covariate_is_an_error(regenie, cohort, tmp_path, capsys):
    assert regenie("--step", "1", *cohort.arguments, "--covarColList", "age,bmi", "--out", tmp_path / "x") == 1

    assert "not all covariates specified are found" in capsys.readouterr().err


def test_ids_that_do_not_match_leave_nobody(regenie, own_cohort, tmp_path, capsys):
    own_cohort.rewrite("covariates.txt", lambda rows: [rows[0], *([f"x{row[0]}", *row[1:]] for row in rows[1:])])

    assert regenie("--step", "1", *own_cohort.arguments, "--out", tmp_path / "x") == 1

    assert "sample size cannot be < 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("phenotypes.txt", lambda rows: [*rows, rows[1]], "appears more than once in phenotype file"),
        ("phenotypes.txt", lambda rows: [["ID", *rows[0][1:]], *rows[1:]], "must start with: FID IID"),
        ("covariates.txt", lambda rows: [rows[0], rows[1][:3], *rows[2:]], "incorrectly formatted covariate file"),
        ("covariates.txt", lambda rows: [rows[0], [*rows[1][:3], "male"], *rows[2:]], "'male'"),
        ("phenotypes.txt", lambda rows: [rows[0], *([*r[:3], "NA"] for r in rows[1:])], "phenotype 'ldl'"),
        (
            "phenotypes.txt",
            lambda rows: [rows[0], *([*r[:3], "1"] for r in rows[1:])],
            "phenotype 'ldl' has very few unique values (=1).",
        ),
        ("cohort.fam", lambda rows: [rows[1], *rows[1:]], "duplicate individual"),
        ("cohort.fam", lambda rows: rows[:-4], "bed file has a size"),
        ("cohort.bim", lambda rows: [["MT", *rows[0][1:]], *rows[1:]], "unknown chromosome code in bim file at line 1"),
        ("cohort.bim", lambda rows: [*rows[500:], *rows[:500]], "not in ascending order"),
        ("cohort.bim", lambda rows: [rows[0][:4], *rows[1:]], "incorrectly formatted bim file at line 1"),
    ],
)
def test_faulty_files_are_named(regenie, own_cohort, tmp_path, capsys, name, edit, message):
    own_cohort.rewrite(name, edit)

    assert regenie("--step", "1", *own_cohort.arguments, "--out", tmp_path / "x") == 1

    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("code", "asked"), [("X", "X"), ("23", "X"), ("chrX", "23"), ("X", "chr23")])
def test_chromosome_x_under_any_name_is_23(regenie, own_cohort, tmp_path, code, asked):
    own_cohort.rewrite("cohort.bim", lambda rows: [[code if row[0] == "22" else row[0], *row[1:]] for row in rows])
    assert regenie("--step", "1", *own_cohort.arguments, "--out", tmp_path / "one") == 0
    chunk = ("--chr", asked, "--pred", tmp_path / "one_pred.list")

    assert regenie("--step", "2", *own_cohort.arguments, *chunk, "--out", tmp_path / "two") == 0

    rows = (tmp_path / "two_height.regenie").read_text().splitlines()[1:]
    assert len(rows) == 100
    assert {row.split()[0] for row in rows} == {"23"}


@pytest.mark.parametrize("option", ["--keep", "--remove"])
def test_people_left_out_by_a_list_are_as_if_without_phenotypes(both_steps, own_cohort, option):
    people = [line.split()[:2] for line in (own_cohort.folder / "cohort.fam").read_text().splitlines()]
    gone = [person for person in people if person[1] in {"S0003", "S0700"}]
    listed = gone if option == "--remove" else [person for person in people if person not in gone]
    names = own_cohort.folder / "people.txt"
    names.write_text("".join(f"{family}\t{person} more\n" for family, person in listed) + "other other\n")

    chosen = both_steps(own_cohort, option, names)
    own_cohort.rewrite("phenotypes.txt", without("S0003", "S0700"))

    assert both_steps(own_cohort) == chosen
