"""What planning a regenie launch writes, for its state machine and for its jobs, which see the files below /work.

The jobs' runner is held to these shapes by the type checker alone: its image has neither this package nor anything
newer than Python 3.10, so this module uses nothing that is not in its `typing`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

WORK_LAUNCH: Final = "launch.json"
"""The launch's config and ids, below /work: also the sentinel by which a job knows its file system is mounted."""
WORK_PLAN: Final = "plan"
"""Folder below /work with <phase>.jsonl: one line for each array index."""
WORK_FETCH: Final = f"{WORK_PLAN}/fetch.txt"
"""Paths below data that a launch on a cluster reads, one a line: what its fetch phase copies."""
WORK_ANALYSED: Final = f"{WORK_PLAN}/analysed.txt"
"""1 or 0 for each sample of step 1's genotypes (of the first that are tested, without step 1), in their order: whether
the launch analyses it. Quality control of step 1 counts genotypes of those, and linkage disequilibrium is theirs."""
WORK_INPUTS: Final = "inputs.json"
"""Every file that the launch was planned for: where it lies, its size, ETag and so on. Jobs and verify_inputs look."""


class _AnyRunSheet(TypedDict):
    runName: str
    image: str
    compute: str
    jobQueue: str
    """An ARN; a partition on a cluster. So is the next."""
    onDemandQueue: str
    dataUri: str
    resultsUri: str
    storageCapacityGiB: int
    preloadJobs: int
    """1 if archived inputs were restored: then they are loaded before anything reads them."""
    step1: str
    """split, whole or given."""
    level0Jobs: int
    traits: int
    step2Jobs: int
    shareIdentifier: str
    importPaths: list[str]
    """Folders of S3 whose files a file system of the launch's own shows."""
    exportPaths: list[str]
    """Below the file system's root."""
    resources: dict[str, dict[str, str]]
    """Phase -> `vcpus` and `memory` (MiB) as Batch has them."""


class RunSheet(_AnyRunSheet, total=False):
    """What plan_launch answers: the state machine **regenie** works from it (docs/architecture.md, "The run sheet")."""

    subnetId: str
    """Of a file system of the launch's own."""
    referencesUri: str
    """Folder of the stage's reference files, if they are linked with the file system, as references."""
    ofPrivateImage: dict[str, Any]
    """Members of a job definition: how Batch logs in to the image's registry."""


class VariantSliceOfList(TypedDict):
    """Where a job of step 2 counts its variants: bytes `start` to `end` of a .bim or .pvar."""

    path: str
    start: int
    end: int
    position_column: int
    """From 0."""
    chromosome: int
    first: int
    """Positions of the chunk's range."""
    last: int


class _Lists(TypedDict, total=False):
    """Paths below data."""

    sample: str
    extract: str
    exclude: str


class QualityControl(_Lists):
    """What the first job of step 1 does before its command."""

    genotypes: str
    analysed: str
    """A file below work: WORK_ANALYSED."""
    analysedSha256: str
    maf: float
    mac: int
    geno: float
    hwe: float
    mind: float
    output: str
    """A folder below work."""


class _Sample(TypedDict, total=False):
    sample: str
    """Sample file of .bgen genotypes, below data."""


class GenotypeFile(_Sample):
    """Genotypes that a job reads itself."""

    path: str
    """Below data."""


class LociSearch(TypedDict):
    """How a trait's merge finds independent signals: by linkage disequilibrium of the people analysed."""

    genotypes: list[GenotypeFile]
    """Those that step 2 tests."""
    people: GenotypeFile
    """Whose samples `analysed` marks."""
    analysed: str
    """A file below work: WORK_ANALYSED."""
    p1: float
    """plink1.9's --clump-p1; so are the next its options."""
    p2: float
    r2: float
    window_kb: float


class References(TypedDict):
    """Reference files of the launch's genome build, in which leads are looked up."""

    files: dict[str, str]
    """Kind (genes, rsids, recombination, known) -> path below the file system's root."""
    why_not: str
    """Why a kind is missing, in words that end a sentence; "" if the stage just names no file of it."""
    known_kb: float
    """Kilobases within which an association is the same locus."""
    known_as: list[str]
    """Words of which a known association's trait must have one; empty for all traits."""


class TaskParts(TypedDict, total=False):
    """What only some tasks have.

    Texts of `command`, `expect` and `predictions` may hold {data}, {work} and {output}, which the job expands.
    """

    command: list[str]
    output: str
    """Folder, or of merge and report the file, below work; none for a command that writes in place."""
    expect: list[str]
    """Files without which the command did not do its work: relative to {output}, or absolute."""
    inputs: str
    """Fingerprint of what the results are made of, besides the command."""
    predictions: dict[str, str]
    """Trait -> file of LOCO predictions."""
    files: dict[str, str]
    """Name -> text of a small file that the command reads from {output}."""
    variants: int
    """Of the chunk; of merge, all that the genotype files hold."""
    slice: VariantSliceOfList
    """Instead of `variants`, where the list of variants was only sampled."""
    filtered: bool
    """Lists choose among the chunk's variants, and may leave none."""
    counted: bool
    """False: what regenie leaves out is not all counted in its log. True by default."""
    job: int
    """Level 0: number in the master file, from 1."""
    qc: QualityControl
    trait: str
    """Of merge; so is the next."""
    summary: str
    """A file below work."""
    loci: LociSearch
    """Of merge, if its rows are of single variants, one of each."""
    references: References
    """Of merge, if its rows are of single variants."""
    summaries: dict[str, str]
    """Of report: trait -> file below work."""


class Task(TaskParts):
    """A line of plan/<phase>.jsonl, of any phase but preload (docs/architecture.md, "A task")."""

    label: str
    """What people know the job by."""


class PreloadTask(TypedDict):
    """The line of plan/preload.jsonl."""

    label: str
    files: Sequence[str]
    """Paths below data."""


class AnalysedFiles(TypedDict):
    """What predictions are made of, by which a later launch compares its own."""

    image: str
    phenotypes: str
    """SHA-256 of the file; so is the next."""
    covariates: str | None
    covariateColumns: list[str]


class Samples(TypedDict):
    """The genotyped people, and how many of them each choice leaves."""

    genotyped: int
    chosen: int
    phenotyped: int
    withCovariates: int
    analysed: int
    traits: dict[str, dict[str, Any]]
    """Trait -> `analysed`, `missing`, and what its values are like."""
    lists: dict[str, dict[str, Any]]
    """Config key that names a list -> `listed`, `matched`, `unmatched`."""


class LaunchFile(TypedDict):
    """WORK_LAUNCH."""

    launchId: str
    attempt: int
    config: Mapping[str, Any]
    samples: Samples
    analysed: AnalysedFiles
    predictions: Mapping[str, str]
    """Trait -> LOCO file below the launch's results; none of a user's own."""
    warnings: Sequence[str]
