"""Chunks of one trait become one file, in constant memory and without a lost row."""

import gzip
import json

import pytest

from regenie_runner import parts, rows
from regenie_runner.annotations import NOTHING
from tests.unit.regenie_runner.conftest import HEADER, chunk_task, expected_results, merge_task, result_row


def merged(launch, trait: str = "height") -> str:
    """The merged results as regenie prints them: tabs stand where regenie has spaces."""
    text = gzip.decompress((launch.work / f"gwas/{trait}.regenie.gz").read_bytes()).decode()
    assert " " not in text
    return text.replace("\t", " ")


def summary(launch, trait: str = "height"):
    return json.loads((launch.work / f"gwas/summary/{trait}.json").read_text())


def cut(text: str, rows: int) -> list[str]:
    """Results in parts of so many rows, each with the header."""
    header, *lines = text.splitlines(keepends=True)
    return [header + "".join(lines[start : start + rows]) for start in range(0, len(lines), rows)]


def given_chunks(launch, *parts: str) -> None:
    launch.plan("step2", *(launch.chunk(number, height=part) for number, part in enumerate(parts)))
    launch.plan("merge", merge_task("height"))


def test_the_chunks_of_a_real_run_become_the_unsplit_result(launch):
    given_chunks(launch, *cut(expected_results("height"), 130))
    assert launch.run("merge") == 0
    assert merged(launch) == expected_results("height")
    assert launch.leftovers() == []


def test_each_child_merges_its_own_trait(launch):
    launch.plan("step2", launch.chunk(0, height=expected_results("height"), ldl=expected_results("ldl")))
    launch.plan("merge", merge_task("height"), merge_task("ldl"))
    assert launch.run("merge", index=1) == 0
    assert merged(launch, "ldl") == expected_results("ldl")
    assert not (launch.work / "gwas/height.regenie.gz").exists()


def test_the_same_chunks_give_the_same_bytes(launch):
    given_chunks(launch, HEADER + result_row("1", 5))
    target = launch.work / "gwas/height.regenie.gz"
    launch.run("merge")
    first = target.read_bytes()
    target.unlink()
    launch.run("merge")
    assert target.read_bytes() == first
    assert first[4:8] == b"\0\0\0\0", "the gzip header must not hold the time"
    assert first[12:14] == b"BC", "bgzip's mark"


def test_chunks_have_as_many_variants_as_the_genotype_files_hold(launch, capfd):
    # Given a chunk of one variant, counted in the list, and one of two that the plan knows
    (launch.data / "cohort.bim").write_text("1 a 0 5 A G\n")
    place = {"path": "{data}/cohort.bim", "start": 0, "end": 12, "position_column": 3}
    counted = launch.chunk(0, height=HEADER + result_row("1", 5))
    known = launch.chunk(1, height=HEADER + result_row("2", 5) + result_row("2", 6))
    del counted["variants"]
    counted["slice"] = {**place, "chromosome": 1, "first": 5, "last": 5}
    launch.plan("step2", counted, known)

    launch.plan("merge", merge_task("height") | {"variants": 3})
    assert launch.run("merge") == 0
    assert summary(launch)["planned_variants"] == 3

    launch.plan("merge", merge_task("ldl") | {"variants": 4})
    launch.chunk(0, ldl=HEADER + result_row("1", 5))
    launch.chunk(1, ldl=HEADER)
    assert launch.run("merge") == 1
    assert "The chunks have 3 variants, but the genotype files hold 4" in capfd.readouterr().err


def test_a_merged_trait_is_not_merged_again(launch, capfd):
    given_chunks(launch, HEADER + result_row("1", 5))
    launch.run("merge")
    (launch.work / "step2/000000/chunk_height.regenie").unlink()
    assert launch.run("merge") == 0
    assert "complete from an earlier attempt" in capfd.readouterr().out


@pytest.mark.parametrize("read_once", [100, 8 << 20])
def test_small_blocks_cut_at_line_ends(launch, monkeypatch, read_once):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 100)
    monkeypatch.setattr(parts, "_READ_ONCE_BYTES", read_once)
    given_chunks(launch, *cut(expected_results("ldl"), 400))
    assert launch.run("merge") == 0
    assert merged(launch) == expected_results("ldl")
    assert summary(launch)["loci"][0]["id"] == strongest(expected_results("ldl"))


def strongest(text: str) -> str:
    return max(text.splitlines()[1:], key=lambda line: float(line.split()[11])).split()[2]


def test_a_chunk_with_a_header_only_adds_nothing(launch):
    given_chunks(launch, HEADER, HEADER + result_row("1", 5), HEADER)
    assert launch.run("merge") == 0
    assert merged(launch) == HEADER + result_row("1", 5)


def test_chunks_without_any_row_make_an_empty_but_valid_result(launch):
    given_chunks(launch, HEADER, HEADER)
    assert launch.run("merge") == 0
    assert merged(launch) == HEADER
    assert summary(launch)["rows"] == 0
    assert summary(launch)["genomic_inflation"] is None
    assert summary(launch)["loci"] == []


@pytest.mark.parametrize(
    ("about", "sentence", "keys"),
    [
        (
            {"filtered": True},
            "no variant left to include in analysis.",
            "step2.extract, step2.exclude and step2.condition",
        ),
        (
            {"command": ["regenie", "--set-list", "sets.txt", "--chr", "1"]},
            "no sets are left to be analyzed.",
            "the files of step2.gene_tests",
        ),
    ],
)
def test_what_left_nothing_of_any_part_is_an_error_as_it_is_in_one_run(launch, about, sentence, keys, capfd):
    chunks = [launch.chunk(number, height=HEADER) | about for number in range(3)]
    launch.plan("step2", *chunks)
    launch.plan("merge", merge_task("height"))
    for number in range(3):
        launch.write(f"step2/{number:06}/chunk.log", f"ERROR: {sentence}\n")

    assert launch.run("merge") == 1
    told = capfd.readouterr().err
    assert f"Nothing was tested: regenie said of every part '{sentence}'. Compare {keys} with" in told

    launch.write("step2/000002/chunk.log", "Number of ignored tests due to low MAC : 3\n")
    assert launch.run("merge") == 0


def test_lines_keep_their_bytes_whatever_the_identifiers(launch):
    row = result_row("chrX", 5, name="Affx-80200_ü;1")
    given_chunks(launch, HEADER + row)
    assert launch.run("merge") == 0
    assert merged(launch) == HEADER + row
    assert summary(launch)["loci"][0]["id"] == "Affx-80200_ü;1"


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (HEADER.replace("EXTRA", "OTHER"), "000001/chunk_height.regenie has columns that no other part has"),
        (HEADER + result_row("1", 9).strip(), "000001/chunk_height.regenie end in the middle of a line"),
        (HEADER + "1 9 only three\n", "000001/chunk_height.regenie does not have 13 fields"),
    ],
)
def test_a_damaged_part_is_named_and_nothing_is_written(launch, second, sentence, capfd):
    given_chunks(launch, HEADER + result_row("1", 5), second)
    assert launch.run("merge") == 1
    assert sentence in capfd.readouterr().err
    assert not (launch.work / "gwas/height.regenie.gz").exists()
    assert launch.leftovers() == []


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_part_is_named(launch, missing, capfd):
    given_chunks(launch, HEADER + result_row("1", 5), HEADER + result_row("1", 7))
    (launch.work / f"step2/00000{missing}/chunk_height.regenie").unlink()
    assert launch.run("merge") == 1
    assert f"00000{missing}/chunk_height.regenie do not exist" in capfd.readouterr().err


def test_a_plan_without_chunks_is_an_error(launch, capfd):
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 1
    assert "nothing to merge" in capfd.readouterr().err


def test_a_result_without_a_needed_column_is_refused(launch, capfd):
    given_chunks(launch, "CHROM GENPOS ID\n1 5 x\n")
    assert launch.run("merge") == 1
    assert "lack the columns ALLELE0, ALLELE1, A1FREQ, N" in capfd.readouterr().err


def test_the_summary_counts_what_was_tested_failed_and_left_out(launch):
    text = HEADER + result_row("1", 5) + result_row("1", 6, log10p="NA", chisq="NA") + result_row("1", 7)
    line = launch.chunk(0, height=text)
    launch.plan("step2", {**line, "variants": 10})
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 0
    facts = summary(launch)
    assert (facts["rows"], facts["failed_tests"], facts["planned_variants"]) == (3, 1, 10)
    assert len(facts["quantiles"]["observed"]) == 2


def test_the_summary_gives_the_range_of_samples(launch):
    other = result_row("1", 6).replace(" 800 ", " 640 ")
    given_chunks(launch, HEADER + result_row("1", 5), HEADER + other)
    launch.run("merge")
    assert summary(launch)["samples"] == [640, 800]


def test_a_locus_has_the_effect_of_its_allele_and_the_info_score_of_bgen(launch):
    header = HEADER.replace("A1FREQ N", "A1FREQ INFO N")
    row = "6 29910247 rs1 C T 0.125 0.987 4000 ADD -0.25 0.03 69.4 16.1 NA\n"
    given_chunks(launch, header + row)
    launch.run("merge")
    assert summary(launch)["loci"] == [
        {
            "id": "rs1",
            "chromosome": "6",
            "position": 29910247,
            "effect_allele": "T",
            "other_allele": "C",
            "a1freq": 0.125,
            "info": 0.987,
            "samples": 4000,
            "test": "ADD",
            "beta": -0.25,
            "se": 0.03,
            "log10p": 16.1,
            "significant": True,
            "signal": "",
            "primary": None,
            "members": None,
            "frequency_cases": None,
            "frequency_controls": None,
            "annotation": NOTHING,
        }
    ]


def test_the_name_of_a_variant_may_be_in_any_encoding(launch):
    given_chunks(launch, HEADER + result_row("1", 5, name="NAME"))
    part = launch.work / "step2/000000/chunk_height.regenie"
    part.write_bytes(part.read_bytes().replace(b"NAME", "rs\u00a01é".encode("latin-1")))
    launch.seal(chunk_task(0, ["height"], 1))

    assert launch.run("merge") == 0
    assert summary(launch)["loci"][0]["id"] == "rs\ufffd1\ufffd"


def test_a_trait_of_other_inputs_is_merged_again(launch):
    given_chunks(launch, HEADER + result_row("1", 5))
    launch.run("merge")
    given_chunks(launch, HEADER + result_row("1", 6))
    launch.plan("merge", {**merge_task("height"), "inputs": "others"})

    assert launch.run("merge") == 0
    assert merged(launch) == HEADER + result_row("1", 6)


def test_a_trait_whose_summary_is_of_an_earlier_version_is_merged_again(launch):
    given_chunks(launch, HEADER + result_row("1", 5))
    launch.run("merge")
    path = launch.work / "gwas/summary/height.json"
    path.write_text(json.dumps({key: value for key, value in summary(launch).items() if key != "interactions"}))

    assert launch.run("merge") == 0
    assert "interactions" in summary(launch)
