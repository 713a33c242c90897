# SPDX-License-Identifier: BSD-3-Clause
"""Shared by the tests of the detector: counts, and detectors that have seen them."""
import numpy as np

from moepredict import Detector
from reference import ROOT

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(7).poisson(500, (330, LAYERS, EXPERTS)).astype(np.int64) + 1
DATA = ROOT / "examples" / "data"
TRACE = np.load(DATA / "small16-seed1.npy", mmap_mode="r")[:3000]


def make(counts=None, **config):
    detector = Detector(layers=LAYERS, experts=EXPERTS, **config)
    if counts is not None:
        detector.push(counts)
    return detector


def follow(counts, block=20, **config):
    """Of layers and of experts: the states after every block, and the drifts, None in WARMUP."""
    layers, experts = ([], []), ([], [])
    with Detector(layers=counts.shape[1], experts=counts.shape[2], block=block, **config) as detector:
        for first in range(0, len(counts) // block * block, block):
            detector.push(counts[first:first + block])
            warm = first + block < detector.info.min_steps
            for (states, drifts), state, drift in ((layers, "layer_states", "layer_drift"),
                                                   (experts, "expert_states", "drift")):
                states.append(getattr(detector, state))
                drifts.append(None if warm else getattr(detector, drift))
    return tuple((np.array(states), drifts) for states, drifts in (layers, experts))
