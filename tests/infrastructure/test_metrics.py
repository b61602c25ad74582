"""Every metric that an alarm or the dashboard asks for is one that the stage's resources or functions make."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.metrics import ANY_SERVICE, Metric
from genolaunch.contract.project import PROJECT
from tests.infrastructure.conftest import Stack
from tests.infrastructure.references import owner_of

REPOSITORY = Path(__file__).parents[2]
STAGE: Final = "unit"

OF_RESOURCES: Final[Mapping[str, tuple[str, str, str, frozenset[str]]]] = {
    "AWS/Lambda": (
        "FunctionName",
        "AWS::Lambda::Function",
        "FunctionName",
        frozenset({"Invocations", "Errors", "DeadLetterErrors", "Throttles", "Duration", "ConcurrentExecutions"}),
    ),
    "AWS/SQS": (
        "QueueName",
        "AWS::SQS::Queue",
        "QueueName",
        frozenset(
            {
                "ApproximateAgeOfOldestMessage",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesVisible",
                "NumberOfMessagesDeleted",
                "NumberOfMessagesReceived",
                "NumberOfMessagesSent",
            }
        ),
    ),
    "AWS/States": (
        "StateMachineArn",
        "AWS::StepFunctions::StateMachine",
        "",  # an ARN is nobody's to choose
        frozenset(
            {
                "ExecutionTime",
                "ExecutionThrottled",
                "ExecutionsAborted",
                "ExecutionsFailed",
                "ExecutionsStarted",
                "ExecutionsSucceeded",
                "ExecutionsTimedOut",
            }
        ),
    ),
}
"""Namespace -> its dimension, whose resources, the property that names them, and metrics (the developer guides of AWS
Lambda, "Types of metrics for Lambda functions", of Amazon SQS, "Available CloudWatch metrics", and of Step Functions,
"Monitoring Step Functions metrics using Amazon CloudWatch")."""

STATISTICS: Final = frozenset({"Sum", "Average", "Minimum", "Maximum", "SampleCount"})


@dataclass(frozen=True)
class Asked:
    """A metric that somebody asks for, or a search for metrics."""

    where: str
    """Short name of the stack."""
    namespace: str
    metric: str
    dimensions: Mapping[str, Any]
    """Those that are known: a search names its values only for some."""
    schema: frozenset[str]
    """Names of all dimensions."""
    statistic: str

    def __str__(self) -> str:
        return f"{self.namespace} {self.metric} {dict(self.dimensions)} ({', '.join(sorted(self.schema))})"


def of_alarms(stacks: Mapping[str, Stack]) -> Iterator[Asked]:
    for name, stack in stacks.items():
        for alarm in stack.all("AWS::CloudWatch::Alarm").values():
            parts = alarm.get("Metrics")
            stats = [part["MetricStat"] for part in parts if "MetricStat" in part] if parts else [alarm]
            for stat in stats:
                metric = stat.get("Metric", stat)
                dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
                statistic = str(stat.get("Stat") or stat.get("Statistic"))
                yield Asked(
                    name,
                    metric["Namespace"],
                    metric["MetricName"],
                    dimensions,
                    frozenset(dimensions),
                    statistic,
                )
            assert not any("SEARCH" in part.get("Expression", "") for part in parts or ()), "no alarm may search"


def of_dashboards(stacks: Mapping[str, Stack]) -> Iterator[Asked]:
    for name, stack in stacks.items():
        for dashboard in stack.all("AWS::CloudWatch::Dashboard").values():
            body, references = _body(dashboard["DashboardBody"])
            for widget in body["widgets"]:
                for line in widget["properties"].get("metrics", []):
                    yield from _of_line(name, line, references)


def _body(body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The dashboard's JSON, and what stands where only the deployment knows a value."""
    references: dict[str, Any] = {}
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    for number, part in enumerate(parts):
        if not isinstance(part, str):
            references[f"@{number}@"] = part
    text = "".join(part if isinstance(part, str) else f"@{number}@" for number, part in enumerate(parts))
    return json.loads(text), references


def _of_line(name: str, line: list[Any], references: Mapping[str, Any]) -> Iterator[Asked]:
    options = line[-1] if isinstance(line[-1], dict) else {}
    if "expression" in options:
        searches = re.findall(r"SEARCH\('\{([^}]*)\}([^']*)', '(\w+)'(?:, \d+)?\)", options["expression"])
        assert len(searches) == options["expression"].count("SEARCH"), options["expression"]
        assert searches, f"an expression of nothing: {options['expression']}"
        for schema, terms, statistic in searches:
            namespace, *names = schema.split(",")
            exact = dict(re.findall(r'(\w+)="([^"]*)"', terms))
            assert not re.sub(r'\w+="[^"]*"', "", terms).strip(), f"not exact, so it may find another stage's: {terms}"
            metric = exact.pop("MetricName")
            yield Asked(name, namespace, metric, exact, frozenset(names), statistic)
        return
    namespace, metric, *pairs = [part for part in line if not isinstance(part, dict)]
    dimensions = {key: references.get(value, value) for key, value in zip(pairs[::2], pairs[1::2], strict=True)}
    yield Asked(name, namespace, metric, dimensions, frozenset(dimensions), options.get("stat", "Average"))


# --- What functions emit ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Emitted:
    """A metric of a function: `name` as a pattern, `service` as in its environment."""

    name: str
    service: str
    dimensions: frozenset[str]


@cache
def emitted() -> frozenset[Emitted]:
    """What the code of each function, and what it imports, puts."""
    found = set()
    for file in (REPOSITORY / "lambdas").glob("*/*.py"):
        if not any(isinstance(node, ast.FunctionDef) and node.name == "handler" for node in _tree(file).body):
            continue
        service = f"{file.parent.name}.{file.stem}"
        for module in _reachable(file):
            found |= {Emitted(name, service, dimensions) for name, dimensions in _put_by(module)}
            called = {ast.unparse(node.func) for node in ast.walk(_tree(module)) if isinstance(node, ast.Call)}
            found |= {Emitted(metric, ANY_SERVICE, _OWN) for name, metric in _FOR_ALARMS.items() if name in called}
    return frozenset(found)


_FOR_ALARMS: Final = {
    "count_platform_fault": Metric.PLATFORM_FAULTS,
    "tell_of_sick_launch": Metric.SICK_LAUNCHES,
}
"""Functions of lambdas/shared/observability.py that count for all functions together."""


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _reachable(file: Path) -> set[Path]:
    """Modules of `lambdas/` that a module imports, itself among them."""
    found, waiting = set(), [file]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lambdas."):
                base = REPOSITORY.joinpath(*(node.module or "").split("."))
                candidates = [base.with_suffix(".py"), *(base / f"{each.name}.py" for each in node.names)]
                waiting += [each for each in candidates if each.is_file()]
    return found


_OWN: Final = frozenset({"stage", "service"})


def _put_by(module: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """(pattern of a name, dimensions) of each metric that a module puts."""
    for node in ast.walk(_tree(module)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "metrics.add_metric":
            (name,) = [word.value for word in node.keywords if word.arg == "name"]
            yield _pattern(name), _OWN
        elif called in ("count", "single_metric", "_put"):
            for dimensions in _dimensions_of(module, called, node):
                for pattern in _patterns_of(module, node.args[0]):
                    yield pattern, dimensions


def _dimensions_of(module: Path, called: str, node: ast.Call) -> list[frozenset[str]]:
    if called == "count":
        return [_OWN | {"workflow"}]
    if called == "_put":
        return [_OWN | {"workflow"} | ({"step"} if "'step'" in ast.unparse(node.args[3]) else set())]
    given = next(word.value for word in node.keywords if word.arg == "default_dimensions")
    if isinstance(given, ast.Dict):
        return [frozenset(ast.literal_eval(key) for key in given.keys if key is not None) | {"service"}]
    return []  # counted where it is called


def _patterns_of(module: Path, node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name) and node.id == "metric":  # chosen from several just before
        return [_pattern(each) for each in ast.walk(_tree(module)) if isinstance(each, ast.Attribute)]
    return [_pattern(node)]


def _pattern(node: ast.expr) -> str:
    """A regular expression of a metric's name, as the code says it."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.Attribute(value=ast.Name(id="Metric"), attr=name):
            return re.escape(Metric[name])
        case ast.JoinedStr(values=parts):
            return "".join(_pattern(part) if isinstance(part, ast.Constant) else "[A-Za-z]+" for part in parts)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add()):
            return re.escape(text) + "[A-Za-z]+"
    return "(?!)"


# --- Does it exist? --------------------------------------------------------------------------------------------------
def fault(stacks: Mapping[str, Stack], asked: Asked) -> str | None:
    """Why nobody makes what is asked for; None if somebody does."""
    if asked.statistic not in STATISTICS:
        return f"{asked.statistic} is no statistic"
    return _fault_of_own(asked) if asked.namespace == PROJECT else _fault_of_aws(stacks, asked)


def _fault_of_own(asked: Asked) -> str | None:
    if asked.dimensions.get("stage") != STAGE:
        return "not this stage's"
    named = [each for each in emitted() if re.fullmatch(each.name, asked.metric)]
    if not named:
        return "no function puts a metric of this name"
    named = [each for each in named if each.dimensions == asked.schema]
    if not named:
        return "no function puts it with these dimensions"
    if "service" in asked.dimensions and asked.dimensions["service"] not in {each.service for each in named}:
        return "this service does not put it"
    return None


def _fault_of_aws(stacks: Mapping[str, Stack], asked: Asked) -> str | None:
    if asked.namespace not in OF_RESOURCES:
        return "an unknown namespace"
    dimension, type_, property_, metrics = OF_RESOURCES[asked.namespace]
    if asked.metric not in metrics or asked.schema != {dimension}:
        return "the service has no such metric"
    value = asked.dimensions.get(dimension)
    if isinstance(value, str):
        names = {each.get(property_) for stack in stacks.values() for each in stack.all(type_).values()}
        return None if value in names else "nothing has this name"
    owner = owner_of(stacks, asked.where, value)
    if owner is None or stacks[owner[0]].template["Resources"][owner[1]]["Type"] != type_:
        return "it refers to nothing of this service"
    return None


def faults(stacks: Mapping[str, Stack]) -> list[str]:
    every = [*of_alarms(stacks), *of_dashboards(stacks)]
    assert len(every) > 50, "some are there to be looked at"
    return [f"{asked}: {why}" for asked in every if (why := fault(stacks, asked))]


def test_every_metric_and_every_search_names_what_the_stage_makes(stacks):
    assert faults(stacks) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('stage=\\"unit\\"', 'stage=\\"units\\"'),
        ("LaunchesComplete", "LaunchComplete"),
        ("{genolaunch,service,stage,step,workflow}", "{genolaunch,service,stage,step}"),
        ("cleanup.sweep", "cleanup.find_leftovers"),
        ("ApproximateAgeOfOldestMessage", "AgeOfOldestMessage"),
        ("ExecutionsAborted", "ExecutionsStopped"),
        ("QueueName", "Queue"),
    ],
)
def test_a_wrong_name_is_found(stacks, right, wrong):
    text = json.dumps(stacks["observability"].template)
    escaped, mistaken = json.dumps(right)[1:-1], json.dumps(wrong)[1:-1]
    assert escaped in text, "the case is there to be spoiled"

    spoiled = Stack("observability", json.loads(text.replace(escaped, mistaken)))

    assert faults({**stacks, "observability": spoiled})


def test_the_dashboard_shows_each_queue_and_each_dead_letter_queue(stacks):
    queues = {(name, id_) for name, stack in stacks.items() for id_ in stack.all("AWS::SQS::Queue")}

    shown = {
        owner_of(stacks, asked.where, asked.dimensions["QueueName"])
        for asked in of_dashboards(stacks)
        if asked.namespace == "AWS/SQS"
    }

    assert shown == queues


def test_functions_put_their_metrics_with_the_dimensions_that_are_searched(capsys, monkeypatch):
    """The library adds `service`; what is read off the code above holds."""
    from lambdas.pricing import price_launch
    from lambdas.shared import announcement
    from lambdas.shared.observability import metrics

    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "benchmark.price_launch")  # as every function's environment has it
    monkeypatch.setattr(price_launch, "settings", lambda: SimpleNamespace(stage=STAGE))
    capsys.readouterr()
    price_launch._count("regenie", SimpleNamespace(total=Decimal(1)), {"Step 2": "12"})  # type: ignore[arg-type]
    for status in Status:
        launch = SimpleNamespace(status=status, workflow="regenie", error=None, is_final=False)
        announcement._count(launch)  # type: ignore[arg-type]
    metrics.add_metric(name="Something", unit="Count", value=1)
    metrics.flush_metrics()
    put = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]

    found = {
        metric["Name"]: frozenset(each["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0])
        for each in put
        for metric in each["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert found[Metric.LAUNCH_COST] == found["LaunchesComplete"] == {"service", "stage", "workflow"}
    assert found[Metric.STEP_SECONDS] == {"service", "stage", "step", "workflow"}
    assert found["Something"] == {"service", "stage"}
    assert {"LaunchesComplete", "LaunchesCancelRequested", "LaunchesHeld"} <= set(found)
