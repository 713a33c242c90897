# SPDX-License-Identifier: BSD-3-Clause
"""Maps, loads and layouts from Python objects into the form of the library: without a copy where they have it."""
from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._counts import is_tensor, of_tensor
from ._structs import Layout
from ._values import filled

_EXPECTED = {"biuf": "numbers", "iu": "whole numbers", "biu": "indices, or a mask of bool"}


def contiguous(name: str, value: Any, kinds: str, dtype: Any) -> NDArray[Any]:
    """The value as a contiguous array of that dtype; its own is of one of the kinds."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a MaskedArray: call .filled() of it")
    array = np.asarray(of_tensor(value, f"{name}: values are") if is_tensor(value) else value)
    if array.dtype.kind not in kinds and array.size:
        raise TypeError(f"{name} has dtype {array.dtype}: expected {_EXPECTED[kinds]}")
    return np.require(array, dtype, ["C", "A"])


def _shaped(name: str, array: NDArray[Any], axes: str, shape: Tuple[int, ...]) -> NDArray[Any]:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {axes} = {shape}")
    return array


def as_loads(name: str, value: Any, layers: int, experts: int) -> NDArray[np.float64]:
    return _shaped(name, contiguous(name, value, "biuf", np.float64), "(layers, experts)", (layers, experts))


def as_map(name: str, value: Any, shape: Optional[Tuple[int, int]] = None) -> NDArray[np.int64]:
    """A map (layers, slots), by default with any numbers of them."""
    array = contiguous(name, value, "iu", np.int64)
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}: expected (layers, slots)")
    return array if shape is None else _shaped(name, array, "(layers, slots)", shape)


def as_mask(name: str, value: Any, layers: int) -> NDArray[np.uint8]:
    """uint8 (layers,): 1 for the chosen layers, which are indices or a mask."""
    chosen = contiguous(name, value, "biu", None)
    if chosen.dtype.kind == "b":
        return _shaped(name, chosen, "(layers,)", (layers,)).view(np.uint8)
    wrong = [index for index in chosen.ravel().tolist() if not 0 <= index < layers]
    if wrong:
        raise ValueError(f"{name}: no layer {wrong[0]}, there are {layers}")
    return np.isin(np.arange(layers), chosen).view(np.uint8)


def make_layout(layers: int, experts: int, slots: Any, ranks: Any, groups: Any = 0, nodes: Any = 0) -> Layout:
    return filled(Layout, layers=layers, experts=experts, slots=slots, ranks=ranks, groups=groups, nodes=nodes)
