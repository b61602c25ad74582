"""Lists what to run once before the pipeline's first run, in order (`make bootstrap-pipeline`).

Each line needs credentials of another account, so they are printed for a person, who has them, and not run.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from stacks.config import DeliverySettings, InvalidSettingsError, StageSettings, read_delivery, read_stages
from stacks.settings_files import context_of_cdk_json


def commands(delivery: DeliverySettings, stages: Mapping[str, StageSettings], policy: str) -> Iterator[tuple[str, str]]:
    """(account, command): the pipeline's own places, each stage's, the stages' repositories, and the pipeline.

    A pipeline has a bucket and a key in each region to which it deploys, and makes them by stacks of its own account
    (CDK's cross-region support stacks): so that account is bootstrapped there, too.

    Args:
        delivery: the pipeline's settings.
        stages: by name.
        policy: ARN with which CloudFormation acts in an account that trusts the pipeline's.
    """
    own = delivery.account
    chosen = [stages[name] for name in delivery.stages]
    for region in dict.fromkeys([delivery.region, *(stage.region for stage in chosen)]):
        yield own, f"npx cdk bootstrap aws://{own}/{region}"
    for account, region in dict.fromkeys((stage.account, stage.region) for stage in chosen if stage.account != own):
        trust = f"--trust {own} --cloudformation-execution-policies {shlex.quote(policy)}"
        yield account, f"npx cdk bootstrap aws://{account}/{region} {trust}"
    for stage in chosen:
        if stage.images is not None:  # the pipeline publishes images before it deploys the stack with their repository
            yield stage.account, f"make deploy-images STAGE={stage.name}"
    yield own, "make deploy-pipeline"


def main() -> int:
    """Print them; 1 if the settings are at fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings-file", type=Path, help="instead of cdk.json")
    parser.add_argument("--execution-policy", required=True)
    options = parser.parse_args()
    given = json.loads(options.settings_file.read_text("utf-8")) if options.settings_file else context_of_cdk_json()
    try:
        stages = read_stages(given["stages"])
        delivery = read_delivery(given["delivery"], stages)
    except InvalidSettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    account = ""
    for needed, command in commands(delivery, stages, options.execution_policy):
        if needed != account:
            sys.stdout.write(f"# with credentials of account {needed}\n")
            account = needed
        sys.stdout.write(f"{command}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
