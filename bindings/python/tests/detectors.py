# SPDX-License-Identifier: BSD-3-Clause
"""Shared by the tests of the detector: counts, and detectors that have seen them."""
import numpy as np

from moepredict import Detector
from reference import ROOT

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(7).poisson(500, (330, LAYERS, EXPERTS)).astype(np.int64) + 1
TRACE = np.load(ROOT / "examples" / "data" / "small16-seed1.npy", mmap_mode="r")[:3000]


def make(counts=None, **config):
    detector = Detector(layers=LAYERS, experts=EXPERTS, **config)
    if counts is not None:
        detector.push(counts)
    return detector


def follow(counts, block=20, **config):
    """After every block: the states of layers and experts, and the layers' drift, NaN in WARMUP."""
    layers, experts, drift = [], [], []
    with Detector(layers=counts.shape[1], experts=counts.shape[2], block=block, **config) as detector:
        for first in range(0, len(counts) // block * block, block):
            detector.push(counts[first:first + block])
            layers.append(detector.layer_states)
            experts.append(detector.expert_states)
            warm = first + block < detector.info.min_steps
            drift.append(np.full(counts.shape[1], np.nan) if warm else detector.layer_drift)
    return np.array(layers), np.array(experts), np.array(drift)
