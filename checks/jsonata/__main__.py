"""`python -m checks.jsonata rules`, `compare`, or `record FOLDER`: see docs/jsonata.md."""

import argparse
import sys
from pathlib import Path

from checks.jsonata import corpus
from checks.jsonata.compare import compare
from checks.jsonata.places import places_of_files
from checks.jsonata.reference import NoReferenceError, parse
from checks.jsonata.rules import faults_of_files


def main() -> None:
    """Exit with 1 and what is wrong, or say what was looked at."""
    parser = argparse.ArgumentParser(description="Checks the JSONata of the state machines.")
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("rules", help="parse every expression with the reference engine")
    tasks.add_parser("compare", help="evaluate every expression in both engines")
    tasks.add_parser("record", help="renew tests/data/jsonata").add_argument("folder", type=Path)
    options = parser.parse_args()
    try:
        if options.task == "rules":
            _end(faults_of_files(), f"{len(places_of_files())} JSONata expressions keep the rules.")
        if options.task == "record":
            places = places_of_files()
            parsed = dict(zip(places, parse([place.expression for place in places]), strict=True))
            corpus.renew(corpus.read_recordings(options.folder), parsed)
        report = compare(places_of_files(), corpus.load())
    except NoReferenceError as missing:
        sys.exit(str(missing))
    _end(report.faults, f"{report.expressions} expressions, {report.evaluations} evaluations: both engines agree.")


def _end(faults: list[str] | tuple[str, ...], otherwise: str) -> None:
    if faults:
        sys.exit("\n".join(faults) + f"\n{len(faults)} faults")
    print(otherwise)  # noqa: T201 - what the command is for
    sys.exit()


if __name__ == "__main__":
    main()
