# SPDX-License-Identifier: BSD-3-Clause
"""Counts and traces, as they come from Python, as the library takes them: without a copy where they are contiguous."""
from __future__ import annotations

import os
from typing import Any, Tuple

import numpy as np

from ._structs import Trace

# The six dtypes, by their numbers in moepredict.h.
DTYPES = {np.dtype(name): number
          for number, name in enumerate(["int32", "int64", "uint32", "uint64", "float32", "float64"])}
_EXPECTED = ", ".join(str(dtype) for dtype in DTYPES)


def is_tensor(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "torch" and hasattr(value, "numpy")


def as_array(counts: Any) -> np.ndarray:
    """A contiguous ndarray of one of the six dtypes; the caller's own memory where it is one already."""
    if is_tensor(counts):
        if counts.device.type != "cpu":
            raise ValueError(f"counts are on {counts.device}: expected a CPU tensor, call .cpu() first")
        counts = counts.detach().numpy()
    if not isinstance(counts, np.ndarray) or isinstance(counts, np.ma.MaskedArray):
        raise TypeError(f"counts must be an ndarray or a CPU tensor, not {type(counts).__name__}")
    if counts.dtype not in DTYPES or not counts.dtype.isnative:
        raise TypeError(f"counts have dtype {counts.dtype}: expected one of {_EXPECTED}")
    return counts if counts.flags.c_contiguous and counts.flags.aligned else np.array(counts, order="C")


def steps_of(counts: np.ndarray, layers: int, experts: int) -> int:
    """The steps of [layers, experts] or [steps, layers, experts]."""
    shape = counts.shape
    if shape == (layers, experts):
        return 1
    if len(shape) == 3 and shape[1:] == (layers, experts):
        return shape[0]
    raise ValueError(f"counts have shape {shape}: expected ({layers}, {experts}) or (steps, {layers}, {experts})")


def as_trace(trace: Any) -> np.ndarray:
    """A trace [steps, layers, experts]: an array, or the name of a .npy file."""
    if isinstance(trace, (str, os.PathLike)):
        name = trace
        try:
            trace = np.load(name, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise ValueError(f"{os.fspath(name)} is no .npy file of numbers: {error}") from None
    trace = np.asarray(as_array(trace))
    if trace.ndim != 3 or 0 in trace.shape:
        raise ValueError(f"the trace has shape {trace.shape}: expected (steps, layers, experts), none of them 0")
    return trace


def address_and_dtype(counts: np.ndarray) -> Tuple[int, int]:
    return counts.__array_interface__["data"][0], DTYPES[counts.dtype]


def described(trace: np.ndarray) -> Trace:
    """A trace as the library takes it; it points into the array, which must live as long."""
    steps, layers, experts = trace.shape
    address, dtype = address_and_dtype(trace)
    return Trace(counts=address, dtype=dtype, steps=steps, layers=layers, experts=experts)
