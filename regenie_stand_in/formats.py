"""The files that regenie's steps hand to one another. All layouts measured on regenie v4.1.2."""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Literal

import numpy as np

from regenie_stand_in.arrays import Floats
from regenie_stand_in.errors import RegenieError

_LOCO_ID = "FID_IID"


@contextmanager
def open_text(path: Path, mode: Literal["r", "w"] = "r") -> Iterator[TextIOWrapper]:
    """A text file, compressed when its name ends in `.gz`, without the time: the same data gives the same bytes."""
    if path.suffix != ".gz":
        with TextIOWrapper(path.open(f"{mode}b"), encoding="utf-8") as file:
            yield file
    else:
        with gzip.GzipFile(path, f"{mode}b", mtime=0) as packed, TextIOWrapper(packed, encoding="utf-8") as file:
            yield file


# --- The plan of a split step 1 ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level0Job:
    """One line of a master file; `prefix` is a path as it was typed."""

    prefix: str
    blocks: int
    variants: int

    @property
    def snplist(self) -> Path:
        """File with the names of the job's variants."""
        return Path(f"{self.prefix}.snplist")


@dataclass(frozen=True)
class Master:
    """A master file: how many variants and jobs level 0 has in all."""

    variants: int
    block_size: int
    jobs: tuple[Level0Job, ...]


def write_master(path: Path, master: Master) -> None:
    """First line `variants block_size`, then `prefix blocks variants` for each job."""
    lines = [f"{master.variants} {master.block_size}"]
    lines += [f"{job.prefix} {job.blocks} {job.variants}" for job in master.jobs]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_master(path: Path, block_size: int) -> Master:
    """The plan. Raises RegenieError when it was made for another block size."""
    header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    match header.split():
        case [variants, size] if size == str(block_size):
            return Master(int(variants), block_size, tuple(map(_parse_job, lines)))
        case _:
            raise RegenieError("invalid header line in master file.")


def _parse_job(line: str) -> Level0Job:
    match line.split():
        case [prefix, blocks, variants]:
            return Level0Job(prefix, int(blocks), int(variants))
        case _:
            raise RegenieError(f"could not read line '{line}' of master file (check its format).")


# --- Level 0 predictions -------------------------------------------------------------------------------------------


def level0_path(prefix: str, index: int) -> Path:
    """File of the trait with the 1-based `index` among the kept traits."""
    return Path(f"{prefix}_l0_Y{index}")


def read_level0(path: Path, *, samples: int, columns: int) -> Floats:
    """Predictors of one trait, (samples of the .fam file, columns): doubles, column by column.

    Damage is seen by size only, as in regenie.
    """
    values = np.fromfile(path, dtype=np.float64)
    if values.size != samples * columns:
        raise RegenieError(f"file {path} is not the right size.")
    return values.reshape(columns, samples).T


# --- LOCO predictions ----------------------------------------------------------------------------------------------


def write_loco(path: Path, ids: Sequence[str], predictions: Mapping[int, Floats]) -> None:
    """`FID_IID id id ...`, then a line for each chromosome; columns sorted by id, six significant digits."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    with open_text(path, "w") as file:
        file.write(_loco_line(_LOCO_ID, (ids[place] for place in order)))
        for chromosome, values in predictions.items():
            file.write(_loco_line(chromosome, (f"{value:g}" for value in values[order].tolist())))


def _loco_line(name: str | int, cells: Iterable[str]) -> str:
    return f"{name} {' '.join(cells)} \n"


class LocoFile:
    """LOCO predictions of one trait. Only the rows asked for are turned into numbers."""

    def __init__(self, path: Path, places: Mapping[str, int]) -> None:
        """`places`: where the predictions of an id go; ids that are not in it are left out."""
        self._path = path
        with open_text(path) as file:
            first, *ids = file.readline().split()
            if first != _LOCO_ID:
                raise RegenieError(f"header of blup file must start with FID_IID (={first}).")
            self._rows = dict(line.split(" ", 1) for line in file)
        self._columns = [column for column, sample in enumerate(ids) if sample in places]
        self._places = [places[ids[column]] for column in self._columns]
        self._size = len(places)

    def predictions(self, chromosome: int) -> Floats:
        """Predictions by place; NaN for a sample without one."""
        if str(chromosome) not in self._rows:
            raise RegenieError(f"blup file [{self._path}] has no predictions for chromosome {chromosome}.")
        cells = self._rows[str(chromosome)].split()
        values = np.full(self._size, np.nan)
        values[self._places] = [_prediction(cells[column]) for column in self._columns]
        return values


def _prediction(cell: str) -> float:
    return float("nan") if cell == "NA" else float(cell)


def write_prediction_list(path: Path, files: Mapping[str, Path], *, relative: bool) -> None:
    """A line `TRAIT PATH` for each trait; paths are absolute, or as typed."""
    lines = [f"{trait} {file if relative else file.absolute()}\n" for trait, file in files.items()]
    path.write_text("".join(lines), encoding="utf-8")


def read_prediction_list(path: Path) -> dict[str, Path]:
    """LOCO file by trait. Raises RegenieError for a malformed line or a trait given twice."""
    files: dict[str, Path] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match line.split():
            case [trait, file] if trait not in files:
                files[trait] = Path(file)
            case [trait, _]:
                raise RegenieError(f"phenotype '{trait}' appears more than once in blup list file.")
            case _:
                raise RegenieError(f"incorrectly formatted blup list file : {path}")
    return files
