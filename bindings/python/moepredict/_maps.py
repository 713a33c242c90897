# SPDX-License-Identifier: BSD-3-Clause
"""Maps, mean loads and layouts from Python objects into the form of the library."""
from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._counts import is_tensor, of_tensor
from ._structs import Layout
from ._values import filled


def plain(value: Any, name: str) -> NDArray[Any]:
    """An array of numbers from an array, a CPU tensor or nested sequences."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a MaskedArray: call .filled() of it")
    return np.asarray(of_tensor(value, f"{name} is") if is_tensor(value) else value)


def shaped(array: NDArray[Any], name: str, shape: Tuple[int, ...], words: str) -> NDArray[Any]:
    """The array, if it has the shape; `words` name its axes."""
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {words} = {shape}")
    return array


def as_loads(value: Any, name: str, layers: int, experts: int) -> NDArray[np.float64]:
    """Loads (layers, experts) of any real dtype."""
    loads = shaped(plain(value, name), name, (layers, experts), "(layers, experts)")
    if loads.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {loads.dtype}: expected real numbers")
    return np.ascontiguousarray(loads, np.float64)


def as_map(value: Any, name: str, layers: int, slots: Optional[int] = None) -> NDArray[np.int64]:
    """A map (layers, slots) of any integer dtype, by default with any number of slots."""
    experts = plain(value, name)
    if slots is None:
        slots = experts.shape[-1] if experts.ndim else 0
    shaped(experts, name, (layers, slots), "(layers, slots)")
    if experts.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {experts.dtype}: expected integers, the expert in each slot")
    return np.ascontiguousarray(experts, np.int64)


def as_mask(value: Any, name: str, layers: int) -> NDArray[np.uint8]:
    """uint8 (layers,): 1 for the chosen ones of the layers, which are indices or a mask."""
    chosen = plain(value, name)
    if chosen.dtype.kind == "b":
        return shaped(chosen, name, (layers,), "(layers,)").astype(np.uint8)
    if chosen.size and chosen.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {chosen.dtype}: expected indices of layers, or a mask of bool")
    wrong = [index for index in chosen.ravel().tolist() if not 0 <= index < layers]
    if wrong:
        raise ValueError(f"{name}: no layer {wrong[0]}, there are {layers}")
    mask = np.zeros(layers, np.uint8)
    mask[chosen.ravel().astype(np.intp)] = 1
    return mask


def make_layout(layers: int, experts: int, slots: Any, ranks: Any, groups: Any = 0, nodes: Any = 0) -> Layout:
    return filled(Layout, layers=layers, experts=experts, slots=slots, ranks=ranks, groups=groups, nodes=nodes)
