"""DynamoDB's expressions, as far as the functions use them: conditions, filters, keys, and updates.

Values are attribute values (`{"S": "text"}`). After "Condition and filter expressions", "Update expressions" of the
Amazon DynamoDB developer guide; test_fakes.py compares them with moto's.
"""

import operator
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

Item = dict[str, Any]
Operand = Callable[[Item], Any]
Test = Callable[[Item], bool]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+]|[#:A-Za-z_][\w#.]*)")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidExpressionError(Exception):
    """DynamoDB's ValidationException."""


class Expression:
    """One expression with its placeholders, read from left to right."""

    def __init__(self, text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            raise InvalidExpressionError(text)
        self._names = names
        self._values = values

    def condition(self) -> Test:
        """The whole text as a condition."""
        test = self._any()
        if self._tokens:
            raise InvalidExpressionError(f"left over: {self._tokens}")
        return test

    def update(self) -> Callable[[Item], Item]:
        """The whole text as an update: the item before -> the item after."""
        changes: list[Callable[[Item, Item], None]] = []
        while self._tokens:
            clause = self._take()
            read = {"SET": self._set, "REMOVE": self._remove, "ADD": self._add}[clause]
            changes.append(read())
            while self._next() == ",":
                self._take()
                changes.append(read())

        def apply(before: Item) -> Item:
            after = deepcopy(before)
            for change in changes:
                change(before, after)
            return after

        return apply

    # --- conditions ------------------------------------------------------------------------------------------------
    def _any(self) -> Test:
        tests = [self._all()]
        while self._next() == "OR":
            self._take()
            tests.append(self._all())
        return lambda item: any(test(item) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._next() == "AND":
            self._take()
            tests.append(self._one())
        return lambda item: all(test(item) for test in tests)

    def _one(self) -> Test:
        if self._next() == "(":
            self._take()
            test = self._any()
            self._take(")")
            return test
        if self._next() in ("attribute_exists", "attribute_not_exists"):
            is_there = self._take() == "attribute_exists"
            path = self._in_brackets(self._path)
            return lambda item: (_get(item, path) is not None) is is_there
        return self._comparison()

    def _comparison(self) -> Test:
        left, sign = self._operand(), self._take()
        if sign == "IN":
            choices = self._in_brackets(lambda: self._list(self._operand))
            return lambda item: left(item) in [choice(item) for choice in choices]
        right = self._operand()
        if sign in ("=", "<>"):
            return lambda item: (left(item) == right(item)) is (sign == "=")
        compare = _COMPARISONS[sign]
        return lambda item: left(item) is not None and compare(_plain(left(item)), _plain(right(item)))

    # --- updates ---------------------------------------------------------------------------------------------------
    def _set(self) -> Callable[[Item, Item], None]:
        path = self._path()
        self._take("=")
        value = self._operand()
        if self._next() == "+":
            self._take()
            value = _sum(value, self._operand())
        return lambda before, after: _put(after, path, value(before))

    def _remove(self) -> Callable[[Item, Item], None]:
        path = self._path()

        def remove(_: Item, after: Item) -> None:
            parent = _parent(after, path)
            parent.pop(path[-1], None)

        return remove

    def _add(self) -> Callable[[Item, Item], None]:
        path = self._path()
        value = _sum(lambda item: _get(item, path) or {"N": "0"}, self._operand())
        return lambda before, after: _put(after, path, value(before))

    # --- parts -----------------------------------------------------------------------------------------------------
    def _operand(self) -> Operand:
        token = self._next()
        if token is not None and token.startswith(":"):
            value = self._values[self._take()]
            return lambda item: value
        if token == "size":
            self._take()
            path = self._in_brackets(self._path)
            return lambda item: {"N": str(len(_plain(_get(item, path) or {"S": ""})))}
        if token in ("if_not_exists", "list_append"):
            function = _FUNCTIONS[self._take()]
            first, second = self._in_brackets(lambda: self._list(self._operand))
            return lambda item: function(first(item), second(item))
        path = self._path()
        return lambda item: _get(item, path)

    def _path(self) -> tuple[str, ...]:
        return tuple(self._names[part] if part.startswith("#") else part for part in self._take().split("."))

    def _in_brackets(self, read: Callable[[], Any]) -> Any:
        self._take("(")
        found = read()
        self._take(")")
        return found

    def _list(self, read: Callable[[], Any]) -> list[Any]:
        found = [read()]
        while self._next() == ",":
            self._take()
            found.append(read())
        return found

    def _next(self) -> str | None:
        return self._tokens[0] if self._tokens else None

    def _take(self, expected: str | None = None) -> str:
        token: str = self._tokens.pop(0)
        if expected not in (None, token):
            raise InvalidExpressionError(f"{token}, not {expected}")
        return token


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "if_not_exists": lambda found, otherwise: otherwise if found is None else found,
    "list_append": lambda first, second: {"L": [*_of_type("L", first), *_of_type("L", second)]},
}


def _of_type(kind: str, operand: Any) -> Any:
    if kind not in (operand or {}):
        raise InvalidExpressionError("An operand in the update expression has an incorrect data type")
    return operand[kind]


def _plain(value: Any) -> Any:
    ((kind, inner),) = value.items()
    return Decimal(inner) if kind == "N" else inner


def _sum(left: Operand, right: Operand) -> Operand:
    return lambda item: {"N": str(Decimal(_of_type("N", left(item))) + Decimal(_of_type("N", right(item))))}


def _get(item: Item, path: tuple[str, ...]) -> Any:
    value: Any = {"M": item}
    for part in path:
        value = value.get("M", {}).get(part) if value else None
    return value


def _parent(item: Item, path: tuple[str, ...]) -> Item:
    parent = _get(item, path[:-1])
    if not parent or "M" not in parent:
        raise InvalidExpressionError("The document path provided in the update expression is invalid for update")
    inner: Item = parent["M"]
    return inner


def _put(item: Item, path: tuple[str, ...], value: Any) -> None:
    if value is None:
        raise InvalidExpressionError(f"{path}: an operand of the update does not exist")
    _parent(item, path)[path[-1]] = deepcopy(value)
