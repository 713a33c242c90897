# SPDX-License-Identifier: BSD-3-Clause
"""What the predictor and the detector have in common: counts in, copies, checkpoints, their end."""
from __future__ import annotations

import ctypes
import operator
import os
import weakref
from collections import namedtuple
from typing import Any, Callable, Dict, Optional, Tuple, TypeVar, Union

import numpy as np

from . import _structs
from ._counts import address_and_dtype, as_array, steps_of
from ._library import library, method_names
from ._progress import CALLBACK
from ._state import as_bytes, as_dict, of_dict
from ._structs import Runtime, Struct

_NEVER = 2**64 - 1

Info = namedtuple("Info", _structs.Info.names())
Self = TypeVar("Self", bound="Handle")


# ---- values across the border ----

def whole(name: str, value: Any, least: int = 0, most: int = 2**64 - 1) -> int:
    """ctypes would cut a number that does not fit."""
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
    """An array field: as many numbers as it has, or fewer and zeros."""
    values = tuple(value) if hasattr(value, "__iter__") and not isinstance(value, str) else (value,)
    if len(values) > kind._length_:
        raise ValueError(f"{name} = {value!r}: expected {kind._length_} numbers at most")
    values = tuple(whole(name, each, 0, 2**(8 * ctypes.sizeof(kind._type_)) - 1) for each in values)
    return values + (0,) * (kind._length_ - len(values))


def checked(struct: type, name: str, value: Any) -> Any:
    """What the field can hold."""
    kind = dict(struct._fields_)[name]
    if kind is ctypes.c_double:
        try:
            return float(value)
        except TypeError:
            raise TypeError(f"{name} = {value!r}: expected a number") from None
    if issubclass(kind, ctypes.Array):
        return kind(*_numbers(name, kind, value))
    bits, signed = 8 * ctypes.sizeof(kind), kind(-1).value < 0
    return whole(name, value, -2**(bits - 1) if signed else 0, 2**(bits - signed) - 1)


def number_of(field: str, value: Union[int, float, str]) -> Union[int, float]:
    """The number of an enumerated field's name; a number is itself."""
    if not isinstance(value, str):
        return value
    names = method_names() if field == "method" else _structs.NAMES.get(field, [])
    if field in ("arima_p", "arima_d", "arima_q"):
        if value == "select":
            return _structs.SELECT
        raise ValueError(f"{field} = {value!r}: expected 'select' or a number")
    if value not in names:
        raise ValueError(f"{field} = {value!r}: expected " + (" or ".join(map(repr, names)) if names else "a number"))
    return names.index(value)


def readable(struct: Struct) -> Dict[str, Any]:
    """Its values, with names for numbers that have one."""
    values = struct.values()
    for field, names in {"method": method_names(), **_structs.NAMES}.items():
        if field in values and 0 <= values[field] < len(names):
            values[field] = names[values[field]]
    for field in ("arima_p", "arima_d", "arima_q"):
        if values.get(field) == _structs.SELECT:
            values[field] = "select"
    if values.get("fitted_step") == _NEVER:
        values["fitted_step"] = None
    if values.get("method") == -1:
        values["method"] = None
    return values


def set_fields(config: Struct, values: Dict[str, Any]) -> None:
    """Sets fields of a configuration by their names."""
    names = [name for name in config.names() if name != "method"]
    for name, value in values.items():
        if name not in names:
            raise TypeError(f"{name!r} is no field of the configuration: there are {', '.join(names)}")
        setattr(config, name, checked(type(config), name, number_of(name, value)))


def make_runtime(threads: int = 0) -> Runtime:
    return Runtime(threads=checked(Runtime, "threads", threads), progress=CALLBACK)


# ---- the handle ----

def _destroy(destroy: Callable[[ctypes.c_void_p], None], handle: ctypes.c_void_p, pid: int) -> None:
    if os.getpid() == pid:  # a forked child does not own its parent's handles
        destroy(handle)


class Handle:
    """A handle of the library. A subclass names its kind, "predictor", and so the functions moep_predictor_..."""

    _threads = 0
    _kind: str
    _config_struct: type
    _Config: type

    @classmethod
    def _call(cls, name: str, *arguments: Any) -> None:
        getattr(library, f"moep_{cls._kind}_{name}")(*arguments)

    def _own(self, handle: ctypes.c_void_p) -> None:
        self._handle = handle
        info = self.info
        self.layers, self.experts = info.layers, info.experts
        self._finalizer = weakref.finalize(self, _destroy, getattr(library, f"moep_{self._kind}_destroy"), handle,
                                           os.getpid())
        self._finalizer.atexit = False

    @classmethod
    def _of(cls: type[Self], handle: ctypes.c_void_p, threads: int) -> Self:
        made = cls.__new__(cls)
        made._threads = threads
        made._own(handle)
        return made

    # ---- counts in ----

    def push(self, counts: Any, step: Optional[int] = None) -> None:
        """Record training steps.

        Parameters
        ----------
        counts : ndarray or CPU tensor, (layers, experts) or (steps, layers, experts)
            Tokens asked of each expert, summed over all ranks. int32, int64, uint32, uint64, float32 or float64; not
            copied where it is contiguous. A parameter, a tensor with a gradient, and a class of one's own are taken too.
        step : int, optional
            The run's own number of the first step. Numbers skipped since the first one pushed are counted as gaps; a
            number seen before is a ValueError. Without it steps are numbered on.
        """
        self._push(as_array(counts), step)

    def _push(self, counts: Any, step: Optional[int]) -> int:
        """Of an array; the number of steps."""
        steps = steps_of(counts, self.layers, self.experts)
        address, dtype = address_and_dtype(counts)
        if step is None:
            self._call("push", self._open(), steps, address, dtype)
        else:
            self._call("push_at", self._open(), whole("step", step), steps, address, dtype)
        return steps

    # ---- about it ----

    @property
    def info(self) -> Info:
        """method, layers, experts, history, steps, next_step, min_steps, fitted_step (None: never), empty_layers, gaps."""
        info = _structs.Info()
        self._call("info", self._open(), info)
        return Info(**readable(info))

    @property
    def config(self) -> Any:
        """The configuration, all defaults resolved."""
        config = self._config_struct()
        self._call("config_read", self._open(), config)
        return self._Config(**readable(config))

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._finalizer.alive:
            return f"<moepredict.{name}, closed>"
        info = self.info
        method = f"{info.method}, " if info.method else ""
        return f"<moepredict.{name} {method}{info.layers} x {info.experts}, {info.steps} steps>"

    # ---- copies and checkpoints ----

    def clone(self: Self) -> Self:
        """An independent copy, with all that the original holds."""
        handle = ctypes.c_void_p()
        self._call("clone", self._open(), None, handle)
        return self._of(handle, self._threads)

    def _saved(self) -> np.ndarray:
        size = ctypes.c_size_t()
        self._call("save", self._open(), None, 0, size)
        state = np.empty(size.value, np.uint8)
        self._call("save", self._open(), state.ctypes.data, state.size, size)
        return state

    def save(self) -> bytes:
        """The whole state, for a training checkpoint. What is loaded from it goes on with the same bytes."""
        return self._saved().tobytes()

    @classmethod
    def load(cls: type[Self], state: Any, *, threads: int = 0) -> Self:
        """One from what save has returned: bytes or any other buffer, a uint8 array or tensor. It is not trusted."""
        handle = ctypes.c_void_p()
        state = as_bytes(state)
        cls._call("load", state.ctypes.data, state.size, make_runtime(threads), handle)
        return cls._of(handle, threads)

    def state_dict(self) -> Dict[str, Any]:
        """The whole state as torch's checkpoints take it, ``{"state": uint8 tensor}``: ``torch.load(weights_only=True)``
        reads it back, and its size never changes, so that torch.distributed.checkpoint may load it in place. Without torch
        imported it is an ndarray."""
        return as_dict(self._saved())

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Go on from a state_dict() of a handle of the same shape and method; its configuration comes with it, as an
        optimizer's does. An error leaves everything as it was."""
        loaded = self.load(of_dict(state_dict), threads=self._threads)
        for name, own in self._identity().items():
            other = loaded._identity()[name]
            if other != own:
                raise ValueError(f"the state's {name} is {other!r}, the {self._kind}'s {own!r}: "
                                 f"{type(self).__name__}.load makes one that fits")
        destroy = self._finalizer
        del self._finalizer
        loaded._finalizer.detach()
        self._own(loaded._handle)
        destroy()

    def _identity(self) -> Dict[str, Any]:
        info = self.info
        return {"method": info.method, "shape": (info.layers, info.experts)}

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self).load, (self.save(),)

    def __copy__(self: Self) -> Self:
        return self.clone()

    def __deepcopy__(self: Self, memo: dict) -> Self:
        return self.clone()

    # ---- its end ----

    def close(self) -> None:
        """Free it. Again is fine; any other call after it is a ValueError."""
        self._finalizer()

    def _open(self) -> ctypes.c_void_p:
        finalizer = getattr(self, "_finalizer", None)
        if finalizer is not None and not finalizer.alive:
            raise ValueError(f"the {self._kind} is closed")
        return self._handle

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_exception: Any) -> None:
        self.close()
