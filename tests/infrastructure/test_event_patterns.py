"""Every rule and pipe, on the events that AWS documents: what it asks for is there, and nothing else passes."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk.assertions import Template

from genolaunch.contract.launch import LaunchField
from genolaunch.contract.launch_bucket import SCHEMA_KEY
from localcloud import ministack_adapter
from stacks.adoption import AdoptionStack
from stacks.adoption_member import AdoptionMemberStack
from stacks.config import read_governance, read_stages
from stacks.product import ProductPortfolioStack
from stacks.settings_files import context_of_cdk_json
from statemachines import composition
from tests.documented_events import FOLDER, Event, documented
from tests.infrastructure.conftest import RAW_SETTINGS, Stack, synthesize

REPOSITORY = Path(__file__).parents[2]
MOST_CHARACTERS = 2048
"""Amazon EventBridge quotas, "Event pattern size"."""

_NAME = "productionab"
"""As long as a stage's name may be."""

SAMPLES: dict[str, Event] = {path.stem: documented(path.stem) for path in FOLDER.glob("*.json")}


@pytest.fixture(scope="module")
def all_stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """Given: a stage with all that may be chosen, and what surrounds stages."""
    zones = [f"eu-west-1{letter}" for letter in "abcd"]
    stage = read_stages({_NAME: {**RAW_SETTINGS, "zones": zones, "images": {"inspector": True}}})[_NAME]
    raw = json.loads((REPOSITORY / "checks" / "three_accounts.json").read_text())
    stages = read_stages(raw["stages"])
    governance = read_governance(raw["governance"], stages)
    assert governance.product is not None
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("all")), context=context_of_cdk_json())
    around = [
        AdoptionStack(app, settings=governance),
        AdoptionMemberStack(app, account=governance.accounts[0], settings=governance),
        ProductPortfolioStack(app, governance=governance, product=governance.product, stages=stages),
    ]
    return {
        **synthesize(stage),
        **{stack.node.id: Stack(stack.node.id, Template.from_stack(stack).to_json()) for stack in around},
    }


def rules(stacks: Mapping[str, Stack]) -> Iterator[tuple[str, Event]]:
    """(name, properties) of each rule that waits for events."""
    for name, stack in stacks.items():
        for id_, properties in stack.all("AWS::Events::Rule").items():
            if "EventPattern" in properties:
                yield f"{name}/{id_}", properties


def text(value: Any) -> Any:
    """A template's value, with what CloudFormation fills in named by where it comes from."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(text(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"{resource}.{attribute}"
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": name} | {"Fn::ImportValue": name}:
            return name
        case dict():
            return {key: text(each) for key, each in value.items()}
        case list():
            return [text(each) for each in value]
    return value


def leaves(pattern: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """(path, alternatives) of all that a pattern asks for."""
    for key, value in pattern.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def satisfying(alternative: Any) -> Any:
    """A value that an alternative of a pattern lets pass."""
    match alternative:
        case {"prefix": start}:
            return f"{start}x"
        case {"wildcard": wildcard}:
            return wildcard.replace("*", "x")
        case {"anything-but": {"prefix": [*_]}}:
            return "elsewhere"
        case str():
            return alternative
    raise AssertionError(f"the test does not know {alternative}")


def strangers(alternatives: list[Any]) -> list[str]:
    """Values that none of a pattern's alternatives lets pass."""
    match alternatives:
        case [{"anything-but": {"prefix": starts}}]:
            return [f"{start}x" for start in starts]
    return ["of somebody else"]


def samples_for(pattern: Mapping[str, Any]) -> list[str]:
    """Samples of the kind that have each key that a pattern asks for."""
    asked = {path for path, _ in leaves(pattern)}
    kinds = set(itertools.product(pattern["source"], pattern["detail-type"]))
    return [
        name
        for name, sample in SAMPLES.items()
        if (sample.get("source"), sample.get("detail-type")) in kinds and all(has(sample, path) for path in asked)
    ]


def has(event: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(event, Mapping) or key not in event:
            return False
        event = event[key]
    return True


def given(event: Event, path: tuple[str, ...], value: Any) -> Event:
    changed = deepcopy(event)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    assert type(place[path[-1]]) is type(value), f"{path} is no {type(value).__name__} on AWS"
    place[path[-1]] = value
    return changed


def test_every_rule_passes_what_aws_documents_and_nothing_else(all_stacks):
    found = dict(rules(all_stacks))
    assert len(found) > 15

    for name, properties in found.items():
        pattern = text(properties["EventPattern"])
        fitting = samples_for(pattern)
        assert fitting, f"{name}: no sample in {FOLDER} has all that {pattern} asks for"
        event = SAMPLES[fitting[0]]
        for path, alternatives in leaves(pattern):
            event = given(event, path, satisfying(alternatives[0]))
        assert ministack_adapter.matches(json.dumps(pattern), event), name
        for path, alternatives in leaves(pattern):
            for alternative in alternatives:
                other = given(event, path, satisfying(alternative))
                assert ministack_adapter.matches(json.dumps(pattern), other), f"{name}: {alternative}"
            for stranger in strangers(alternatives):
                strange = given(event, path, stranger)
                assert not ministack_adapter.matches(json.dumps(pattern), strange), f"{name}: {path}: {stranger}"


def boto(service: str, shape: str) -> list[str]:
    """What AWS's service model says that a value may be."""
    model: Any = botocore.session.get_session().get_service_model(service)
    return list(model.shape_for(shape).enum)


STATUSES = {
    "status": {
        *boto("batch", "JobStatus"),
        *boto("stepfunctions", "ExecutionStatus"),
        *boto("cloudformation", "StackStatus"),
    },
    "build-status": set(boto("codebuild", "StatusType")),
    "state": set(boto("ec2", "InstanceStateName")),
    "stopCode": set(boto("ecs", "TaskStopCode")),
    "launchType": set(boto("ecs", "LaunchType")),
    # Amazon ECS developer guide, "Amazon ECS task lifecycle".
    "lastStatus": {"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING"}
    | {"STOPPED", "DELETED"},
    # Sample of the event.
    "scan-status": {"INITIAL_SCAN_COMPLETE"},
}


def test_the_states_that_rules_ask_for_are_states_of_aws(all_stacks):
    asked = [
        (name, path[-1], value)
        for name, properties in rules(all_stacks)
        for path, values in leaves(text(properties["EventPattern"]))
        if path[-1] in STATUSES
        for value in values
    ]

    assert {key for _, key, _ in asked} == set(STATUSES)
    assert [each for each in asked if each[2] not in STATUSES[each[1]]] == []


def test_what_targets_take_of_an_event_is_there(all_stacks):
    taken = 0
    for name, properties in rules(all_stacks):
        (first, *_) = samples_for(text(properties["EventPattern"]))
        refused = SAMPLES.get(f"{first}-refused", {})
        for target in properties["Targets"]:
            paths = [
                target.get("InputPath", "$"),
                *target.get("InputTransformer", {}).get("InputPathsMap", {}).values(),
            ]
            for path in paths:
                keys = tuple(path.split(".")[1:])
                assert has(SAMPLES[first], keys) or has(refused, keys), f"{name}: {path}"
                taken += len(keys)
    assert taken


@pytest.mark.parametrize(
    ("machine", "sample"), [("restore", "s3-object-created"), ("cleanup", "states-execution-aborted")]
)
def test_what_a_state_machine_reads_of_its_event_is_there(machine, sample):
    definition = composition.text(machine)

    read = re.findall(r"\$states\.input\.(detail[.\w]*)", definition)
    assert read
    assert [path for path in read if not has(SAMPLES[sample], tuple(path.split(".")))] == []


def test_no_rule_has_a_pattern_that_eventbridge_refuses_for_its_size(all_stacks):
    for name, properties in rules(all_stacks):
        pattern = json.dumps(text(properties["EventPattern"]), separators=(",", ":"))
        # What CloudFormation fills in is an ARN; this one is longer than any of ours.
        spare = 100 * pattern.count(".Arn")
        assert len(pattern) + spare <= MOST_CHARACTERS, f"{name}: {len(pattern)}"


@pytest.mark.parametrize("rule", ["benchmark/JobRuns", "workflow-manager/QueueBlocked"])
def test_jobs_of_the_stages_own_queues_pass_and_of_no_others(all_stacks, rule):
    (properties,) = [each for name, each in rules(all_stacks) if name.startswith(rule)]
    pattern = text(properties["EventPattern"])
    queues = [each["JobQueueName"] for each in all_stacks["compute"].all("AWS::Batch::JobQueue").values()]
    assert len(queues) == 20
    arn = "arn:aws:batch:eu-west-1:111111111111:job-queue/"
    (sample,) = samples_for(pattern)
    event = given(SAMPLES[sample], ("detail", "status"), pattern["detail"].get("status", ["RUNNABLE"])[0])

    def passes(queue: str) -> bool:
        return ministack_adapter.matches(json.dumps(pattern), given(event, ("detail", "jobQueue"), queue))

    assert all(passes(arn + queue) for queue in queues)
    others = [queue.replace(_NAME, other) for queue in queues for other in ("test", f"{_NAME[:-1]}", "lab")]
    assert not any(passes(arn + queue) for queue in others)
    assert not any(passes(arn.replace("111111111111", "222222222222") + queue) for queue in queues)


def test_files_in_the_launch_bucket_where_nothing_belongs_are_told_of_and_no_others(all_stacks):
    ((_, properties),) = [each for each in rules(all_stacks) if each[0].startswith("data/Strays")]
    pattern = text(properties["EventPattern"])
    bucket = f"genolaunch-{_NAME}-launch-111111111111-eu-west-1"
    sample = given(SAMPLES["s3-object-created"], ("detail", "bucket", "name"), bucket)

    def passes(key: str, event: Event = sample) -> bool:
        return ministack_adapter.matches(json.dumps(pattern), given(event, ("detail", "object", "key"), key))

    strays = ["gwas.yaml", "Launches/gwas.yaml", "launch/gwas.yaml", "launches", "/launches/gwas.yaml"]
    strays += ["snakemake/exome/Snakefile", "Snakefile", "a/launches/gwas.yaml", "feedbacks/x", "schema.json"]
    assert [key for key in strays if not passes(key)] == []
    # What users and the platform put where it belongs: among it every answer, so that none is answered.
    belonging = ["launches/gwas.yaml", "launches/", "launches/2026/gwas.yaml", "snakefiles/exome/Snakefile"]
    belonging += ["snakefiles/exome/rules/map.smk", "workflows/exome/Snakefile", "feedback/gwas.yaml.json"]
    belonging += ["feedback//launches/gwas.yaml.json", "feedback/feedbacks/x.json", SCHEMA_KEY, "inputs/x.json"]
    belonging += ["restores/height-1/1.json"]
    assert [key for key in belonging if passes(key)] == []
    # Other buckets, and other events
    assert not passes("gwas.yaml", SAMPLES["s3-object-created"])
    deleted = given(SAMPLES["s3-object-deleted"], ("detail", "bucket", "name"), bucket)
    assert not passes("gwas.yaml", deleted)


def test_every_pipe_takes_records_as_a_pipe_has_them(all_stacks):
    pipes = [
        (f"{name}/{id_}", properties)
        for name, stack in all_stacks.items()
        for id_, properties in stack.all("AWS::Pipes::Pipe").items()
    ]
    assert len(pipes) == 2
    sample = SAMPLES["pipes-dynamodb-record"]
    ours = {value for name, value in vars(LaunchField).items() if not name.startswith("_")}

    for name, properties in pipes:
        (only,) = properties["SourceParameters"]["FilterCriteria"]["Filters"]
        asked = [path for path, _ in leaves(json.loads(only["Pattern"]))]
        template = properties["TargetParameters"]["InputTemplate"]
        taken = [tuple(path.split(".")) for path in re.findall(r"<\$\.([\w.]+)>", template)]
        assert asked, name
        assert taken, name
        for path in [*asked, *taken]:
            assert has(sample, path[:2]), f"{name}: {path}"
            assert path[:2] == ("dynamodb", "NewImage"), name
            assert path[2] in ours, f"{name}: {path}"
            assert path[3:] in {("S",), ("N",)}, f"{name}: {path}"
