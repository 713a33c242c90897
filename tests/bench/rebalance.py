# SPDX-License-Identifier: BSD-3-Clause
"""moep_rebalance beside EPLB's eplb.py, on one thread: times, and whether the maps agree. The loads are those of the
first 1,000 steps of the recorded runs in examples/data; a layer has those of experts drawn from all runs, each once.
Exits with 1 if a target is missed.

    EPLB=/path/to/eplb.py sh tests/bench/run.sh rebalance
"""
import ctypes
import importlib.util
import os
import statistics
import sys
import time

import numpy as np

import moepredict
from moepredict import _structs
from moepredict._counts import DTYPES
from moepredict._library import library
from rebalance_loads import layers_of, recorded_loads

PASSES, PASSES_OF_EPLB, LEAST_RATIO = 21, 3, 200
# layers, experts, slots, groups, nodes, ranks, and the milliseconds that a call may take
SHAPES = [(58, 256, 288, 1, 1, 32, 4), (58, 256, 288, 8, 4, 32, 4), (60, 384, 416, 1, 1, 32, 5),
          (94, 128, 160, 1, 1, 32, 4), (58, 256, 512, 1, 1, 256, 20)]


def milliseconds(call, passes):
    times = []
    for _ in range(passes):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def c_call(weight, slots, groups, nodes, ranks):
    """The call of the library itself, with its arguments ready."""
    layers, experts = weight.shape
    layout = _structs.Layout(layers=layers, experts=experts, slots=slots, ranks=ranks, groups=groups, nodes=nodes)
    phy2log, logcnt = np.empty((layers, slots), np.int64), np.empty((layers, experts), np.int64)
    addresses = [array.ctypes.data for array in (weight, phy2log, logcnt)]
    return lambda arrays=(weight, phy2log, logcnt): library.moep_rebalance(
        ctypes.byref(layout), addresses[0], DTYPES[weight.dtype], addresses[1], None, 0, addresses[2])


def eplb_of(path):
    """EPLB's function; None without a path."""
    if not path:
        print("eplb.py is not compared with. For that, install torch, and call\n"
              "git clone https://github.com/deepseek-ai/EPLB\nEPLB=EPLB/eplb.py sh tests/bench/run.sh rebalance\n")
        return None
    import torch
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("eplb", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda weight, *numbers: [each.numpy() for each in module.rebalance_experts(torch.from_numpy(weight),
                                                                                       *numbers)]


def shown(number):
    return f"{number:8.0f}" if number == number else f"{'-':>8}"


def agreement(weight, ours, theirs):
    """Numbers of layers: all, those where the numbers of copies, the loads of all slots, and the maps are equal, those
    where two experts tie."""
    (our_map, _, our_counts), (their_map, _, their_counts) = ours, theirs
    our_each, their_each = weight / our_counts.astype(np.float32), weight / their_counts.astype(np.float32)
    loads = [np.take_along_axis(each, map_, 1) for each, map_ in ((our_each, our_map), (their_each, their_map))]
    return [len(weight), *((a == b).all(1).sum() for a, b in ((our_counts, their_counts), loads, (our_map, their_map))),
            sum(len(np.unique(layer)) < len(layer) for layer in their_each)]


loads, eplb, missed, agreements = recorded_loads(), eplb_of(os.environ.get("EPLB")), False, []
print(f"libmoepredict {moepredict.__version__}, one thread, ms\n\n"
      "                                      in Python:                    the C call\n"
      "layers x experts -> slots  nodes ranks  eplb.py     ours    ratio     alone  target  reached")
for layers, experts, *numbers, target in SHAPES:
    slots, _, nodes, ranks = numbers
    weight = layers_of(loads, layers, experts)
    ours = milliseconds(lambda: moepredict.rebalance_experts(weight, *numbers), PASSES)
    alone = milliseconds(c_call(weight, *numbers), PASSES)
    theirs = milliseconds(lambda: eplb(weight, *numbers), PASSES_OF_EPLB) if eplb else float("nan")
    reached = alone <= target and not theirs / ours < LEAST_RATIO
    missed |= not reached
    print(f"{layers:6} x {experts:<7} -> {slots:<5} {nodes:6} {ranks:5} {shown(theirs)} {ours:8.2f} "
          f"{shown(theirs / ours)} {alone:9.2f} {target:7}  {'yes' if reached else 'no'}")
    if eplb:
        agreements.append(agreement(weight, moepredict.rebalance_experts(weight, *numbers), eplb(weight, *numbers)))
print(f"\nreached: the C call takes no longer than the target, and eplb.py {LEAST_RATIO} times as long as ours or more")
if agreements:
    layers, counts, slot_loads, maps, ties = np.sum(agreements, axis=0)
    wrong = counts < layers or slot_loads < layers or maps < layers - ties
    missed |= wrong
    print(f"of {layers} layers, numbers of copies are equal in {counts}, loads of all slots in {slot_loads},\n"
          f"maps in {maps}; two experts tie in {ties}. As promised: {'no' if wrong else 'yes'}")
sys.exit(bool(missed))
