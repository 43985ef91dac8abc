"""A small language for the shape of JSON values: rules are data, and a value is asked against them.

Every shape yields the problems of a value in the order in which they stand in it; none means that it fits.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

__all__ = ["Anything", "Flag", "Items", "Members", "NumberOrText", "Problem", "Shape", "Text", "TextOrWhole"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at `path`, for example `interactive.action.buttons[0].reply.title`."""

    path: str
    fault: Literal["missing", "unexpected", "invalid"]
    reason: str


class Shape(Protocol):
    def problems(self, value: object, path: str) -> Iterator[Problem]: ...


def _invalid(path: str, reason: str) -> Iterator[Problem]:
    yield Problem(path, "invalid", reason)


@dataclass(frozen=True, slots=True)
class Anything:
    """A member that is named, and whose content Meta does not describe."""

    kind: type[object] = object

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, self.kind):
            yield Problem(path, "invalid", f"must be of type {self.kind.__name__}")


@dataclass(frozen=True, slots=True)
class Flag:
    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(path, "invalid", "must be a boolean")


@dataclass(frozen=True, slots=True)
class Text:
    """A string of `least` to `most` characters (Unicode code points), one of `choices`, or matching `pattern`."""

    least: int = 1
    most: int | None = None
    choices: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(path, "invalid", "must be a string")
        elif len(value) < self.least:
            yield Problem(path, "invalid", f"must be at least {self.least} characters long")
        elif self.most is not None and len(value) > self.most:
            yield Problem(path, "invalid", f"must be at most {self.most} characters long")
        elif self.choices is not None and value not in self.choices:
            yield Problem(path, "invalid", f"must be one of {', '.join(sorted(self.choices))}")
        elif self.pattern is not None and not self.pattern.match(value):
            yield Problem(path, "invalid", "is malformed")


@dataclass(frozen=True, slots=True)
class TextOrWhole:
    """A button index: Meta takes `"0"` and `0`."""

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, str | int):
            yield Problem(path, "invalid", "must be a string or a whole number")


@dataclass(frozen=True, slots=True)
class NumberOrText:
    """A number between `least` and `most`, or a string of one."""

    least: float
    most: float

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return _invalid(path, "must be a number")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return _invalid(path, "must be a number")
        # Written so that not-a-number is refused as well.
        if not self.least <= number <= self.most:
            return _invalid(path, f"must be between {self.least:g} and {self.most:g}")
        return iter(())


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `least` to `most` values of one shape; `unique` names the member that must differ in each."""

    of: Shape
    least: int = 1
    most: int | None = None

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, "invalid", "must be an array")
            return
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            yield Problem(path, "invalid", f"must have {self.least} to {self.most or 'any number of'} items")
        for index, item in enumerate(value):
            yield from self.of.problems(item, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class Members:
    """An object of known members; `exactly_one` of those names must be there; `rule` sees an object that fits."""

    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    exactly_one: tuple[str, ...] = ()
    rule: Callable[[dict[str, object], str], Iterator[Problem]] | None = None

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, "invalid", "must be an object")
            return
        found = list(self._own_problems(value, path))
        yield from found
        if self.rule is not None and not found:
            yield from self.rule(value, path)

    def _own_problems(self, value: dict[str, object], path: str) -> Iterator[Problem]:
        for name in self.required:
            if name not in value:
                yield Problem(_join(path, name), "missing", "is required")
        if self.exactly_one and sum(name in value for name in self.exactly_one) != 1:
            yield Problem(path, "invalid", f"needs exactly one of {', '.join(self.exactly_one)}")
        for name, member in value.items():
            shape = self.required.get(name) or self.optional.get(name)
            if shape is None:
                yield Problem(_join(path, name), "unexpected", "is not known here")
            else:
                yield from shape.problems(member, _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
