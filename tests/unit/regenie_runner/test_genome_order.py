"""However the variants were cut and listed, the merged results are the same, byte for byte, and in genome order."""

import gzip
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pysam
import pytest

from lambdas.regenie.chunks import survey
from regenie_runner import bgzip, parts, rows
from regenie_runner.tabix import IndexedResults
from regenie_stand_in.__main__ import main as regenie_stand_in
from tests.unit.regenie_runner.conftest import HEADER, chunk_task, expected_results, merge_task, result_row

COHORT = Path(__file__).parents[3] / "examples" / "gwas" / "cohort"
MERGED = ("gwas/height.regenie.gz", "gwas/height.regenie.gz.tbi", "gwas/height.gwas-ssf.tsv.gz")


def given_ranges(launch, *chunks: tuple[str, str]) -> None:
    """Given: chunks of step 2 with a --range each, in this order of the plan."""
    lines = []
    for number, (extent, text) in enumerate(chunks):
        task = launch.chunk(number, height=text)
        lines.append({**task, "command": ["regenie", "--step", "2", "--range", extent, "--out", "{output}/chunk"]})
    launch.plan("step2", *lines)
    launch.plan("merge", merge_task("height"))


def merged_ids(launch) -> list[str]:
    assert launch.run("merge") == 0
    text = gzip.decompress((launch.work / "gwas/height.regenie.gz").read_bytes()).decode()
    return [line.split("\t")[2] for line in text.splitlines()[1:]]


def part(*variants: tuple[str, int], header: str = HEADER) -> str:
    return header + "".join(result_row(chromosome, position) for chromosome, position in variants)


# --- Split equals whole -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def step1(tmp_path_factory) -> Path:
    """Given: predictions for the cohort."""
    folder: Path = tmp_path_factory.mktemp("step1")
    stand_in("--step", "1", "--out", str(folder / "step1"))
    return folder / "step1_pred.list"


def stand_in(*arguments: str) -> None:
    files = ["--bed", f"{COHORT}/cohort", "--phenoFile", f"{COHORT}/phenotypes.txt"]
    common = [*files, "--covarFile", f"{COHORT}/covariates.txt", "--qt", "--bsize", "100"]
    # The stand-in sets the number of BLAS threads for the process it believes to be its own.
    with mock.patch.dict(os.environ):
        assert (
            regenie_stand_in([*common, "--covarFile", f"{COHORT}/covariates.txt", "--qt", "--bsize", "100", *arguments])
            == 0
        )


def run_step2(launch, step1: Path, variants_per_job: int) -> dict[str, bytes]:
    """When: step 2 in chunks of so many variants, listed backwards, is merged. Then: the files."""
    lines = [line.split() for line in (COHORT / "cohort.bim").read_text().splitlines()]
    chunks = survey(((int(line[0]), int(line[3])) for line in lines), variants_per_job).chunks
    tasks = []
    for number, chunk in enumerate(reversed(chunks)):
        task = chunk_task(number, ["height", "ldl"], chunk.variants)
        out = launch.work / "step2" / f"{number:06}" / "chunk"
        out.parent.mkdir(parents=True, exist_ok=True)
        stand_in("--step", "2", "--pred", str(step1), "--range", chunk.range, "--out", str(out))
        launch.seal(task)
        tasks.append({**task, "command": ["regenie", "--range", chunk.range]})
    launch.plan("step2", *tasks)
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 0
    files = {name: (launch.work / name).read_bytes() for name in MERGED}
    for path in ("summary/height.json", *(name.removeprefix("gwas/") for name in MERGED)):
        (launch.work / "gwas" / path).unlink()
    return files


def test_many_jobs_give_the_bytes_of_one_job(launch, step1):
    # one job for each chromosome is the fewest that a plan can have
    assert run_step2(launch, step1, 70) == run_step2(launch, step1, 1_000_000)


# --- Order ------------------------------------------------------------------------------------------------------------
def test_data_sets_listed_out_of_order_are_merged_in_order(launch):
    given_ranges(
        launch,
        ("23:10-90", part(("23", 10), ("23", 90))),
        ("10:5-5", part(("10", 5))),
        ("2:50-60", part(("2", 50), ("2", 60))),
        ("2:5-9", part(("2", 5), ("2", 9))),
    )
    assert merged_ids(launch) == ["2:5", "2:9", "2:50", "2:60", "10:5", "23:10", "23:90"]


def test_overlapping_data_sets_are_interleaved_and_ties_keep_the_order_of_the_data_sets(launch):
    given_ranges(
        launch,
        ("1:5-30", HEADER + result_row("1", 5) + result_row("1", 30, name="first")),
        ("1:40-50", part(("1", 40), ("1", 50))),
        ("1:1-45", part(("1", 1), ("1", 7)) + result_row("1", 30, name="second") + result_row("1", 45)),
    )
    assert merged_ids(launch) == ["1:1", "1:5", "1:7", "first", "second", "1:40", "1:45", "1:50"]


@pytest.mark.parametrize(
    ("block_bytes", "read_once"),
    [(60, 60), (60, 8 << 20), (1 << 20, 8 << 20)],
    ids=["a large part", "a part of several blocks", "a part of one block"],
)
def test_a_part_that_is_not_sorted_is_sorted(launch, monkeypatch, block_bytes, read_once):
    # X and its pseudo-autosomal regions are one chromosome to regenie
    monkeypatch.setattr(rows, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(parts, "_READ_ONCE_BYTES", read_once)
    given_ranges(launch, ("23:1-99", part(("23", 50), ("23", 60), ("23", 3), ("23", 99))), ("1:1-1", part(("1", 1))))
    assert merged_ids(launch) == ["1:1", "23:3", "23:50", "23:60", "23:99"]


def test_chunks_without_a_range_may_hold_anything(launch):
    launch.plan("step2", launch.chunk(0, height=part(("3", 9), ("1", 5))), launch.chunk(1, height=part(("2", 1))))
    launch.plan("merge", merge_task("height"))
    assert merged_ids(launch) == ["1:5", "2:1", "3:9"]


def test_many_waiting_lines_are_handed_on_in_pieces(launch, monkeypatch):
    monkeypatch.setattr(parts, "_LINES_AT_A_TIME", 3)
    given_ranges(
        launch,
        ("1:1-19", part(*(("1", p) for p in range(1, 20, 2)))),
        ("1:2-18", part(*(("1", p) for p in range(2, 19, 2)))),
    )
    assert merged_ids(launch) == [f"1:{position}" for position in range(1, 20)]


def test_a_variant_outside_its_chunks_range_is_refused(launch, capfd):
    given_ranges(launch, ("1:1-9", part(("1", 1), ("1", 70))), ("1:50-60", part(("1", 50))))
    assert launch.run("merge") == 1
    assert "000001/chunk_height.regenie have variants outside the range that was planned" in capfd.readouterr().err
    assert not (launch.work / "gwas/height.regenie.gz").exists()


def test_data_sets_with_and_without_info_get_one_header(launch):
    header = HEADER.replace("A1FREQ N", "A1FREQ INFO N")
    row = "2 7 imputed C T 0.125 0.987 4000 ADD -0.25 0.03 69.4 16.1 NA\n"
    given_ranges(launch, ("2:7-7", header + row), ("1:5-5", part(("1", 5))))
    assert launch.run("merge") == 0
    text = gzip.decompress((launch.work / "gwas/height.regenie.gz").read_bytes()).decode()
    assert [line.split("\t")[5:8] for line in text.splitlines()] == [
        ["A1FREQ", "INFO", "N"],
        ["0.25", "NA", "800"],
        ["0.125", "0.987", "4000"],
    ]


# --- bgzip and tabix --------------------------------------------------------------------------------------------------
def test_a_region_is_read_through_the_index(launch):
    given_ranges(launch, ("1:1-99", part(("1", 1), ("1", 20), ("1", 21), ("1", 99))), ("2:20-20", part(("2", 20))))
    assert launch.run("merge") == 0
    with IndexedResults(launch.work / "gwas/height.regenie.gz") as results:
        assert [line["ID"] for line in results.region("1", 20, 98)] == ["1:20", "1:21"]
        assert [line["ID"] for line in results.region("2", -5, 10**6)] == ["2:20"]
        assert list(results.region("3", 1, 10**6)) == []


def given_merged_results(launch, *places: tuple[str, int]) -> Path:
    """Given: results with variants at these places, in this order, a chunk for each chromosome."""
    of_each: dict[str, list[tuple[str, int]]] = {}
    for place in places:
        of_each.setdefault(place[0], []).append(place)
    given_ranges(launch, *((f"{name}:{found[0][1]}-{found[-1][1]}", part(*found)) for name, found in of_each.items()))
    assert launch.run("merge") == 0
    results: Path = launch.work / "gwas/height.regenie.gz"
    return results


@pytest.mark.parametrize(
    "places",
    [
        [("1", 1)],
        [("1", 16_384), ("1", 16_385), ("1", 16_385)],  # on both sides of a window's border
        [("1", position) for position in range(1, 400_000, 97)],  # several blocks, several windows
        [("3", 5), ("3", 248_000_000), ("X", 155_000_000)],  # windows and chromosomes without lines
        [("1", position) for position in (*range(1, 3_000), *range(10_000_000, 10_003_000))],
        [("22", 536_870_912)],
    ],
    ids=("one", "border", "blocks", "gaps", "dense", "last"),
)
def test_the_index_is_the_one_of_htslib(launch, places, tmp_path):
    results = given_merged_results(launch, *places)
    copy = tmp_path / "results.gz"
    copy.write_bytes(results.read_bytes())

    pysam.tabix_index(os.fspath(copy), seq_col=0, start_col=1, end_col=1, line_skip=1)

    assert decoded_index(results) == decoded_index(copy)


def decoded_index(results: Path) -> dict[str, object]:
    """The parts of a tabix index by its specification, without the counts of lines that htslib adds as a bin.

    Offsets are those in the text: the end of a block is where the next begins.
    """
    begins = text_before_blocks(results)

    def in_text(offset: int) -> int:
        return begins[offset >> 16] + (offset & 0xFFFF)

    text = gzip.decompress(results.with_name(results.name + ".tbi").read_bytes())
    magic, count, *layout, length = struct.unpack_from("<4s8i", text)
    names, place = text[36 : 36 + length].split(b"\0")[:-1], 36 + length
    assert magic == b"TBI\1"
    assert len(names) == count
    chromosomes = {}
    for name in names:
        bins = {}
        (number_of_bins,) = struct.unpack_from("<i", text, place)
        place += 4
        for _ in range(number_of_bins):
            number, chunks = struct.unpack_from("<Ii", text, place)
            bins[number] = [*map(in_text, struct.unpack_from(f"<{2 * chunks}Q", text, place + 8))]
            place += 8 + 16 * chunks
        bins.pop(37_450, None)
        (windows,) = struct.unpack_from("<i", text, place)
        chromosomes[name] = bins, [*map(in_text, struct.unpack_from(f"<{windows}Q", text, place + 4))]
        place += 4 + 8 * windows
    return {"layout": layout, "chromosomes": chromosomes}


def text_before_blocks(path: Path) -> dict[int, int]:
    """Where a block begins in a BGZF file -> how long the text before it is."""
    content, begins, place, before = path.read_bytes(), {}, 0, 0
    while place < len(content):
        begins[place] = before
        (size,) = struct.unpack_from("<H", content, place + 16)
        place += size + 1
        before += struct.unpack_from("<I", content, place - 4)[0]
    return begins


def test_positions_that_tabix_cannot_index_are_refused(launch, capsys):
    given_ranges(launch, ("1:1-999999999", part(("1", 536_870_913))))
    assert launch.run("merge") == 1
    assert "position 536,870,913 of chromosome 1 cannot be indexed" in capsys.readouterr().err


def test_chromosomes_of_two_names_cannot_be_indexed(launch, capsys):
    # Given X, which its number names too, between one another
    given_ranges(launch, ("X:1-50", part(("X", 1), ("23", 9), ("X", 50))))
    assert launch.run("merge") == 1
    assert "chromosome X are not side by side" in capsys.readouterr().err


def test_compressed_text_does_not_depend_on_how_it_came_in(tmp_path):
    text = expected_results("height").encode() * 40  # several tasks of several blocks
    whole, lines = tmp_path / "whole.gz", tmp_path / "lines.gz"
    with ThreadPoolExecutor(2) as threads:
        for path, pieces in ((whole, [text]), (lines, text.splitlines(keepends=True))):
            with path.open("wb") as file:
                writer = bgzip.BgzipWriter(file, threads)
                for piece in pieces:
                    writer.write(piece)
                writer.finish()
    assert whole.read_bytes() == lines.read_bytes()
    assert gzip.decompress(whole.read_bytes()) == text
    assert whole.read_bytes().endswith(bgzip.compress(b""))


def test_blocks_that_do_not_shrink_still_fit():
    noise = os.urandom(200_000)
    compressed = bgzip.compress(noise)
    assert gzip.decompress(compressed) == noise


def test_jobs_of_gene_sets_wait_for_their_own_chromosome_only(launch):
    # Given two jobs of one chromosome, whose sets lie between one another, and one of the next
    tasks = []
    for number, (chromosome, positions) in enumerate([("2", [7]), ("1", [1, 9]), ("1", [5])]):
        text = part(*((chromosome, position) for position in positions))
        command = ["regenie", "--step", "2", "--chr", chromosome, "--out", "{output}/chunk"]
        tasks.append({**launch.chunk(number, height=text), "command": command})
    found = parts.parts_of("height", tasks, launch.work)

    in_order = parts.in_genome_order(found, parts.common_columns(found))

    # Then chromosome 1 is sorted and handed on before chromosome 2 is read
    assert next(in_order).positions.tolist() == [1, 5, 9]
    found[-1].path.unlink()
    with pytest.raises(FileNotFoundError):
        next(in_order)
