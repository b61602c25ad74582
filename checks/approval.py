"""Asks once whether a stage is to be deployed: `make deploy`, after the changes that concern security were shown."""

import argparse
import sys


def is_approved(stage: str) -> bool:
    """Whether the person at the terminal says yes. Nobody there is no."""
    sys.stdout.write(f"Above is what becomes broader for roles, policies and networks. Deploy {stage}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def main() -> int:
    """0: approved; 1: not, and nothing was deployed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage")
    stage = parser.parse_args().stage
    if is_approved(stage):
        return 0
    sys.stderr.write("Nothing was deployed. CDK_REQUIRE_APPROVAL=never deploys without asking.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
