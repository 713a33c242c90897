# SPDX-License-Identifier: BSD-3-Clause
"""Python values into the fields of C structs, checked, and back. ctypes would cut a number that does not fit."""
from __future__ import annotations

import ctypes
import operator
from typing import Any, Dict, List, Tuple, Type, TypeVar

from . import _structs
from ._library import methods
from ._progress import CALLBACK

_NEVER = 2**64 - 1  # moep_info.fitted_step before the first fit
_ORDERS = ("arima_p", "arima_d", "arima_q")
StructType = TypeVar("StructType", bound=_structs.Struct)


# ---- into C ----

def whole(name: str, value: Any, least: int = 0, most: int = 2**64 - 1) -> int:
    """A whole number within bounds. A bool is not accepted."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} = {value!r}: expected a whole number")
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{name} = {number}: must be {least} or more")
    if number > most:
        raise ValueError(f"{name} = {number}: must be {most} or less")
    return number


def positive(name: str, value: Any) -> int:
    return whole(name, value, 1)


def _numbers(name: str, kind: Any, value: Any) -> Tuple[int, ...]:
    """An array field: as many numbers as it has, or fewer, which zeros follow."""
    values = tuple(value) if hasattr(value, "__iter__") and not isinstance(value, str) else (value,)
    length: int = kind._length_
    if len(values) > length:
        raise ValueError(f"{name} = {value!r}: expected {length} numbers at most")
    values = tuple(whole(name, each, 0, 2**(8 * ctypes.sizeof(kind._type_)) - 1) for each in values)
    return values + (0,) * (length - len(values))


def _names_of(field: str) -> List[str]:
    """The names of an enumerated field's numbers, in order; none for any other field."""
    return methods() if field == "method" else _structs.NAMES.get(field, [])


def index_of(field: str, names: List[str], value: Any) -> Any:
    """The index of a name among `names`; a number is itself."""
    if not isinstance(value, str):
        return value
    if value not in names:
        raise ValueError(f"{field} = {value!r}: expected " + (" or ".join(map(repr, names)) if names else "a number"))
    return names.index(value)


def _number_of(field: str, value: Any) -> Any:
    """The number of an enumerated field's name; a number is itself."""
    if field in _ORDERS and isinstance(value, str):
        if value == "select":
            return _structs.SELECT
        raise ValueError(f"{field} = {value!r}: expected 'select' or a number")
    return index_of(field, _names_of(field), value)


def _checked(struct: Type[_structs.Struct], name: str, value: Any) -> Any:
    """The value as the field can hold it."""
    kind: Any = dict(struct.fields())[name]
    value = _number_of(name, value)
    if kind is ctypes.c_double:
        try:
            return float(value)
        except TypeError:
            raise TypeError(f"{name} = {value!r}: expected a number") from None
    if issubclass(kind, ctypes.Array):
        return kind(*_numbers(name, kind, value))
    bits, signed = 8 * ctypes.sizeof(kind), kind(-1).value < 0
    return whole(name, value, -2**(bits - 1) if signed else 0, 2**(bits - signed) - 1)


def filled(struct: Type[StructType], **values: Any) -> StructType:
    """A struct with these fields. An enumerated one may have its name, or its number."""
    return struct(**{name: _checked(struct, name, value) for name, value in values.items()})


def make_runtime(threads: int = 0) -> _structs.Runtime:
    runtime = filled(_structs.Runtime, threads=threads)
    runtime.progress = CALLBACK
    return runtime


# ---- out of C ----

def readable(struct: _structs.Struct) -> Dict[str, Any]:
    """The fields by name. Numbers that have a name are replaced by it, and numbers that mean nothing by None."""
    values = struct.values()
    for field, value in values.items():
        names = _names_of(field)
        if names:
            values[field] = names[value] if 0 <= value < len(names) else value
        elif field in _ORDERS and value == _structs.SELECT:
            values[field] = "select"
    if values.get("fitted_step") == _NEVER:
        values["fitted_step"] = None
    if values.get("method") == -1:
        values["method"] = None
    return values
