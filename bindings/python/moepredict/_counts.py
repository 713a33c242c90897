# SPDX-License-Identifier: BSD-3-Clause
"""Counts and traces from Python objects into the form of the library: without a copy where they are contiguous."""
from __future__ import annotations

import os
from typing import Any, Tuple

import numpy as np
from numpy.typing import NDArray

from ._structs import Trace
from ._npy import mapped, named

# The six dtypes, by their numbers in moepredict.h.
DTYPES = {np.dtype(name): number
          for number, name in enumerate(["int32", "int64", "uint32", "uint64", "float32", "float64"])}
_NAMES = [str(dtype) for dtype in DTYPES]
_EXPECTED = ", ".join(_NAMES)

# Dtypes whose counts are wrong already: converting them does not help.
_ADVICE = {"bool": "a mask is no count, sum it over the tokens",
           "float16": "it rounds whole numbers above 2,048, count in int64 or float32",
           "bfloat16": "it rounds whole numbers above 256, count in int64 or float32"}


def _wrong_dtype(shown: str, name: str, conversion: str) -> TypeError:
    """`conversion` is a call with {} for the dtype."""
    wide = "int64" if name.startswith(("int", "uint")) else "float64" if name.startswith("float") else ""
    advice = _ADVICE.get(name) or (wide and "call " + conversion.format(wide))
    return TypeError(f"counts have dtype {shown}: expected one of {_EXPECTED}" + (f"; {advice}" if advice else ""))


def is_tensor(value: Any) -> bool:
    """True for a torch.Tensor, and an object of any class derived from it. torch is not imported."""
    return any(base.__module__.split(".")[0] == "torch" and base.__name__ == "Tensor" for base in type(value).__mro__)


def of_tensor(tensor: Any, what: str = "counts are") -> NDArray[Any]:
    """An array on the tensor's own memory."""
    if tensor.device.type != "cpu":
        advice = "it holds no numbers" if tensor.device.type == "meta" else "call .cpu() first"
        raise ValueError(f"{what} on {tensor.device}: expected a CPU tensor, {advice}")
    try:
        array: NDArray[Any] = tensor.detach().numpy()
        return array
    except (TypeError, RuntimeError, NotImplementedError) as error:
        raise TypeError(f"{what} a {type(tensor).__name__} that is no plain tensor: call .to_dense() or .full_tensor() "
                        f"of it, or what makes it one ({error})") from None


def as_array(counts: Any) -> NDArray[Any]:
    """A contiguous ndarray of one of the six dtypes; the caller's own memory where it is one already."""
    if not isinstance(counts, np.ndarray) and is_tensor(counts):
        name = str(counts.dtype).replace("torch.", "")
        if name not in _NAMES:  # NumPy may not know it either, as bfloat16
            raise _wrong_dtype(name, name, ".to(torch.{})")
        counts = of_tensor(counts)
    if isinstance(counts, np.ma.MaskedArray):
        raise TypeError("counts must be an ndarray or a CPU tensor, not a MaskedArray: call .filled(0) of it")
    if not isinstance(counts, np.ndarray):
        raise TypeError(f"counts must be an ndarray or a CPU tensor, not {type(counts).__name__}: np.asarray makes one")
    counts = np.asarray(counts)  # a plain array from a subclass, as np.matrix
    if counts.dtype not in DTYPES or not counts.dtype.isnative:
        raise _wrong_dtype(str(counts.dtype), counts.dtype.name, ".astype(np.{})")
    return counts if counts.flags.c_contiguous and counts.flags.aligned else np.array(counts, order="C")


def steps_of(counts: NDArray[Any], layers: int, experts: int) -> int:
    """The number of steps in counts (layers, experts) or (steps, layers, experts)."""
    shape = counts.shape
    if shape == (layers, experts):
        return 1
    if len(shape) == 3 and shape[1:] == (layers, experts):
        return shape[0]
    raise ValueError(f"counts have shape {shape}: expected ({layers}, {experts}) or (steps, {layers}, {experts})")


def as_trace(trace: Any) -> NDArray[Any]:
    """A trace (steps, layers, experts) from an array, a tensor, or the name of a .npy file."""
    if isinstance(trace, (str, os.PathLike)):
        with named(trace):
            return as_trace(mapped(trace))
    counts = as_array(trace)
    if counts.ndim != 3 or 0 in counts.shape:
        raise ValueError(f"the trace has shape {counts.shape}: expected (steps, layers, experts), none of them 0")
    return counts


def address_and_dtype(counts: NDArray[Any]) -> Tuple[int, int]:
    return counts.__array_interface__["data"][0], DTYPES[counts.dtype]


def described(trace: NDArray[Any]) -> Trace:
    """A trace as a C struct, which points into the array. The array must live as long."""
    steps, layers, experts = trace.shape
    address, dtype = address_and_dtype(trace)
    return Trace(counts=address, dtype=dtype, steps=steps, layers=layers, experts=experts)
