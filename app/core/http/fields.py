"""Which members of a request are at fault: all of them at once, where msgspec stops at the first."""

import re
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

_AT = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_NAMED = re.compile(r"(?:required|unknown) field `(?P<name>.*)`", re.DOTALL)
_MOST_FAULTS = 50
_LONGEST_NAME = 100


class FieldError(msgspec.Struct, frozen=True):
    """One member at fault: its path in the request (`facts[0].text`), and what is wrong with it."""

    field: str
    message: str


def find_faults(value: object, annotation: Any) -> list[FieldError]:
    """Return every fault of `value` (decoded JSON) against `annotation`, at most 50; none if it fits."""
    return _faults(value, annotation, "")[:_MOST_FAULTS]


def fault_of(message: str, path: str = "") -> FieldError:
    """Read a msgspec error message: its path, below `path`, becomes the field's name."""
    text = message
    if at := _AT.search(message):
        text = message[: at.start()]
        path = _join(path, at["path"].removeprefix("."))
    if named := _NAMED.search(text):
        path = _join(path, named["name"])
        text = "is not known here" if "unknown" in text else "is required"
    return FieldError(field=path[:_LONGEST_NAME], message=text)


def _faults(value: object, annotation: Any, path: str) -> list[FieldError]:
    struct = _struct_of(annotation)
    if struct is None or not isinstance(value, dict) or struct.__struct_config__.tag_field is not None:
        return _first_fault(value, annotation, path)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    found: list[FieldError] = []
    for name, field in fields.items():
        if name in value:
            found += _faults(value[name], field.type, _join(path, name))
        elif field.required:
            found.append(FieldError(field=_join(path, name), message="is required"))
    if struct.__struct_config__.forbid_unknown_fields:
        found += [
            FieldError(field=_join(path, str(name))[:_LONGEST_NAME], message="is not known here")
            for name in value
            if name not in fields
        ]
    return found or _first_fault(value, annotation, path)


def _first_fault(value: object, annotation: Any, path: str) -> list[FieldError]:
    try:
        msgspec.convert(value, annotation, strict=False, str_keys=True)
    except msgspec.ValidationError as error:
        return [fault_of(str(error), path)]
    return []


def _struct_of(annotation: Any) -> type[msgspec.Struct] | None:
    """Return the struct that `annotation` means: itself, annotated, or beside None."""
    if get_origin(annotation) is Annotated:
        return _struct_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        arms = [arm for arm in get_args(annotation) if arm is not type(None) and arm is not msgspec.UnsetType]
        return _struct_of(arms[0]) if len(arms) == 1 else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct) else None


def _join(path: str, name: str) -> str:
    if not path or not name or name.startswith("["):
        return path + name
    return f"{path}.{name}"
