"""Thousands of damaged configs: each is registered, or rejected with reasons, and never crashes the function.

Half of them begin with good ones, half are made from the published schema. `make test` has 500 of fixed seeds and 2,000
of any, `make test-full` 10,000 more.
"""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.shared import aws
from lambdas.shared.attributes import to_item
from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import detail
from lambdas.shared.launch_repository import Registration
from lambdas.workflow_manager import register_launch
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile
from tests.unit.workflow_manager.schema_values import make

EXAMPLES = Path(__file__).parents[3] / "examples"
SETTINGS = register_launch.Settings("test", "launches", "tasks", "data", "topic", "bus", ",".join(ComputeService))

ITEM_LIMIT = 400 * 1024  # bytes of an item of DynamoDB
NOTICE_LIMIT = 256 * 1024  # bytes of a message of SNS, and of an entry of EventBridge

JUNK: list[Any] = [
    *(None, True, 0, -1, 3.5, 10**30, 1e308, "", " ", "no", "null", "~", "\x00", "\ud800", "é" * 300, "x" * 5000),
    *("s3://", "s3:///x", "../..", "/etc/passwd", "s3://bucket/../x", "${jndi:x}", "$(id)", "; rm -rf /", "a\nb"),
    *([], {}, [[[[[]]]]], {"a": {"b": {"c": {}}}}, [1, "two", None], {"": ""}, {"name": "x"}),
]
TOKENS = [
    *("&a ", "*a", "!!python/object:os.system ", "!!binary ", "<<: ", "? ", "%YAML 9.9\n", "---\n", "...\n", "\t"),
    *(
        "[[[[[[[[[[",
        "{{{{{{",
        "}",
        "]",
        ": ",
        "- ",
        "#",
        "|",
        ">",
        "'",
        '"',
        "\\ud800",
        "\ufeff",
        "0o17",
        ".inf",
        "\x00",
    ),
    *("\r", "\x85", "\u2028", "name: again\n", '{"a": 1, "a": 2}', "NaN", "9" * 5000, "&a [*a, *a]", "1_000"),
    *("key: &x {<<: *x}\n", "\x00"),
]


def snakemake() -> dict[str, Any]:
    section = {"snakefile": "workflows/exome/Snakefile", "targets": ["all"], "spot": True, "retries": 3}
    return {"name": "exome", "workflow": "snakemake", "data": "exome", "snakemake": section}


def seeds() -> list[dict[str, Any]]:
    """Good configs to begin with: the examples', and one of every workflow."""
    return [yaml.safe_load(path.read_text()) for path in sorted(EXAMPLES.glob("*/launch*.yaml"))] + [snakemake()]


def damage(chance: random.Random, values: Any) -> Any:
    """Another value somewhere, a key gone, a key too many, a key misspelt."""
    if not isinstance(values, dict) or not values or chance.random() < 0.2:
        return chance.choice(JUNK)
    key = chance.choice(list(values))
    kind = chance.randrange(5)
    if kind == 0:
        return {name: value for name, value in values.items() if name != key}
    if kind == 1:
        return {**values, chance.choice(["fenotypes", "x" * 300, "", "workflow ", "Name"]): chance.choice(JUNK)}
    if kind == 2:
        return {(str(name)[:-1] if name == key else name): value for name, value in values.items()}
    return {**values, key: damage(chance, values[key])}


def write(chance: random.Random, values: Any, *, as_json: bool) -> bytes:
    text = (
        json.dumps(values) if as_json else yaml.safe_dump(values, sort_keys=False, allow_unicode=chance.random() < 0.5)
    )
    for _ in range(chance.choice([0, 0, 1, 3])):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(TOKENS) + text[place + chance.choice([0, 0, 1, 20]) :]
    content = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.15:
        place = chance.randrange(len(content) + 1)
        content = content[:place] + chance.randbytes(chance.choice([1, 4, 200])) + content[place:]
    return content * chance.choice([1] * 30 + [200])


class Recorder:
    """Stands for tables, topic, bus and bucket: takes what they would take, within their limits."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []

    def register(self, launch: Launch, fingerprint: str) -> Registration:
        return self._put(launch, Status.SUBMITTED)

    def reject(self, launch: Launch) -> Registration:
        assert launch.error is not None
        assert launch.error["faults"]
        for fault in launch.error["faults"]:
            assert fault["where"]
            assert fault["problem"]
            assert fault["remedy"]
        return self._put(replace(launch, ended_at="2026-11-21T04:00:00.000Z"), Status.REJECTED)

    def _put(self, launch: Launch, status: Status) -> Registration:
        assert launch.status == status
        assert len(json.dumps(to_item(launch.item())).encode()) < ITEM_LIMIT
        self.launches.append(launch)
        return Registration(launch, is_new=True)

    def write_answer(self, _: Drop, answer: dict[str, Any], *, only_first: bool) -> None:
        assert not only_first
        assert "repeats" not in answer
        json.dumps(answer, ensure_ascii=False).encode()

    def put_event(self, launch: Launch, *, bus: str, stage: str) -> None:
        assert len(json.dumps(detail(launch, stage)).encode()) < NOTICE_LIMIT

    def publish(self, *, Message: str, Subject: str, **_: Any) -> None:  # noqa: N803 - boto3's names
        assert len(Message.encode()) < NOTICE_LIMIT
        assert 0 < len(Subject) < 100


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(register_launch, "settings", lambda: SETTINGS)
    monkeypatch.setattr(register_launch, "LaunchRepository", lambda *_: recorder)
    monkeypatch.setattr(register_launch, "write_answer", recorder.write_answer)
    monkeypatch.setattr(register_launch, "put_event", recorder.put_event)
    monkeypatch.setattr(register_launch, "sources_beside", lambda bucket, key: [(f"{bucket}/{key}", "etag")])
    monkeypatch.setattr(aws, "client", lambda _: recorder)
    return recorder


def register_damaged(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """When a config of that seed is dropped, then it is answered, by one launch."""
    chance = random.Random(seed)
    values = make(chance) if chance.random() < 0.5 else chance.choice(SEEDS)
    for _ in range(chance.choice([0, 1, 1, 2, 5])):
        values = damage(chance, values)
    as_json = chance.random() < 0.4
    content = write(chance, values, as_json=as_json)
    suffix = ".json" if as_json else ".yaml"
    drop = Drop("launches", f"launches/x{suffix}", datetime(2026, 11, 21, 4, tzinfo=UTC), None, "e", "1", "ada")

    def fetch(_: Drop, *, largest: int) -> DroppedFile:
        return DroppedFile(len(content), content if len(content) <= largest else None, None)

    monkeypatch.setattr(register_launch, "fetch", fetch)
    before = len(recorder.launches)
    register_launch.register(drop)

    assert len(recorder.launches) == before + 1, f"seed {seed}"
    error = recorder.launches[-1].error or {}
    assert error.get("type") != ErrorType.PLATFORM, f"seed {seed}: {content!r}"


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**48))
def test_any_damaged_config_is_registered_or_rejected_with_reasons(recorder, monkeypatch, seed):
    register_damaged(recorder, monkeypatch, seed)


def test_damaged_configs_of_fixed_seeds_are_registered_or_rejected_with_reasons(recorder, monkeypatch):
    for seed in range(500):
        register_damaged(recorder, monkeypatch, seed)

    taken = [launch for launch in recorder.launches if launch.status is Status.SUBMITTED]
    assert 10 < len(taken) < 250, "some are good, and some are not"


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_ten_thousand_damaged_configs_are_registered_or_rejected_with_reasons(recorder, monkeypatch):
    for seed in range(500, 10_500):
        register_damaged(recorder, monkeypatch, seed)


SEEDS = seeds()


def test_what_the_damage_begins_with_is_good(recorder, monkeypatch):
    """Or else every example would be rejected for one and the same reason."""
    for number, values in enumerate(SEEDS):
        content = yaml.safe_dump(values).encode()
        monkeypatch.setattr(register_launch, "fetch", lambda *_, largest, c=content: DroppedFile(len(c), c, None))
        drop = Drop("launches", f"launches/{number}.yaml", datetime(2026, 11, 21, tzinfo=UTC), None, "e", "1", "ada")
        register_launch.register(drop)
    assert {launch.status for launch in recorder.launches} == {Status.SUBMITTED}
