"""Joins the chunks of one trait into one file of summary statistics, and condenses it for the report."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from regenie_runner import logs, receipts, ssf, top_loci
from regenie_runner.bgzip import BgzipWriter, whole_file
from regenie_runner.checks import CHUNK_LOG, check_something_was_left
from regenie_runner.console import say
from regenie_runner.errors import RunnerError
from regenie_runner.genes import GENES_SUFFIX, GeneScan, read_mask_files, table_text
from regenie_runner.kinds_of_test import ADJUSTED, SINGLE_VARIANT
from regenie_runner.launch_facts import LaunchFacts, TraitFacts
from regenie_runner.parts import Part, common_columns, in_genome_order, part_name, parts_of, place_words
from regenie_runner.people import after_quality_control
from regenie_runner.receipts import RECEIPT, Receipt
from regenie_runner.scan import Scan
from regenie_runner.summary import Summary, TraitResults, summarise, summarise_genes
from regenie_runner.tabix import INDEX_SUFFIX, IndexedResults, TabixIndex
from regenie_runner.task import SET_LIST, each_plan_line
from regenie_runner.top_loci import RESULTS_SUFFIX
from regenie_runner.variant_list import VariantSlice, count_lines
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import Task

_RECEIPT_SUFFIX = ".finished"
_THREADS = min(os.cpu_count() or 1, 4)  # compression keeps up with the one thread that reads


class Outputs(NamedTuple):
    """Files of one trait. Their receipt is written last, and says that they are complete."""

    results: Path
    tabix: Path
    table: Path  # in the GWAS Catalog's format; with its description there is none of sets of variants
    description: Path
    genes: Path  # a row for each set; only of sets
    loci: Path  # a row for each signal; not of sets
    summary: Path

    @classmethod
    def of(cls, results: Path, summary: Path) -> Outputs:
        """The other files stand beside the results."""
        table = results.with_name(results.name.removesuffix(RESULTS_SUFFIX) + ssf.TABLE_SUFFIX)
        tabix = results.with_name(results.name + INDEX_SUFFIX)
        description = table.with_name(table.name + ssf.DESCRIPTION_SUFFIX)
        genes = results.with_name(results.name.removesuffix(RESULTS_SUFFIX) + GENES_SUFFIX)
        loci = results.with_name(top_loci.table_of_loci(results.name))
        return cls(results, tabix, table, description, genes, loci, summary)

    @property
    def receipt(self) -> Path:
        """Beside the summary."""
        return receipt_of(self.summary)

    def are_complete(self, made_of: Mapping[str, Any], work: Path) -> bool:
        """Whether all is as a merge of the same left it, with all that the report needs."""
        receipt = Receipt.read(self.receipt)
        if receipt is None or receipt.task != made_of:
            return False
        if changed := receipt.changed(work):
            say(f"An earlier attempt left other files than there are now, and they are made again: {changed}.")
            return False
        summary = json.loads(self.summary.read_text(encoding="utf-8"))
        return bool(summary.keys() >= Summary.__annotations__.keys())

    def seal(self, made_of: Mapping[str, Any], work: Path) -> None:
        """Write the receipt, with the files' paths below work."""
        receipts.write(
            self.receipt, made_of, work, (path.relative_to(work).as_posix() for path in self if path.exists())
        )


def receipt_of(summary: Path) -> Path:
    """The receipt of the merge that wrote this summary."""
    return summary.with_name(f"{summary.name}{_RECEIPT_SUFFIX}")


def merge_trait(line: Task, workspace: Workspace) -> None:
    """Write one trait's merged results, their index, their GWAS-SSF twin and their summary."""
    trait = str(line["trait"])
    outputs = Outputs.of(workspace.work / line["output"], workspace.work / line["summary"])
    inputs = line.get("inputs")
    chunks = list(map(_needed, each_plan_line(workspace.plan("step2"))))
    made_of = {"inputs": inputs, "trait": trait, "parts": _digest_of_parts(trait, chunks, workspace)}
    if outputs.are_complete(made_of, workspace.work):
        say(f"{outputs.results} is complete from an earlier attempt: nothing to do.")
        return
    for voucher in (outputs.receipt, outputs.summary):
        voucher.unlink(missing_ok=True)  # it would vouch for files that are being made again
    _check_something_was_left(chunks, workspace)
    planned_variants = _planned_variants(line, chunks, workspace)
    of_sets = any(chunk["tests_sets"] for chunk in chunks)
    parts = parts_of(trait, chunks, workspace.work)
    _check_parts(trait, parts)
    with ExitStack() as files:
        results, table = (files.enter_context(workspace.fresh_file(path)) for path in (outputs.results, outputs.table))
        genes = GeneScan(read_mask_files(workspace.work / chunk["output"] for chunk in chunks)) if of_sets else None
        tests = frozenset[str]() if of_sets else ssf_tests(LaunchFacts.read(workspace))  # a mask is no variant
        merged = merge_parts(parts, results, table, tests, genes)
        _check_interaction(trait, merged.scan, workspace)
    with workspace.fresh_file(outputs.tabix) as file:
        file.write(merged.tabix)
    log = logs.read_log(workspace.work / chunks[0]["output"] / CHUNK_LOG)
    counts = after_quality_control(trait, workspace)
    cases, controls = _cases(trait, log, counts or LaunchFacts.read(workspace).traits.get(trait))
    facts: TraitResults = {
        "trait": trait,
        "inputs": inputs,
        "of_sets": of_sets,
        "results": str(line["output"]),
        "left_out_of_ssf": merged.scan.rows - merged.table_rows,
        "cases": cases,
        "controls": controls,
        "planned_variants": planned_variants,
        "counts": counts.as_dict() if counts else None,
    }
    command = next(each_plan_line(workspace.plan("step2")))["command"]
    study = _study(facts, merged.scan, log, command, workspace)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    if genes:
        for path in (outputs.table, outputs.description, outputs.loci):
            path.unlink(missing_ok=True)
        summary = _summarise_genes(facts, merged.scan, genes, outputs.genes, workspace)
    else:
        outputs.genes.unlink(missing_ok=True)
        with workspace.fresh_file(outputs.description) as file:
            file.write(ssf.description(study, outputs.table, outputs.table.name, today).encode())
        with IndexedResults(outputs.results) as lines:
            loci = top_loci.find_top_loci(merged.scan, lines, line, workspace)
            summary = summarise(facts, merged.scan, loci, lines)
        with workspace.fresh_file(outputs.loci) as file:
            file.write(top_loci.table_text(loci))
    with workspace.fresh_file(outputs.summary) as file:
        file.write(json.dumps(summary, allow_nan=False).encode())
    outputs.seal(made_of, workspace.work)
    say(f"{trait}: {merged.scan.rows:,} rows of {len(parts):,} chunks are in {outputs.results}.")


def _summarise_genes(facts: TraitResults, scan: Scan, genes: GeneScan, path: Path, workspace: Workspace) -> Summary:
    """Write the table of genes, too."""
    table = genes.table()
    with workspace.fresh_file(path) as file:
        file.write(table_text(table))
    return summarise_genes(facts, scan, genes.summary(table, path.relative_to(workspace.work).as_posix()), table)


def _digest_of_parts(trait: str, chunks: Iterable[Mapping[str, Any]], workspace: Workspace) -> str:
    """Of the chunks' results of a trait, by their jobs' receipts: a chunk that was made anew has another, unless it
    came out the same."""
    parts = hashlib.sha256()
    for chunk in chunks:
        receipt = Receipt.read(workspace.work / chunk["output"] / RECEIPT)
        name = part_name(trait)
        parts.update(f"{receipt.sha256(name) if receipt and name in receipt.files else None}\n".encode())
    return parts.hexdigest()


def _check_parts(trait: str, parts: Iterable[Part]) -> None:
    """They have the sizes that their jobs left; the contents were compared by those jobs of this attempt.

    Raises:
        RunnerError: one has not, or no receipt.
    """
    for part in parts:
        receipt = Receipt.read(part.path.with_name(RECEIPT))
        if receipt is None or not receipt.has_size(part_name(trait), part.path):
            raise RunnerError(
                f"The results {part.path} are not as the job of step 2 left them; retry the launch, which makes them "
                "again."
            )


def _cases(trait: str, log: str, counts: TraitFacts | None) -> tuple[int | None, int | None]:
    """Cases and controls, by the log, which counts those without predictions too: where there are any, as counted."""
    if counts and logs.without_predictions(log).get(trait):
        return counts.cases, counts.controls
    return logs.case_counts(log, trait) or (None, None)


def _check_interaction(trait: str, scan: Scan, workspace: Workspace) -> None:
    """regenie ends well, and writes the variants' own rows only, where it cannot compute an interaction."""
    if scan.rows and not scan.interactions and LaunchFacts.read(workspace).tests_interaction:
        raise RunnerError(
            f"regenie wrote no row of the interaction for any of the {scan.rows:,} variants of {trait}: those who "
            "are analysed do not differ enough in what the variants are to interact with."
        )


class Merged(NamedTuple):
    """What was written."""

    scan: Scan
    table_rows: int
    tabix: bytes
    """Of the results, for tabix; compressed."""


def ssf_tests(launch: LaunchFacts) -> frozenset[str]:
    """Those whose rows the GWAS Catalog's format takes: of single variants, adjusted for covariates only.

    Beside interactions with a covariate, regenie writes such rows under another name.
    """
    interaction = launch.parameters.get("step2", {}).get("interaction") or {}
    return SINGLE_VARIANT | ADJUSTED if interaction.get("covariate") else SINGLE_VARIANT


def merge_parts(
    parts: Sequence[Part],
    results: BinaryIO,
    table: BinaryIO,
    tests: frozenset[str] = SINGLE_VARIANT,
    genes: GeneScan | None = None,
) -> Merged:
    """Write the lines of all parts in genome order: regenie's columns, tab-separated, and the GWAS Catalog's.

    One thread reads while the others compress; no more than a few blocks are in memory. Numbers keep regenie's text.
    `tests`: whose rows are in the table. `genes`: takes the lines, too, if they are of sets.
    """
    columns = common_columns(parts)
    header = columns.header("\t")
    scan, index, table_rows = Scan(), TabixIndex(header), 0
    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        results_writer, table_writer = BgzipWriter(results, threads), BgzipWriter(table, threads)
        results_writer.write(header)
        table_writer.write(ssf.header(columns))
        for rows in in_genome_order(parts, columns):
            results_writer.write(rows.text.replace(b" ", b"\t"))
            text = ssf.table(rows, tests)
            table_rows += text.count(b"\n")
            table_writer.write(text)
            scan.add(rows)
            index.add(rows)
            if genes:
                genes.add(rows)
        results_writer.finish()
        table_writer.finish()
    return Merged(scan, table_rows, whole_file(index.text(results_writer.blocks)))


def _needed(chunk: Task) -> dict[str, Any]:
    """What the merge needs of a line of the plan, which names every trait several times and may be one of very many."""
    kept: dict[str, Any] = {key: chunk[key] for key in ("output", "variants", "slice", "filtered") if key in chunk}
    command = chunk["command"]
    return {**kept, "command": place_words(command), "tests_sets": SET_LIST in command}


def _check_something_was_left(chunks: Sequence[Mapping[str, Any]], workspace: Workspace) -> None:
    check_something_was_left(
        (workspace.work / chunk["output"] / CHUNK_LOG for chunk in chunks),
        of_lists=any(chunk.get("filtered") for chunk in chunks),
        of_sets=any(chunk["tests_sets"] for chunk in chunks),
    )


def _planned_variants(line: Task, chunks: list[dict[str, Any]], workspace: Workspace) -> int | None:
    """Variants of all chunks, which have to be those that the genotype files hold; None if the plan does not say."""
    counts = [_variants(chunk, workspace) for chunk in chunks]
    if None in counts:
        return None
    total = sum(count for count in counts if count is not None)
    if total != line.get("variants", total):
        raise RunnerError(
            f"The chunks have {total:,} variants, but the genotype files hold {line['variants']:,}: "
            "a list of variants does not belong to its genotype file."
        )
    return total


def _variants(chunk: Mapping[str, Any], workspace: Workspace) -> int | None:
    piece = VariantSlice.of(chunk.get("slice"))
    if piece is None:
        variants: int | None = chunk.get("variants")
        return variants
    return count_lines(piece._replace(path=piece.path.replace("{data}", str(workspace.data))))


def _study(facts: TraitResults, scan: Scan, log: str, command: Sequence[str], workspace: Workspace) -> ssf.Study:
    launch = LaunchFacts.read(workspace)
    return ssf.Study(
        trait=facts["trait"],
        samples=scan.samples[1] if scan.samples else None,
        genome_build=launch.genome_build,
        is_binary=launch.is_binary,
        cases=facts["cases"],
        controls=facts["controls"],
        software=logs.version(log),
        covariates=tuple(_covariates(command, workspace)),
    )


def _covariates(command: Sequence[str], workspace: Workspace) -> Iterator[str]:
    """Names of the covariates: those that a command chooses, or all columns of the file but the analysed traits.

    In one file for both, regenie passes over these (4.1.2's sources: Pheno.cpp, covariate_read). Categories alone
    choose nothing: the other columns are adjusted for, too.
    """
    chosen = _argument(command, "--covarColList")
    if chosen:
        yield from dict.fromkeys([*chosen, *_argument(command, "--catCovarList")])
        return
    for file in _argument(command, "--covarFile"):
        path = Path(file.replace("{data}", str(workspace.data)).replace("{work}", str(workspace.work)))
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                names = next(lines, "").split()[2:]  # behind FID and IID
            traits = _argument(command, "--phenoColList")
            yield from (name for name in names if name not in traits)


def _argument(command: Sequence[str], option: str) -> list[str]:
    return command[command.index(option) + 1].split(",") if option in command[:-1] else []
