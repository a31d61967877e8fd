"""Frozen records that check their fields and have one JSON form.

A check takes a value and the name that messages call it, and returns the value in its final form or raises
`ArtifactError`. A record applies the check of each field whenever it is made, in Python or from a stranger's JSON.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from spectell.errors import ArtifactError

__all__ = [
    "Check",
    "Record",
    "by",
    "count",
    "fraction",
    "json_object",
    "mapping_of",
    "maybe",
    "mismatch",
    "name",
    "nested",
    "nested_list",
    "number",
    "positive",
    "text",
]

Check = Callable[[Any, str], Any]
_MARKS = "_.+-() /"
T = TypeVar("T", bound="Record")


def mismatch(where: str, rule: str, value: object) -> ArtifactError:
    """Return the error for a value that breaks a rule."""
    shown = repr(value)
    return ArtifactError(f"the model's card does not fit: {where} must be {rule}, got {shown[:60]}")


def text(value: Any, where: str) -> str:
    """Accept text of a length that a person might read, which can be written as UTF-8 and shown on a terminal."""
    if not isinstance(value, str) or len(value) > 100_000 or not (value.isprintable() or _is_harmless(value)):
        raise mismatch(where, "text without control characters", value)
    return value


def _is_harmless(value: str) -> bool:
    return not any(
        (letter < " " and letter not in "\n\t") or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff"
        for letter in value
    )


def name(value: Any, where: str) -> str:
    """Accept a short name without quotes or control characters."""
    # Not a regular expression: compiling one would cost every verdict some milliseconds.
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not all(c.isalnum() or c in _MARKS for c in value):
        raise mismatch(where, "a name of at most 100 letters, digits, spaces and . _ - + / ( )", value)
    return value


def number(value: Any, where: str) -> float:
    """Accept a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise mismatch(where, "a finite number", value)
    if isinstance(value, int) and abs(value) >= 2**63:  # larger ones may not fit a float
        raise mismatch(where, "a number below 2**63", value)
    return float(value)


def positive(value: Any, where: str) -> float:
    """Accept a finite number above 0."""
    if not number(value, where) > 0:
        raise mismatch(where, "a positive number", value)
    return float(value)


def fraction(value: Any, where: str) -> float:
    """Accept a number from 0 to 1."""
    if not 0 <= number(value, where) <= 1:
        raise mismatch(where, "between 0 and 1", value)
    return float(value)


def count(value: Any, where: str) -> int:
    """Accept a whole number from 0 up."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise mismatch(where, "a whole number from 0 up", value)
    return value


def maybe(check: Check) -> Check:
    """Accept None besides what `check` accepts."""
    return lambda value, where: None if value is None else check(value, where)


def _json(value: Any, where: str) -> Any:
    """Check that a value can stand in JSON and come back the same."""
    if isinstance(value, Mapping):
        return {text(key, f"{where} key"): _json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value, where)
    finite = number(value, where)
    return value if isinstance(value, int) else finite


def json_object(value: Any, where: str) -> dict[str, Any]:
    """Accept a mapping that comes back the same from JSON."""
    if not isinstance(value, Mapping):
        raise mismatch(where, "a JSON object", value)
    return dict(_json(value, where))


def mapping_of(check: Check) -> Check:
    """Accept a mapping from text to what `check` accepts."""

    def read(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise mismatch(where, "a JSON object", value)
        return {text(key, f"{where} key"): check(item, f"{where}.{key}") for key, item in value.items()}

    return read


def nested(kind: type[T]) -> Check:
    """Accept a record, or the JSON object of one."""
    return lambda value, where: value if isinstance(value, kind) else kind.from_json(value, where)


def nested_list(kind: type[T]) -> Check:
    """Accept a list of records, or of the JSON objects of some."""

    def read(value: Any, where: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise mismatch(where, "a list", value)
        return tuple(nested(kind)(item, f"{where}[{i}]") for i, item in enumerate(value))

    return read


def by(check: Check) -> dict[str, Check]:
    """Return the metadata of a field whose every value passes `check`."""
    return {"check": check}


@dataclass(frozen=True)
class Record:
    """A frozen record that checks its fields and has one JSON form."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = item.metadata["check"](getattr(self, item.name), f"{type(self).__name__}.{item.name}")
            object.__setattr__(self, item.name, value)

    @classmethod
    def from_json(cls, value: Any, where: str = "card") -> Self:
        """Make the record from a JSON object.

        Parameters
        ----------
        value : mapping
            Every field by name, and nothing else.
        where : str
            How messages call the record.

        Raises
        ------
        ArtifactError
            If a field is missing, unknown or does not fit.
        """
        if not isinstance(value, Mapping):
            raise mismatch(where, "a JSON object", value)
        items = dataclasses.fields(cls)
        known = {item.name for item in items}
        if wrong := sorted(map(str, known ^ set(value))):
            verb = "lacks" if wrong[0] in known else "has the unknown field"
            raise ArtifactError(f"the model's card does not fit: {where} {verb} {wrong[0][:60]!r}")
        return cls(**{item.name: item.metadata["check"](value[item.name], f"{where}.{item.name}") for item in items})

    def as_json(self) -> dict[str, Any]:
        """Return the record as a JSON object that `from_json` reads."""
        return {item.name: _plain(getattr(self, item.name)) for item in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.as_json()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
