"""Every call of boto3 in what runs on AWS, and in the command line, against botocore's service models."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel, StructureShape

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("lambdas", "containers", "genolaunch")

# Of clients and resources in general, and not of one service.
ANY_CLIENT = {"get_paginator", "get_waiter", "close", "generate_presigned_url"}
# Of boto3's transfers, which take no members of the service's models.
TRANSFERS = {"upload_file", "upload_fileobj", "download_file", "download_fileobj"}


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py"))


@cache
def used_services() -> dict[str, ServiceModel]:
    """The services of which any source makes a client."""
    session = botocore.session.get_session()
    named = {name for path in sources() for name in re.findall(r"client\(\"([a-z0-9-]+)\"", path.read_text())}
    return {name: session.get_service_model(name) for name in sorted(named)}


@cache
def operations(method: str) -> list[tuple[str, StructureShape | None]]:
    """(service, input) of the operations that a client's method of that name calls."""
    return [
        (service, model.operation_model(operation).input_shape)
        for service, model in used_services().items()
        for operation in model.operation_names
        if xform_name(operation) == method
    ]


def members_of(call: ast.Call) -> list[str]:
    return [keyword.arg for keyword in call.keywords if keyword.arg is not None]


def calls(path: Path) -> Iterator[tuple[str, ast.Call, str]]:
    """(place, call, method) of what must be a call of AWS: a method with members spelt as no Python name is."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method, members = node.func.attr, members_of(node)
            if operations(method) and any(re.search(r"[A-Z]", member) for member in members):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", node, method


def paginated(path: Path) -> Iterator[tuple[str, str]]:
    """(place, operation) of every paginator that is asked for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator":
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", str(argument.value)


def unknown_methods(path: Path) -> Iterator[str]:
    """Calls of a client with members in a service's spelling, of a method that no used service has."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            capitalised = [member for member in members_of(node) if re.match(r"[A-Z][a-z]", member)]
            # load is yaml's, filter of boto3's resources.
            known = ANY_CLIENT | TRANSFERS | {"paginate", "wait", "load", "filter"}
            if capitalised and node.func.attr not in known and not operations(node.func.attr):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}: {node.func.attr}({', '.join(capitalised)})"


def test_the_services_are_found():
    assert {"batch", "dynamodb", "fsx", "s3", "stepfunctions"} <= set(used_services())


def test_calls_name_members_that_the_service_has():
    wrong, seen = [], 0
    for path in sources():
        for place, call, method in calls(path):
            seen += 1
            members = set(members_of(call))
            fitting = [name for name, shape in operations(method) if shape and members <= set(shape.members)]
            if not fitting:
                wrong.append(f"{place}: {method}({', '.join(sorted(members))})")

    assert seen > 20
    assert wrong == []


def test_calls_in_a_services_spelling_are_operations_of_a_service():
    assert [call for path in sources() for call in unknown_methods(path)] == []


def test_paginators_exist():
    session = botocore.session.get_session()
    known = {
        xform_name(operation)
        for service in used_services()
        for operation in session.get_component("data_loader").load_service_model(service, "paginators-1")["pagination"]
    }

    asked = [one for path in sources() for one in paginated(path)]
    assert asked
    assert [place for place, operation in asked if operation not in known] == []
