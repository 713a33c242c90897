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


# ---- the detector: every quantity in units of the mean load --------------------------------------------------------

def estimates(loads, m):
    """By the number of blocks that have ended, from 2 m on: the squared drift between the means of m blocks, the same
    of a trend (before 3 m: -inf, which exceeds nothing), the noise's variance. loads: (blocks, layers, experts)."""
    found, differences = {}, {}
    for end in range(2 * m, len(loads) + 1):
        differences[end] = loads[end - m:end].mean(0) - loads[end - 2 * m:end - m].mean(0)
        noise = (np.diff(loads[end - 2 * m:end], axis=0)**2).sum(0) / (2 * m - 1) / m
        trend = differences[end] * differences[end - m] + noise / 2 if end >= 3 * m else np.full_like(noise, -np.inf)
        found[end] = SimpleNamespace(drift=differences[end]**2 - noise, trend=trend, noise=noise)
    return found


def of_layers(square, noise):
    """A layer's squared drift, its standard error, and how large it certainly is."""
    drift, error = square.mean(1), np.sqrt((2 * noise**2).sum(1)) / noise.shape[1]
    return drift, error, drift - 3 * error


def of_experts(square, noise):
    """The same of its experts."""
    distance = np.sqrt(np.maximum(square + noise, 0)) - 3 * np.sqrt(noise)
    return square, np.sqrt(2) * noise, np.maximum(distance, 0)**2


def past_errors(periods, noise, spans, growth_to, growth):
    """For each period, and each span of periods that it completes: the squared error that the mean of the span's origin
    was to have, and the one that it had. noise: as known when a period ends."""
    errors = []
    for last, variance in enumerate(noise):
        pairs = []
        for span in spans:
            origin = last - span
            if origin >= 1:
                predicted = growth * ((periods[origin] - periods[origin - 1])**2 - variance)
                off = periods[origin + 1:last + 1].mean(0) - periods[origin]
                realised = growth / growth_to(span) * (off**2 - (1 + 1 / span) * variance / 2)
                pairs.append((predicted, realised))
        errors.append(pairs)
    return errors


NOTHING = 1, None, 0  # what is learned before an error has come


def learn(errors, tolerance2, priors):
    """After each period: the factor by which squared drifts are larger than predicted, the squared error that came
    lately, and the one that was usually predicted; None before there is any."""
    learned, predicted, realised, count = [NOTHING], 0, 0, 0
    for pairs, prior in zip(errors, priors):
        recent = learned[-1][1]
        if not pairs:
            learned.append(learned[-1])
            continue
        predicted = predicted * 0.5**(1 / 20) + sum(np.minimum(p, 8 * tolerance2) for p, _ in pairs)
        most = [np.maximum(2 * tolerance2, 3 * np.minimum(p, 8 * tolerance2)) for p, _ in pairs]
        realised = realised * 0.5**(1 / 20) + sum(np.minimum(e, limit) for (_, e), limit in zip(pairs, most))
        count = count * 0.5**(1 / 20) + len(pairs)
        latest = sum(np.minimum(e, 1.5 * tolerance2) for _, e in pairs) / len(pairs)
        factor = (np.maximum(realised, 0) + 3 * tolerance2 * prior) / (np.maximum(predicted, 0) + 3 * tolerance2)
        learned.append((np.clip(factor, 0.18, 5), latest if recent is None else (recent + latest) / 2,
                        np.maximum(predicted, 0) / count))
    return learned


def lessons(loads, found, m, horizon, growth_to, tolerances2):
    """What the past of layers and of experts teaches, by the number of periods that have ended. horizon: in periods."""
    ended = len(loads) // m
    periods = loads[:ended * m].reshape(ended, m, *loads.shape[1:]).mean(1)
    noise = [found[m * (period + 1)].noise if period > 0 else None for period in range(ended)]
    longest = min(max(int(horizon), 1), 20)
    errors = past_errors(periods, noise, sorted({min(longest, 5), longest}), growth_to, growth_to(horizon))
    layers = learn([[(p.mean(1), e.mean(1)) for p, e in pairs] for pairs in errors], tolerances2[0], [1] * ended)
    priors = [np.reshape(factor, (-1, 1)) for factor, _, _ in layers[1:]]
    return layers, learn(errors, tolerances2[1], priors)


def expect(smoothed, error, factor, recent, tolerance2):
    """The squared drift to expect, and its margin. error: the standard error of the drift."""
    if recent is None:
        return smoothed, error
    trust = 0.7 * 2 * tolerance2 / (2 * tolerance2 + error)
    return 0.75 * (trust * factor * smoothed + (1 - trust) * recent), trust * error / 2


def follow_rule(loads, found, judge, learned, growth, tolerance2, dwell, m):
    """The states after each block, and the squared drifts to expect, None in WARMUP."""
    shape = loads.shape[1:] if judge is of_experts else loads.shape[1:2]
    state, within, entered = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape, int)
    smoothed, limit, states, drifts = None, 1.3**2 * tolerance2, [state] * (2 * m - 1), [None] * (2 * m - 1)
    for end, estimate in found.items():
        factor, recent, usual = learned[end // m]
        drift, error, certain = (growth.drift * part for part in judge(estimate.drift, estimate.noise))
        smoothed = drift if smoothed is None else (smoothed + drift) / 2
        expected, margin = expect(smoothed, factor * error, factor, recent, tolerance2)
        trend = np.maximum(factor, 1) * growth.trend * judge(estimate.trend, estimate.noise)[2] > limit
        beyond = (factor * certain > limit) | (certain > np.maximum(limit, 4 * usual))
        beyond |= (recent is not None) & (expected - margin > limit)
        leaves = beyond | (trend & (end - entered >= 2 * m))
        within = np.where((state != 2) & (np.maximum(expected, 0) + margin <= tolerance2) & ~trend, within + 1, 0)
        enters = within >= dwell
        state = np.where(enters | ((state == 2) & ~leaves), 2, 1)
        entered, within = np.where(enters, end, entered), np.where(enters, 0, within)
        states.append(state)
        drifts.append(expected)
    return np.array(states), drifts


def detect(shares, horizon=1000, tolerance=0.1, expert_tolerance=0.2, growth=-1, drift_window=100, block=20, dwell=100):
    """The detector's rule, written out block by block in plain NumPy: of layers and of experts, the states after each
    block, (blocks, layers) and (blocks, layers, experts), and the squared drifts to expect, None in WARMUP."""
    steps, _, experts = shares.shape
    loads = experts * shares[:steps // block * block].reshape(-1, block, *shares.shape[1:]).mean(1)
    m, dwell, horizon = drift_window // block, -(-dwell // block), horizon / drift_window
    exponent = 0.3 if growth == -1 else growth

    def growth_to(periods, exponent=exponent):
        return float(np.float32(((1 + periods) / 2)**(2 * exponent)))

    factors = SimpleNamespace(drift=growth_to(horizon),
                              trend=min(growth_to(horizon, min(2 * exponent, 1)), 4 * growth_to(horizon)))
    tolerances2 = tolerance**2, expert_tolerance**2
    found = estimates(loads, m)
    learned = [[NOTHING] * (len(loads) // m + 1)] * 2
    if growth == -1:
        learned = lessons(loads, found, m, horizon, growth_to, tolerances2)
    return tuple(follow_rule(loads, found, judge, taught, factors, tolerance2, dwell, m)
                 for judge, taught, tolerance2 in zip((of_layers, of_experts), learned, tolerances2))
