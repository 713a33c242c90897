# SPDX-License-Identifier: BSD-3-Clause
"""What the tests hold the package against: the paper's sliding average as it is told, in NumPy; a tensor."""
import pathlib
from types import SimpleNamespace

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]


def shares(counts):
    """Load proportions of counts in which no layer is ever empty."""
    return counts / counts.sum(axis=-1, keepdims=True, dtype=float)


def sw_avg(counts, window, horizon, stride):
    """The mean of the last `window` shares is the next step's; it is appended, and the window slides on."""
    series = list(shares(counts).astype(np.float32).astype(float))  # a history holds floats
    window = min(window, len(series))
    for _ in range(horizon):
        series.append(np.mean(series[-window:], axis=0))
    steps = np.array(series[-horizon:])
    rows = np.array([steps[first:first + stride].mean(axis=0) for first in range(0, horizon, stride)])
    return rows / rows.sum(axis=-1, keepdims=True)


class Tensor:
    """As much of a torch.Tensor as counts; with a gradient, as the strictest of them."""

    def __init__(self, array, device="cpu", detached=False):
        self.array, self.detached = array, detached
        self.device = SimpleNamespace(type=device)

    def detach(self):
        return Tensor(self.array, self.device.type, detached=True)

    def numpy(self):
        if not self.detached:
            raise RuntimeError("can't call numpy() on a tensor that requires grad")
        return self.array


Tensor.__module__ = "torch"
