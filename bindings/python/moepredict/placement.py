# SPDX-License-Identifier: BSD-3-Clause
"""Maps of experts onto ranks: EPLB's, and what a map says of copies, moves and loads."""
from __future__ import annotations

import math
import sys
from ctypes import byref
from typing import Any, NamedTuple, Tuple

import numpy as np
from numpy.typing import NDArray

from ._counts import DTYPES, address_and_dtype, is_tensor
from ._library import library
from ._maps import as_map, contiguous, make_layout
from ._structs import Layout
from ._values import positive, whole


class RankLoads(NamedTuple):
    """What ranks carry, as `rank_loads` returns it.

    Attributes
    ----------
    loads : ndarray of float64, (..., layers, ranks)
        The share of a layer's tokens that a rank takes.
    peak : ndarray of float64, (..., layers)
        The largest of them, in units of the mean rank load.
    """

    loads: NDArray[np.float64]
    peak: NDArray[np.float64]


# ---- arrays ----

def _weights(weight: Any) -> NDArray[Any]:
    """Weights from any device; of a dtype that the library does not read, as float32, as EPLB does of all."""
    if is_tensor(weight):
        tensor = weight.detach().cpu()
        weight = tensor.numpy() if str(tensor.dtype)[6:] in map(str, DTYPES) else tensor.float().numpy()
    array = np.asarray(weight)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"weight has dtype {array.dtype}: expected numbers")
    if array.ndim != 2:
        raise ValueError(f"weight has shape {array.shape}: expected (layers, experts)")
    dtype = array.dtype if array.dtype in DTYPES and array.dtype.isnative else np.dtype(np.float32)
    return np.require(array, dtype, ["C", "A"])


def _address(array: NDArray[Any]) -> int:
    return address_and_dtype(array)[0]


def _layout(phy2log: NDArray[np.int64], experts: int, ranks: int) -> Layout:
    layers, slots = phy2log.shape
    return make_layout(layers, experts, slots, ranks)


# ---- calls ----

def rebalance_experts(weight: Any, num_replicas: int, num_groups: int, num_nodes: int,
                      num_gpus: int) -> Tuple[Any, Any, Any]:
    """Balance experts as DeepSeek's EPLB does: the same call, the same result, hundreds of times as fast.

    Copies are given by greedy division, and packed onto GPUs by descending load. Where loads tie, the lowest index
    comes first; EPLB leaves that to its sort, so its maps may differ there. As with EPLB, a GPU may get two copies of
    one expert.

    Parameters
    ----------
    weight : tensor or array_like, (layers, experts)
        The load of each expert, finite and >= 0. Balanced as float32.
    num_replicas : int
        Slots of all GPUs together, a multiple of `num_gpus`, at least as many as experts.
    num_groups : int
        Groups of consecutive experts. All copies of a group lie on one node, if `num_nodes` divides `num_groups`;
        otherwise groups and nodes do not count.
    num_nodes : int
        Nodes of consecutive GPUs.
    num_gpus : int
        GPUs, a multiple of `num_nodes`.

    Returns
    -------
    phy2log : int64, (layers, num_replicas)
        The expert in each slot. Slot s is on GPU s // (num_replicas / num_gpus).
    log2phy : int64, (layers, experts, copies)
        The slots of each expert, ascending, then -1; copies is the largest of logcnt.
    logcnt : int64, (layers, experts)
        The number of copies of each expert.

        All three are CPU tensors if `weight` is a tensor, otherwise arrays.

    Raises
    ------
    ValueError
        A weight is negative or not finite, or numbers do not divide as they must.

    Examples
    --------
    >>> phy2log, log2phy, logcnt = moepredict.rebalance_experts([[90, 40, 30, 20]], 6, 1, 1, 2)
    >>> logcnt
    array([[3, 1, 1, 1]])
    """
    array = _weights(weight)
    layers, experts = array.shape
    grouped = positive("num_groups", num_groups) % positive("num_nodes", num_nodes) == 0
    layout = make_layout(layers, experts, num_replicas, positive("num_gpus", num_gpus), num_groups if grouped else 1,
                         num_nodes if grouped else 1)
    address, dtype = address_and_dtype(array)
    phy2log, logcnt = np.empty((layers, num_replicas), np.int64), np.empty(array.shape, np.int64)
    library.moep_rebalance(byref(layout), address, dtype, _address(phy2log), None, 0, _address(logcnt))
    log2phy, _ = map_invert(phy2log, experts)
    torch: Any = sys.modules.get("torch") if is_tensor(weight) else None
    if not hasattr(torch, "from_numpy"):
        return phy2log, log2phy, logcnt
    return torch.from_numpy(phy2log), torch.from_numpy(log2phy), torch.from_numpy(logcnt)


def map_invert(phy2log: Any, experts: int) -> Tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the slots of each expert in a map.

    Parameters
    ----------
    phy2log : array_like or CPU tensor of integers, (layers, slots)
        The expert in each slot; -1 is an empty slot.
    experts : int
        Experts of each layer, of which some may have no slot.

    Returns
    -------
    log2phy : ndarray of int64, (layers, experts, copies)
        The slots of each expert, ascending, then -1; copies is the largest of logcnt.
    logcnt : ndarray of int64, (layers, experts)
        The number of copies of each expert.

    Raises
    ------
    ValueError
        A slot has another number than -1 or that of an expert, or there are fewer slots than experts.

    Examples
    --------
    >>> log2phy, logcnt = moepredict.map_invert([[0, 1, 2, 0]], 3)
    >>> log2phy
    array([[[ 0,  3],
            [ 1, -1],
            [ 2, -1]]])
    """
    slots = as_map("phy2log", phy2log)
    experts = whole("experts", experts, 1, slots.shape[1])
    layout = _layout(slots, experts, slots.shape[1])  # on which ranks they are does not matter
    logcnt = np.empty((len(slots), experts), np.int64)
    library.moep_map_invert(byref(layout), _address(slots), None, 0, _address(logcnt))
    log2phy = np.empty((len(slots), experts, logcnt.max()), np.int64)
    library.moep_map_invert(byref(layout), _address(slots), _address(log2phy), log2phy.shape[2], None)
    return log2phy, logcnt


def map_moves(from_map: Any, to_map: Any, ranks: int) -> NDArray[np.uint64]:
    """Count the slots that must be sent from rank to rank to go from a map to another.

    Such a slot receives an expert of which its rank has no copy yet, or too few. Changing places on one rank is no
    move.

    Parameters
    ----------
    from_map : array_like or CPU tensor of integers, (layers, slots)
        The expert in each slot now; -1 is an empty slot.
    to_map : array_like or CPU tensor of integers, (layers, slots)
        The expert in each slot then. Every expert has a slot, and no slot is empty.
    ranks : int
        Ranks, each of slots / ranks consecutive slots.

    Returns
    -------
    ndarray of uint64, (layers,)

    Raises
    ------
    ValueError
        The maps do not fit each other or `ranks`.

    Examples
    --------
    >>> moepredict.map_moves([[0, 1, 2, 0]], [[1, 0, 2, 1]], ranks=2)
    array([1], dtype=uint64)
    """
    before, after = as_map("from_map", from_map), as_map("to_map", to_map)
    if before.shape != after.shape:
        raise ValueError(f"from_map has shape {before.shape}, to_map {after.shape}: expected the same")
    layout = _layout(after, int(after.max(initial=0)) + 1, positive("ranks", ranks))
    moved = np.empty(len(after), np.uint64)
    library.moep_map_moves(byref(layout), _address(before), _address(after), _address(moved))
    return moved


def rank_loads(phy2log: Any, shares: Any, ranks: int) -> RankLoads:
    """Compute what every rank carries under a map. Copies of an expert take equal parts of its load.

    Parameters
    ----------
    phy2log : array_like or CPU tensor of integers, (layers, slots)
        The expert in each slot; -1 is an empty slot. Every expert has a slot.
    shares : array_like or CPU tensor, (..., layers, experts)
        Loads, as of steps or forecasts, finite and >= 0. Each layer is brought to sum 1; all 0 counts as uniform.
    ranks : int
        Ranks, each of slots / ranks consecutive slots.

    Returns
    -------
    RankLoads
        loads, float64 (..., layers, ranks), and peak, float64 (..., layers).

    Raises
    ------
    ValueError
        An expert has no slot, a share is negative or not finite, or the shapes do not fit.

    Examples
    --------
    >>> moepredict.rank_loads([[0, 1, 2, 0]], [[4, 3, 1]], ranks=2).peak
    array([1.25])
    """
    slots, loads = as_map("phy2log", phy2log), contiguous("shares", shares, "biuf", np.float64)
    if loads.ndim < 2 or loads.shape[-2] != len(slots):
        raise ValueError(f"shares have shape {loads.shape}: expected (..., {len(slots)}, experts)")
    layout = _layout(slots, loads.shape[-1], whole("ranks", ranks, 1, slots.shape[1]))
    result = RankLoads(np.empty((*loads.shape[:-1], ranks)), np.empty(loads.shape[:-1]))
    library.moep_rank_loads(byref(layout), _address(slots), math.prod(loads.shape[:-2]), _address(loads),
                            _address(result.loads), _address(result.peak))
    return result
