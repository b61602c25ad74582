"""Draws docs/diagrams.md from the templates and the state machines (`make reference`).

Who calls whom is read from the synthesized stage: event source mappings, rules, pipes, subscription filters, buckets'
notifications, and what each state machine is given by substitutions. States and transitions are those of the ASL files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aws_cdk as cdk

import app
from stacks.settings_files import context_of_cdk_json
from statemachines.composition import NAMES, definition

_ROOT: Final = Path(__file__).parents[1]
PAGE: Final = _ROOT / "docs" / "diagrams.md"
_STAGE: Final = "dev"

_HEAD: Final = """# Diagrams

`make reference` draws these from the templates of the stage `{stage}` of `cdk.json` and from `statemachines/`. A test
fails when they are out of date. [architecture.md](architecture.md) describes what the arrows carry.
"""

_CALLED: Final = ("λ", "⚙", "queue")
"""What a state machine calls; tables and buckets are its data."""

_SHAPES: Final = {"Choice": ("{", "}"), "Succeed": ("([", "])"), "Fail": ("([", "])")}
"""Of states, where they are no rectangles."""

_HASH: Final = re.compile(r"[0-9A-F]{8}$")

Template = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Box:
    """A resource, or a kind of event, of a stack."""

    stack: str
    name: str
    label: str

    @property
    def id(self) -> str:
        """How a diagram's arrows name it."""
        return re.sub(r"\W", "_", f"{self.stack}_{self.name}")


@dataclass(frozen=True, order=True)
class Arrow:
    """One calls, starts or feeds the other."""

    source: Box
    target: Box


class Wiring:
    """Who calls whom among the resources of a stage's templates, by the stacks' short names."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = templates
        self._outputs = {
            output: (stack, value["Value"])
            for stack, template in templates.items()
            for output, value in template.get("Outputs", {}).items()
        }

    def arrows(self) -> list[Arrow]:
        """Every arrow once, in an order of its own."""
        return sorted({arrow for stack in self._templates for arrow in self._of_stack(stack)})

    def _of_stack(self, stack: str) -> Iterator[Arrow]:
        for name, resource in self._templates[stack]["Resources"].items():
            for source, target in self._ends(stack, name, resource):
                if source and target:
                    yield Arrow(source, target)

    def _ends(self, stack: str, name: str, resource: Template) -> Iterator[tuple[Box | None, Box | None]]:
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Lambda::EventSourceMapping":
                yield self._box(stack, properties["EventSourceArn"]), self._box(stack, properties["FunctionName"])
            case "AWS::Pipes::Pipe":
                yield self._box(stack, properties["Source"]), self._box(stack, properties["Target"])
            case "AWS::Logs::SubscriptionFilter":
                yield self._box(stack, properties["LogGroupName"]), self._box(stack, properties["DestinationArn"])
            case "AWS::Events::Rule":
                for target in properties["Targets"]:
                    yield _event(stack, properties), self._box(stack, target["Arn"])
            case "AWS::S3::Bucket":
                for each in properties.get("NotificationConfiguration", {}).get("QueueConfigurations", []):
                    yield self._box(stack, {"Ref": name}), self._box(stack, each["Queue"])
            case "AWS::StepFunctions::StateMachine":
                machine = self._box(stack, {"Ref": name})
                for value in properties.get("DefinitionSubstitutions", {}).values():
                    called = self._box(stack, value)
                    yield machine, called if called and called.label.startswith(_CALLED) else None

    def _box(self, stack: str, value: object) -> Box | None:
        """What a reference leads to, in whichever stack it is; None if that is no box."""
        if not isinstance(value, Mapping):
            return None
        if "Fn::ImportValue" in value:
            owner, published = self._outputs[value["Fn::ImportValue"].partition(":")[2]]
            return self._box(owner, published)
        name = value["Ref"] if "Ref" in value else value.get("Fn::GetAtt", [None])[0]
        resource = self._templates[stack]["Resources"].get(name)
        label = _label(_HASH.sub("", name), resource) if resource else None
        return Box(stack, _HASH.sub("", name), label) if label else None


def _label(name: str, resource: Template) -> str | None:
    match resource["Type"]:
        case "AWS::Lambda::Function":
            return f"λ {resource['Properties']['Handler'].split('.')[-2]}"
        case "AWS::StepFunctions::StateMachine":
            return f"⚙ {name.removesuffix('WorkflowMachine').lower()}"
        case "AWS::SQS::Queue":
            return f"queue {name.removesuffix('Queue')}"
        case "AWS::DynamoDB::Table":
            return f"table {name}"
        case "AWS::Logs::LogGroup":
            return f"log group {name}"
        case "AWS::S3::Bucket":
            return f"bucket {name}"
    return None


def _event(stack: str, rule: Template) -> Box:
    pattern = rule.get("EventPattern")
    label = ", ".join(pattern["detail-type"]) if pattern else rule["ScheduleExpression"]
    return Box(stack, f"event {label}", label)


def _flowchart(wiring: Wiring) -> str:
    arrows = wiring.arrows()
    boxes = sorted({box for arrow in arrows for box in (arrow.source, arrow.target)})
    lines = ["flowchart LR"]
    for stack in sorted({box.stack for box in boxes}):
        lines.append(f'  subgraph {stack.replace("-", "_")}["{stack}"]')
        lines.extend(f'    {box.id}["{box.label}"]' for box in boxes if box.stack == stack)
        lines.append("  end")
    lines.extend(f"  {arrow.source.id} --> {arrow.target.id}" for arrow in arrows)
    return "\n".join(lines)


def _machine(definition: Template) -> str:
    """States and transitions; what a Catch leads to is dotted, and inner machines are drawn inside their state."""
    return "\n".join(["flowchart TB", *_states(definition, "s", "  ")])


def _states(definition: Template, prefix: str, indent: str) -> Iterator[str]:
    ids = {name: f"{prefix}{number}" for number, name in enumerate(definition["States"])}
    yield f"{indent}{prefix}start((start)) --> {ids[definition['StartAt']]}"
    for name, state in definition["States"].items():
        yield from _state(name, state, ids[name], indent)
        for target in _next(state):
            yield f"{indent}{ids[name]} --> {ids[target]}"
        for caught in state.get("Catch", []):
            yield f"{indent}{ids[name]} -.-> {ids[caught['Next']]}"


def _state(name: str, state: Template, id_: str, indent: str) -> Iterator[str]:
    inner = state.get("Branches") or [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
    if not inner:
        left, right = {"Choice": ("{", "}"), "Succeed": ("([", "])"), "Fail": ("([", "])")}.get(
            state["Type"], ("[", "]")
        )
        yield f'{indent}{id_}{left}"{name}"{right}'
        return
    yield f'{indent}subgraph {id_}["{name}"]'
    for number, branch in enumerate(inner):
        yield from _states(branch, f"{id_}b{number}x", f"{indent}  ")
    yield f"{indent}end"


def _next(state: Template) -> list[str]:
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    others = [state[key] for key in ("Default", "Next") if key in state]
    return list(dict.fromkeys([*choices, *others]))


def page(templates: Mapping[str, Template]) -> str:
    """The whole page, for the templates of a stage by the stacks' short names."""
    parts = [_HEAD.format(stage=_STAGE), "\n## Who calls whom\n", _block(_flowchart(Wiring(templates)))]
    for name in NAMES:
        machine = definition(name)
        parts.append(f"\n## {name}\n{machine.get('Comment', '')}\n")
        parts.append(_block(_machine(machine)))
    return "".join(parts)


def _block(diagram: str) -> str:
    return f"\n```mermaid\n{diagram}\n```\n"


def templates_of_a_stage() -> dict[str, Template]:
    """cdk.json's stage, synthesized without bundling anything."""
    context: Mapping[str, Any] = {**context_of_cdk_json(), "aws:cdk:bundling-stacks": [], "stage": _STAGE}
    with TemporaryDirectory() as folder:
        made = cdk.App(outdir=folder, context=context)
        app.build(made)
        (stage,) = made.synth().nested_assemblies
        return {stack.stack_name.partition(f"-{_STAGE}-")[2]: stack.template for stack in stage.nested_assembly.stacks}
