# SPDX-License-Identifier: BSD-3-Clause
"""Loads of large layouts, put together from the recorded runs in examples/data."""
import pathlib

import numpy as np

DATA = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"
STEPS = 1000


def recorded_loads():
    """The loads of all experts of all runs, in units of their layer's mean load."""
    loads = []
    for path in sorted(DATA.glob("*.npy")):
        sums = np.load(path, mmap_mode="r")[:STEPS].sum(0, dtype=float)
        loads.append((sums / sums.mean(-1, keepdims=True)).ravel())
    return np.concatenate(loads)


def layers_of(loads, layers, experts):
    random = np.random.default_rng(1)
    return np.array([random.permutation(loads)[:experts] for _ in range(layers)], np.float32)
