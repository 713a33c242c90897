# SPDX-License-Identifier: BSD-3-Clause
"""The predictor."""
from __future__ import annotations

import ctypes
import operator
import os
import weakref
from collections import namedtuple
from typing import Any, Dict, Optional, Union

import numpy as np

from . import _structs
from ._counts import address_and_dtype, as_array, steps_of
from ._library import Error, library, method_names
from ._structs import PredictorConfig, Runtime

_NEVER = 2**64 - 1

Config = namedtuple("Config", PredictorConfig.names())
Info = namedtuple("Info", _structs.Info.names())


def _number(field: str, value: Union[int, float, str]) -> Union[int, float]:
    """The number of an enumerated field's name; a number is itself."""
    if not isinstance(value, str):
        return value
    names = method_names() if field == "method" else _structs.NAMES.get(field, [])
    if value not in names:
        raise ValueError(f"{field} = {value!r}: expected " + (" or ".join(map(repr, names)) if names else "a number"))
    return names.index(value)


def _readable(struct: _structs.Struct) -> Dict[str, Any]:
    values = struct.values()
    for field, names in {"method": method_names(), **_structs.NAMES}.items():
        if field in values and 0 <= values[field] < len(names):
            values[field] = names[values[field]]
    if values.get("fitted_step") == _NEVER:
        values["fitted_step"] = None
    return values


def make_runtime(threads: int = 0) -> Runtime:
    return Runtime(threads=_checked(Runtime, "threads", threads))


def _destroy(handle: ctypes.c_void_p, pid: int) -> None:
    if os.getpid() == pid:  # a forked child does not own its parent's handles
        library.moep_predictor_destroy(handle)


class Predictor:
    """Forecasts how loaded each expert of each MoE layer will be.

    Parameters
    ----------
    method : str
        The forecasting method, one of ``moepredict.methods()``.
    layers, experts : int
        The shape of the counts of one step.
    threads : int, default 0
        Threads that a call may work with; 0 and 1: the caller's alone. Results do not depend on it.
    **config
        Fields of ``moep_predictor_config``, by their names: ``sw_avg_window``, ``history``. What is not given has the
        library's default. Enumerated fields take a number or a name.

    Raises
    ------
    ValueError, TypeError
        A bad argument, in words.
    MemoryError
    moepredict.Error
        Anything else, with ``.status``.

    Notes
    -----
    Free it with ``close()`` or a ``with`` block; otherwise that happens when it is collected. Calls that change a
    predictor must not overlap other calls on it; different predictors are independent.
    """

    def __init__(self, method: str = "sw_avg", *, layers: int, experts: int, threads: int = 0, **config: Any):
        fields = PredictorConfig()
        method = _checked(PredictorConfig, "method", _number("method", method))
        library.moep_predictor_config_init(fields, method)
        for name, value in config.items():
            if name not in PredictorConfig.names() or name == "method":
                raise TypeError(f"{name!r} is no field of the configuration: there are {', '.join(Config._fields[1:])}")
            setattr(fields, name, _checked(PredictorConfig, name, _number(name, value)))
        layers, experts = _positive("layers", layers), _positive("experts", experts)
        handle = ctypes.c_void_p()
        runtime = make_runtime(threads)
        library.moep_predictor_create(layers, experts, fields, runtime, handle)
        self._own(handle)

    def _own(self, handle: ctypes.c_void_p) -> None:
        self._handle = handle
        self._last: Optional[np.ndarray] = None
        info = self.info
        self.layers, self.experts = info.layers, info.experts
        self._finalizer = weakref.finalize(self, _destroy, handle, os.getpid())
        self._finalizer.atexit = False

    @classmethod
    def _of(cls, handle: ctypes.c_void_p) -> "Predictor":
        predictor = cls.__new__(cls)
        predictor._own(handle)
        return predictor

    # ---- counts in ----

    def push(self, counts: Any, step: Optional[int] = None) -> None:
        """Record training steps.

        Parameters
        ----------
        counts : ndarray or CPU tensor, (layers, experts) or (steps, layers, experts)
            Tokens asked of each expert, summed over all ranks. int32, int64, uint32, uint64, float32 or float64; not
            copied where it is contiguous.
        step : int, optional
            The run's own number of the first step. Numbers skipped are counted as gaps; a number seen before is a
            ValueError. Without it steps are numbered on.
        """
        counts = as_array(counts)
        steps = steps_of(counts, self.layers, self.experts)
        address, dtype = address_and_dtype(counts)
        if step is None:
            library.moep_predictor_push(self._open(), steps, address, dtype)
        else:
            library.moep_predictor_push_at(self._open(), _whole("step", step), steps, address, dtype)
        if steps:
            self._keep(counts if counts.ndim == 2 else counts[-1])

    def _keep(self, last: np.ndarray) -> None:
        """The last step's counts, for metrics."""
        if self._last is None or self._last.dtype != last.dtype:
            self._last = np.empty_like(last)
        np.copyto(self._last, last)

    def reset(self) -> None:
        """Forget the history and keep what fit has learned."""
        library.moep_predictor_reset(self._open())
        self._last = None

    # ---- forecasts out ----

    def fit(self) -> None:
        """Estimate the method's model on the history held. Nothing to do for sw_avg."""
        library.moep_predictor_fit(self._open())

    def predict(self, horizon: int, stride: Optional[int] = None) -> np.ndarray:
        """Forecast the load proportions of the next steps.

        Parameters
        ----------
        horizon : int
            Steps ahead.
        stride : int, optional
            Steps averaged into one row; 1: every step by itself. None: the mean over the whole horizon, without the
            axis of rows.

        Returns
        -------
        float64 (rows, layers, experts), or (layers, experts) where stride is None; each layer of a row sums to 1.
        """
        horizon = _positive("horizon", horizon)
        row = horizon if stride is None else _positive("stride", stride)
        shares = np.empty((library.moep_forecast_rows(horizon, row), self.layers, self.experts))
        library.moep_predictor_predict(self._open(), horizon, row, shares.ctypes.data, shares.size)
        return shares[0] if stride is None else shares

    def metrics(self, horizon: int = 1000) -> Dict[str, float]:
        """Numbers for a training dashboard: a flat dict whose keys stay the same.

        ``imbalance_now_*``: the largest load of a layer over its mean load in the last step pushed (layers without a token
        left out); ``imbalance_forecast_*``: as forecast over the next `horizon` steps; each the mean, min and max over
        layers, NaN where there is no such step or forecast yet (a predictor that was loaded or cloned has no last step
        until the next push). ``steps``, ``gaps``, ``empty_layers``: totals so far, as in ``info``.
        """
        info = self.info
        loads = {"now": None if self._last is None else self._last.astype(float)}
        try:
            loads["forecast"] = self.predict(_positive("horizon", horizon))
        except Error:  # too early, or not fitted
            loads["forecast"] = None
        result = {}
        for name, load in loads.items():
            load = np.empty((0, self.experts)) if load is None else load[load.sum(1) > 0]
            of_layers = load.max(1) / load.mean(1) if len(load) else np.array([np.nan])
            for kind in ("mean", "min", "max"):
                result[f"imbalance_{name}_{kind}"] = float(getattr(of_layers, kind)())
        result.update(steps=float(info.steps), gaps=float(info.gaps), empty_layers=float(info.empty_layers))
        return result

    # ---- about it ----

    @property
    def info(self) -> Info:
        """method, layers, experts, history, steps, next_step, min_steps, fitted_step (None: never), empty_layers, gaps."""
        info = _structs.Info()
        library.moep_predictor_info(self._open(), info)
        return Info(**_readable(info))

    @property
    def config(self) -> Config:
        """The configuration, all defaults resolved."""
        config = PredictorConfig()
        library.moep_predictor_config_read(self._open(), config)
        return Config(**_readable(config))

    def __repr__(self) -> str:
        if not self._finalizer.alive:
            return "<moepredict.Predictor, closed>"
        info = self.info
        return f"<moepredict.Predictor {info.method}, {info.layers} x {info.experts}, {info.steps} steps>"

    # ---- copies and checkpoints ----

    def clone(self) -> "Predictor":
        """An independent copy: history, model and counters."""
        handle = ctypes.c_void_p()
        library.moep_predictor_clone(self._open(), None, handle)
        return self._of(handle)

    def save(self) -> bytes:
        """The whole state, for a training checkpoint. What is loaded from it goes on with the same bytes."""
        size = ctypes.c_size_t()
        library.moep_predictor_save(self._open(), None, 0, size)
        buffer = ctypes.create_string_buffer(size.value)
        library.moep_predictor_save(self._open(), buffer, size.value, size)
        return buffer.raw[:size.value]

    @classmethod
    def load(cls, state: bytes, *, threads: int = 0) -> "Predictor":
        """A predictor from what save has returned. The bytes are not trusted."""
        handle = ctypes.c_void_p()
        state = bytes(memoryview(state))
        library.moep_predictor_load(state, len(state), make_runtime(threads), handle)
        return cls._of(handle)

    def __reduce__(self):
        return type(self).load, (self.save(),)

    def __copy__(self) -> "Predictor":
        return self.clone()

    def __deepcopy__(self, memo: dict) -> "Predictor":
        return self.clone()

    # ---- its end ----

    def close(self) -> None:
        """Free it. Again is fine; any other call after it is a ValueError."""
        self._finalizer()

    def _open(self) -> ctypes.c_void_p:
        finalizer = getattr(self, "_finalizer", None)
        if finalizer is not None and not finalizer.alive:
            raise ValueError("the predictor is closed")
        return self._handle

    def __enter__(self) -> "Predictor":
        return self

    def __exit__(self, *_exception: Any) -> None:
        self.close()


def _whole(name: str, value: Any, least: int = 0, most: int = 2**64 - 1) -> int:
    """ctypes would cut a number that does not fit."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} = {value!r}: expected a whole number")
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{name} = {number}: must be {least} or more")
    if number > most:
        raise ValueError(f"{name} = {number}: must be {most} or less")
    return number


def _positive(name: str, value: Any) -> int:
    return _whole(name, value, 1)


def _checked(struct: type, name: str, value: Any) -> Union[int, float]:
    """What the field can hold."""
    kind = dict(struct._fields_)[name]
    if kind is ctypes.c_double:
        return float(value)
    bits, signed = 8 * ctypes.sizeof(kind), kind(-1).value < 0
    return _whole(name, value, -2**(bits - 1) if signed else 0, 2**(bits - signed) - 1)
