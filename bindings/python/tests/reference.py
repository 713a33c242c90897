# SPDX-License-Identifier: BSD-3-Clause
"""References for the tests, in NumPy: the paper's sliding average and the detector's rule. Also a stand-in for a
tensor."""
import pathlib
from types import SimpleNamespace

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]


def shares(counts):
    """Load proportions of counts in which no layer is ever empty."""
    return counts / counts.sum(axis=-1, keepdims=True, dtype=float)


def sw_avg(counts, window, horizon, stride):
    """The mean of the last `window` shares is the forecast of the next step; it is appended, and the window slides."""
    series = list(shares(counts).astype(np.float32).astype(float))  # a history holds floats
    window = min(window, len(series))
    for _ in range(horizon):
        series.append(np.mean(series[-window:], axis=0))
    steps = np.array(series[-horizon:])
    rows = np.array([steps[first:first + stride].mean(axis=0) for first in range(0, horizon, stride)])
    return rows / rows.sum(axis=-1, keepdims=True)


class Tensor:
    """The part of torch.Tensor that counts need. It has a gradient, as the strictest tensors have."""

    def __init__(self, array, device="cpu", detached=False):
        self.array, self.detached = array, detached
        self.device, self.dtype = SimpleNamespace(type=device), f"torch.{np.asarray(array).dtype}"

    def detach(self):
        return Tensor(self.array, self.device.type, detached=True)

    def cpu(self):
        return Tensor(self.array, detached=self.detached)

    def float(self):
        return Tensor(self.array.astype(np.float32), self.device.type, self.detached)

    def numpy(self):
        if self.device.type != "cpu":
            raise TypeError("can't convert a device's tensor to numpy")
        if not self.detached:
            raise RuntimeError("can't call numpy() on a tensor that requires grad")
        return self.array


Tensor.__module__ = "torch"


def detect(shares, horizon=1000, tolerance=0.1, expert_tolerance=0.2, growth=0.3, drift_window=100, block=20,
           dwell=100):
    """The detector's rule, written out block by block in plain NumPy: states after each block, (blocks, layers) and
    (blocks, layers, experts), and the smoothed squared drift of the layers."""
    layers, experts = shares.shape[1:]
    means = shares[:len(shares) // block * block].reshape(-1, block, layers, experts).mean(1)
    m, dwell = drift_window // block, -(-dwell // block)

    def growth_factor(exponent):
        return float(np.float32(((drift_window + horizon) / (2 * drift_window)) ** (2 * exponent)))

    factors = {"drift": growth_factor(growth), "trend": min(growth_factor(min(2 * growth, 1)),
                                                            4 * growth_factor(growth))}
    differences, drifts, errors, certain, certain_of_experts = {}, {}, {}, {}, {}
    for end in range(2 * m, len(means) + 1):
        differences[end] = means[end - m:end].mean(0) - means[end - 2 * m:end - m].mean(0)
        noise = (np.diff(means[end - 2 * m:end], axis=0) ** 2).sum(0) / (2 * m - 1) / m
        squares = {"drift": differences[end] ** 2 - noise}
        if end >= 3 * m:
            squares["trend"] = differences[end] * differences[end - m] + noise / 2
        drifts[end] = factors["drift"] * experts**2 * squares["drift"]
        errors[end] = factors["drift"] * experts**2 * np.sqrt(2) * noise
        for kind, square in squares.items():
            certain[kind, end] = factors[kind] * experts * (square.sum(1) - 3 * np.sqrt((2 * noise**2).sum(1)))
            distance = np.sqrt(np.maximum(square + noise, 0)) - 3 * np.sqrt(noise)
            certain_of_experts[kind, end] = factors[kind] * experts**2 * np.maximum(distance, 0) ** 2
    results = []
    for tolerance2, drift_of, error_of, certain_of in (
            (tolerance**2, lambda end: drifts[end].mean(1), lambda end: np.sqrt((errors[end]**2).sum(1)) / experts,
             certain),
            (expert_tolerance**2, drifts.__getitem__, errors.__getitem__, certain_of_experts)):
        state = np.zeros(layers if certain_of is certain else (layers, experts), int)
        blocks_within, entered, smoothed, states, smooth = 0 * state, 0 * state, None, [], []
        for end in range(1, len(means) + 1):
            if end >= 2 * m:
                drift = drift_of(end)
                smoothed = drift if smoothed is None else (smoothed + drift) / 2
                exceeds_limit = certain_of["drift", end] > 1.3**2 * tolerance2
                trend_exceeds = certain_of["trend", end] > 1.3**2 * tolerance2 if end >= 3 * m else False
                leaves = exceeds_limit | (trend_exceeds & (end - entered >= 2 * m))
                within = (np.maximum(smoothed, 0) + error_of(end) <= tolerance2) & np.logical_not(trend_exceeds)
                blocks_within = np.where((state != 2) & within, blocks_within + 1, 0)
                enters = blocks_within >= dwell
                state = np.where(enters, 2, np.where((state == 2) & ~leaves, 2, 1))
                entered = np.where(enters, end, entered)
                blocks_within = np.where(enters, 0, blocks_within)
            states.append(state)
            smooth.append(smoothed)
        results += [np.array(states), smooth]
    return results[0], results[2], results[1]
