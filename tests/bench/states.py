# SPDX-License-Identifier: BSD-3-Clause
"""The detector's states over a whole run, compared with the truth: the error that a forecast made at each block's end
would have had, without sampling noise."""
import functools
import json
import re
from typing import NamedTuple

import numpy as np

import moepredict
import rivals
from rivals import BLOCK, HORIZON, WINDOW

FIRST, NOISE, SMOOTHED = 600, 200, 20  # the first step whose states are evaluated; steps; blocks
NEGLIGIBLE = 0.005                     # a difference of drifts, in units of the mean load


class Seen(NamedTuple):
    """Results after each block: (blocks, layers) or (blocks, layers, experts); None if a detector has none of them."""
    stable: np.ndarray
    experts: np.ndarray = None
    drift: np.ndarray = None
    expert_drift: np.ndarray = None


def watch(run, **config):
    """The library's detector; its defaults, but for what is given."""
    _, layers, experts = run.counts.shape
    of_experts, expert_drift = np.empty(run.means.shape, bool), np.full(run.means.shape, np.nan)
    stable, drift = of_experts[:, :, 0].copy(), expert_drift[:, :, 0].copy()
    with moepredict.Detector(layers=layers, experts=experts, **config) as detector:
        for block in range(len(stable)):
            detector.push(run.counts[block * BLOCK:(block + 1) * BLOCK])
            stable[block] = detector.layer_states == moepredict.State.STABLE
            of_experts[block] = detector.expert_states == moepredict.State.STABLE
            if (block + 1) * BLOCK >= 2 * WINDOW:
                drift[block], expert_drift[block] = detector.layer_drift, detector.drift
    return Seen(stable, of_experts, drift, expert_drift)


OURS = "moepredict", "constant growth"
DETECTORS = {
    "moepredict": watch,
    "constant growth": functools.partial(watch, growth=rivals.GROWTH),
    "earlier rule": lambda run: Seen(rivals.local_level(run), rivals.local_level_experts(run)),
    "always stable": lambda run: Seen(rivals.always(run)),
    "fixed sd 0.10": lambda run: Seen(rivals.fixed_deviation(0.10)(run)),
    "fixed sd 0.15": lambda run: Seen(rivals.fixed_deviation(0.15)(run)),
    "F-ratio": lambda run: Seen(rivals.variance_ratio(run)),
    "Page-Hinkley": lambda run: Seen(rivals.page_hinkley(run)),
}


# ---- the truth ----

def centred_mean(values, count):
    """Over the `count` values around each, those that are there."""
    known = np.isfinite(values)
    sums = np.cumsum(np.concatenate([np.zeros_like(values[:1]), np.where(known, values, 0)]), axis=0)
    counts = np.cumsum(np.concatenate([np.zeros_like(known[:1], int), known]), axis=0)
    at = np.arange(len(values))
    first, end = np.maximum(at - count // 2, 0), np.minimum(at + count // 2, len(values))
    return np.where(known, (sums[end] - sums[first]) / np.maximum(counts[end] - counts[first], 1), np.nan)


def realised(means):
    """The squared error of the mean of the last WINDOW steps as the forecast of the mean of the next HORIZON, in units
    of the mean load, without the part that noise adds. [blocks, layers, experts], NaN where the run does not hold those
    steps. A layer's is the mean of its experts'."""
    past, future, pairs = WINDOW // BLOCK, HORIZON // BLOCK, NOISE // BLOCK - 1
    sums = np.concatenate([np.zeros_like(means[:1]), np.cumsum(means, axis=0)])
    squares = np.concatenate([np.zeros_like(means[:1]), np.cumsum(np.diff(means, axis=0)**2 / 2, axis=0)])
    end = np.arange(pairs, len(means) - future)  # the last block of the past
    noise = (squares[end] - squares[end - pairs]) / pairs * BLOCK * (1 / WINDOW + 1 / HORIZON)
    error = (sums[end + 1] - sums[end + 1 - past]) / past - (sums[end + 1 + future] - sums[end + 1]) / future
    result = np.full(means.shape, np.nan)
    result[end] = means.shape[2]**2 * (error**2 - noise)
    return centred_mean(result, SMOOTHED)


def known_shifts(description):
    """[(step, ramp)] of the shifts of the data mix that the JSON text beside a trace has; an abrupt one has ramp 0."""
    events = [(event["step"], re.fullmatch(r"mix (?:shifts abruptly|ramps over (\d+) steps)", event["kind"]))
              for event in json.loads(description)["events"]]
    return [(step, int(shift[1] or 0)) for step, shift in events if shift]


def evaluated(truth, shifts=()):
    """(blocks,): True for those that are evaluated. They begin at FIRST, and the run contains their truth. Left out are
    those from which the horizon reaches a known shift, and the shift's ramp: no past tells of it."""
    pushed = BLOCK * np.arange(1, len(truth) + 1)
    known = np.isfinite(truth).all(axis=1) & (pushed >= FIRST)
    for step, ramp in shifts:
        known &= (pushed < step - HORIZON) | (pushed > step + ramp)
    return known


# ---- figures of merit ----

def root(squares):
    """The root of the mean; NaN without values."""
    return np.sqrt(max(squares.mean(), 0)) if squares.size else np.nan


def balanced_accuracy(stable, should):
    """The mean of two hit rates: of the blocks that should be stable, and of those that should not. Where all should
    be, or none, it is the one that there is."""
    return np.mean([part.mean() for part in (stable[should], ~stable[~should]) if part.size])


def exits(stable):
    """(blocks, ...): True where it was stable a block ago and is not now."""
    left = np.zeros(stable.shape, bool)
    left[1:] = stable[:-1] & ~stable[1:]
    return left


def false_exits(stable, truth, tolerance):
    """Those after which the error stays within the tolerance for 200 steps."""
    left = exits(stable)
    for block, *series in zip(*np.nonzero(left)):
        ahead = truth[(slice(block, block + 200 // BLOCK + 1), *series)]
        left[(block, *series)] = (ahead[np.isfinite(ahead)] <= tolerance**2).all()
    return left


def state_score(stable, truth, known, tolerance):
    """A dict of figures of the states."""
    says, error = stable[known], truth[known]
    should = error <= tolerance**2
    return {"should": should.mean(), "agreement": (says == should).mean(), "balanced": balanced_accuracy(says, should),
            "false": false_exits(stable, truth, tolerance)[known].sum() * 10000 / (says.size * BLOCK),
            "off": (~should[says]).mean() if says.any() else np.nan,
            "stable": root(error[says]), "transient": root(error[~says])}


def rank_correlation(a, b):
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return np.corrcoef(*ranks)[0, 1]


def is_near(predicted, realised):
    """Within a quarter of the predicted, or nearer than any placement notices."""
    return np.abs(realised - predicted) <= np.maximum(predicted / 4, NEGLIGIBLE)


def drift_score(drift, truth, known):
    """A dict of figures of the predicted drift. Octiles are (predicted, realised), each a root mean square, from the
    least predicted to the largest."""
    predicted, error = drift[known].ravel(), truth[known].ravel()
    parts = np.array_split(np.argsort(predicted, kind="stable"), 8)
    octiles = np.array([(root(predicted[part]**2), root(error[part])) for part in parts])
    return {"octiles": octiles, "near": is_near(*octiles.T).mean(), "correlation": rank_correlation(predicted, error)}


def score(stable, drift, truth, known, tolerance):
    """A dict of figures of both, if a drift is predicted; all layers (or experts) of a run together, [blocks, layers]
    each."""
    of_drift = {} if drift is None else drift_score(drift, truth, known)
    return {**state_score(stable, truth, known, tolerance), **of_drift}
