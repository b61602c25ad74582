"""A data set in memory, and the small cohort that most tests plan for."""

import hashlib
import io
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.shared.input_error import UnusableInputError


@dataclass(frozen=True, slots=True)
class MemoryDataSet(DataSet):
    """Files by path, instead of objects in S3."""

    files: dict[str, bytes] = field(default_factory=dict)

    def state(self, path: str) -> ObjectState:
        content = self._file(path)
        return ObjectState(len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())

    def states(self, folder: str) -> dict[str, ObjectState]:
        return {path: self.state(path) for path in self.files if path.startswith(folder)}

    def sha256(self, path: str, etag: str) -> str:
        assert etag == self.state(path).etag
        return hashlib.sha256(self._file(path)).hexdigest()

    def read(self, path: str, start: int, length: int) -> bytes:
        return self._file(path)[start : start + length]

    def lines(self, path: str) -> Iterator[bytes]:
        yield from (line.removesuffix(b"\n") for line in io.BytesIO(self._file(path)))

    def download(self, path: str, target: Path) -> None:
        target.write_bytes(self._file(path))

    def _file(self, path: str) -> bytes:
        if path not in self.files:
            raise UnusableInputError(f"needs {self.uri(path)}, which does not exist", "Upload it.")
        return self.files[path]


@pytest.fixture
def data() -> MemoryDataSet:
    """Given: an empty data set at s3://data/cohort/."""
    return MemoryDataSet("data", "cohort/")


def parameters(**given: Any) -> RegenieParameters:
    """A config's regenie section: a quantitative analysis of two traits, unless `given` says otherwise.

    Without quality control, for which the small cohorts here have too few people.
    """
    step1 = {"qc": False, **given.pop("step1", {})}
    return RegenieParameters.model_validate(
        {
            "genotypes": "cohort.bed",
            "phenotypes": "phenotypes.txt",
            "covariates": "covariates.txt",
            "traits": ["ldl", "height"],
            "trait_type": "quantitative",
            "step1": step1,
            **given,
        }
    )


def bed(variants: int, samples: int) -> bytes:
    """A .bed file of the right size, in which people differ."""
    return b"\x6c\x1b\x01" + bytes([0b11110000]) * (variants * -(-samples // 4))


def bim(*positions: tuple[str, int]) -> bytes:
    """A .bim file with variants at (chromosome, position)."""
    return "".join(f"{name}\t{name}:{position}\t0\t{position}\tA\tG\n" for name, position in positions).encode()


def pvar(*positions: tuple[str, int]) -> bytes:
    """A .pvar file with variants at (chromosome, position)."""
    lines = (f"{name}\t{position}\t{name}:{position}\tA\tG\n" for name, position in positions)
    return ("#CHROM\tPOS\tID\tREF\tALT\n" + "".join(lines)).encode()


def table(columns: str, rows: Iterable[Sequence[object]]) -> bytes:
    """A phenotype or covariate file of the people f0 i0, f1 i1 and so on."""
    lines = [f"f{n} i{n} {' '.join(map(str, row))}" for n, row in enumerate(rows)]
    return "\n".join([f"FID IID {columns}", *lines, ""]).encode()


def add_cohort(data: MemoryDataSet, *positions: tuple[str, int], samples: int = 24, name: str = "cohort") -> None:
    """Put PLINK files with variants at these places, and tables with the traits height, bmi, ldl, and t2d of 0 or 1."""
    data.files.update(
        {
            f"{name}.bed": bed(len(positions), samples),
            f"{name}.bim": bim(*positions),
            f"{name}.fam": b"".join(b"f%d i%d 0 0 %d 0\n" % (n, n, n % 2 + 1) for n in range(samples)),
            "phenotypes.txt": table(
                "height bmi ldl t2d", ((n % 5, n // 2 % 4, n // 3 % 3, n % 2) for n in range(samples))
            ),
            "covariates.txt": table("age sex", ((40 + n, n // 2 % 2) for n in range(samples))),
        }
    )


def loco(people: int = 24, missing: int = 0) -> bytes:
    """A LOCO file of a step 1 with predictions for the first people, but none for the very first `missing`."""
    names = " ".join(f"f{n}_i{n}" for n in range(people))
    values = " ".join(["NA"] * missing + ["0.5"] * (people - missing))
    rows = "".join(f"{chromosome} {values}\n" for chromosome in range(1, 24))
    return f"FID_IID {names}\n{rows}".encode()


def add_pgen(data: MemoryDataSet, *positions: tuple[str, int], name: str, samples: int = 8) -> None:
    """Put PLINK 2 files with variants at these places; the .pgen is a header only."""
    counts = len(positions).to_bytes(4, "little") + samples.to_bytes(4, "little")
    data.files.update(
        {
            f"{name}.pgen": b"\x6c\x1b\x10" + counts,
            f"{name}.pvar": pvar(*positions),
            f"{name}.psam": b"#FID IID SEX\n" + b"".join(b"f%d i%d 0\n" % (n, n) for n in range(samples)),
        }
    )


def add_bgen(data: MemoryDataSet, *positions: tuple[str, int], name: str, samples: int = 8) -> None:
    """Put BGEN files with variants at these places; the .bgen is a header only, with the samples in a file."""
    counts = len(positions).to_bytes(4, "little") + samples.to_bytes(4, "little")
    length = (20).to_bytes(4, "little")
    people = "".join(f"f{n} i{n} 0\n" for n in range(samples))
    data.files.update(
        {
            f"{name}.bgen": length + length + counts + b"bgen" + bytes(4),
            f"{name}.bgen.bgi": bgi(*positions),
            f"{name}.sample": f"ID_1 ID_2 missing\n0 0 0\n{people}".encode(),
        }
    )


def bgi(*positions: tuple[str, int], alleles: int = 2) -> bytes:
    """An index as bgenix makes it; file_start_position counts up in the order given."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE TABLE Variant (chromosome TEXT, position INT, rsid TEXT, number_of_alleles INT, allele1 TEXT,"
            " allele2 TEXT, file_start_position INT, size_in_bytes INT,"
            " PRIMARY KEY (chromosome, position, rsid, allele1, allele2, file_start_position)) WITHOUT ROWID"
        )
        database.execute("CREATE INDEX rsid_index ON Variant(rsid)")  # as some writers add it
        database.executemany(
            "INSERT INTO Variant VALUES (?, ?, ?, ?, 'A', 'G', ?, 10)",
            [
                (chromosome, position, f"{chromosome}:{position}", alleles, number)
                for number, (chromosome, position) in enumerate(positions)
            ],
        )
        database.commit()
        return database.serialize()
