#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Golden maps by EPLB (https://github.com/deepseek-ai/EPLB), for tests/test_eplb.c.

    make_eplb.py CLONE > eplb.txt

CLONE is a git clone of EPLB, at the commit that eplb.txt names. A line is "made words...", "case NAME layers experts
slots groups nodes ranks ties", or an array of the case: "weights numbers...", "phy2log ...", "logcnt ...". ties is 1 if
two experts of a layer have copies of equal load; EPLB's order of these depends on how torch sorts.
"""
import pathlib
import subprocess
import sys

import numpy as np
import torch

CLONE = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(CLONE))
import eplb  # noqa: E402

random = np.random.default_rng(16)


def real(layers, experts):
    """Floats of which no two are equal."""
    return random.lognormal(0, 1, (layers, experts)).astype(np.float32)


def few(layers, experts):
    """Small integers, of which many are equal."""
    return random.integers(0, 6, (layers, experts))


def dead(layers, experts):
    """Half of the experts get nothing."""
    weights = real(layers, experts)
    for layer in weights:
        layer[random.permutation(experts)[:experts // 2]] = 0
    return weights


def one_hot(layers, experts):
    weights = np.zeros((layers, experts), np.int64)
    weights[np.arange(layers), random.integers(experts, size=layers)] = 1000
    return weights


def zeros(layers, experts):
    return np.zeros((layers, experts), np.int64)


def large(layers, experts):
    """Integers that are equal as floats, but not as integers."""
    return 2**24 + random.integers(0, 3, (layers, experts))


# name, weights, layers, experts, slots, groups, nodes, ranks
CASES = [("flat", real, 4, 24, 32, 1, 1, 8),
         ("without-copies", real, 2, 32, 32, 1, 1, 4),
         ("many-copies", real, 2, 16, 40, 1, 1, 8),
         ("one-slot-per-rank", real, 2, 12, 20, 1, 1, 20),
         ("one-rank", real, 1, 6, 9, 1, 1, 1),
         ("nodes", real, 4, 32, 48, 8, 4, 8),
         ("one-group-per-node", real, 2, 24, 32, 4, 4, 8),
         ("one-rank-per-node", real, 2, 24, 36, 6, 3, 3),
         ("groups-on-one-node", real, 2, 24, 32, 4, 1, 8),
         ("few", few, 4, 24, 32, 1, 1, 8),
         ("few-on-nodes", few, 4, 32, 48, 8, 4, 8),
         ("few-in-groups-on-one-node", few, 4, 24, 36, 4, 1, 4),
         ("dead", dead, 3, 24, 32, 1, 1, 8),
         ("dead-on-nodes", dead, 3, 24, 32, 4, 2, 8),
         ("one-hot", one_hot, 2, 24, 32, 1, 1, 8),
         ("zeros", zeros, 1, 12, 20, 1, 1, 4),
         ("large", large, 2, 24, 32, 1, 1, 8)]


def show(what, numbers):
    print(what, *(f"{number:.9g}" if isinstance(number, float) else number for number in numbers.ravel().tolist()))


def have_ties(loads):
    return int(any(len(set(layer)) < len(layer) for layer in loads.tolist()))


commit = subprocess.run(["git", "-C", str(CLONE), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
print(f"made make_eplb.py, EPLB {commit.stdout.strip()}, torch {torch.__version__}")
for name, kind, layers, experts, slots, groups, nodes, ranks in CASES:
    weights = kind(layers, experts)
    phy2log, _, logcnt = eplb.rebalance_experts(torch.from_numpy(weights), slots, groups, nodes, ranks)
    ties = have_ties(weights.astype(np.float32) / logcnt.numpy().astype(np.float32))
    print("case", name, layers, experts, slots, groups, nodes, ranks, ties)
    show("weights", weights)
    show("phy2log", phy2log)
    show("logcnt", logcnt)
