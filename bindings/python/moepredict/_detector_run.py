# SPDX-License-Identifier: BSD-3-Clause
"""A detector over a recorded run: its states and statistics, and the drift that was realised after them."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
from numpy.typing import NDArray

from ._records import DetectorConfig
from .detector import Detector, State
from .evaluation import Backtest

MOST_POINTS = 1000
_SMOOTHED = 20  # blocks over which the realised drift is averaged


def thin(n: int) -> int:
    """Steps between the points of a line, so that it has about 1,000."""
    return max(1, n // MOST_POINTS)


class DetectorRun(NamedTuple):
    """The states and statistics of a detector over a run. A block is the detector's; a point comes after every few
    steps."""

    config: DetectorConfig
    steps: int
    ends: NDArray[Any]                  # (blocks,): steps pushed by then
    states: NDArray[Any]                # (blocks, layers): at the end of each block
    stable_experts: NDArray[Any]        # (blocks, layers): the fraction of experts that is STABLE
    drift: NDArray[Any]                 # (blocks, layers): NaN in WARMUP
    points: NDArray[Any]                # (points,): steps pushed by then
    variance: Dict[int, NDArray[Any]]   # by window (points, layers, experts)
    range: Dict[int, NDArray[Any]]
    changes: NDArray[Any]               # (layers,), at the end, as all that follows
    noise: NDArray[Any]
    dispersion: NDArray[Any]

    @property
    def knows(self) -> bool:
        """True if the run is longer than WARMUP."""
        return bool(self.states.any())


def run_detector(counts: NDArray[Any], windows: Tuple[int, ...], progress: Callable[[float], Any]) -> DetectorRun:
    """Run a detector with these windows and the defaults over a trace."""
    steps, layers, experts = counts.shape
    points = np.arange(thin(steps), steps + 1, thin(steps))
    with Detector(layers=layers, experts=experts, windows=windows) as detector:
        config, warmup = detector.config, detector.info.min_steps
        ends = np.arange(config.block, steps + 1, config.block)
        states, stable = np.zeros((len(ends), layers), np.int8), np.zeros((len(ends), layers))
        drift, unknown = np.full((len(ends), layers), np.nan), np.full(layers, np.nan)
        shape = len(points), layers, experts
        variance, ranges = ({w: np.empty(shape, np.float32) for w in windows} for _ in range(2))
        pushed = point = block = 0
        for stop in np.union1d(points, ends).tolist():
            detector.push(counts[pushed:stop])
            pushed = stop
            if point < len(points) and points[point] == stop:
                for w in windows:
                    variance[w][point], ranges[w][point] = detector.variance(w), detector.range(w)
                point += 1
            if block < len(ends) and ends[block] == stop:
                states[block] = detector.layer_states
                stable[block] = (detector.expert_states == State.STABLE).mean(1)
                if stop >= warmup:
                    drift[block] = detector.layer_drift
                block += 1
            progress(stop / steps)
        detector.push(counts[pushed:])
        known = steps >= warmup
        return DetectorRun(config, steps, ends, states, stable, drift, points, variance, ranges, detector.layer_changes,
                       detector.layer_noise if known else unknown, detector.layer_dispersion if known else unknown)


# ---- realised drift ----

def _sums(values: NDArray[Any]) -> NDArray[Any]:
    """Running sums along the first axis, from 0."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, 0, dtype=float)])


def _centred_mean(values: NDArray[Any], width: int) -> NDArray[Any]:
    """The mean over `width` rows around each, fewer at the ends."""
    sums, n = _sums(values), np.arange(len(values))
    first, end = np.maximum(n - width // 2, 0), np.minimum(n - width // 2 + width, len(values))
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)[:, None]
    return means


def realised_drift(shares: NDArray[Any], config: DetectorConfig) -> NDArray[Any]:
    """The square of what `Detector.layer_drift` predicts, (blocks, layers).

    It is the mean square over the experts of a difference: the mean of the last drift_window steps less that of the
    next horizon steps, in units of the mean load. The variance that noise adds to it is subtracted, and the result is
    smoothed over 20 blocks. NaN where the run does not hold all those steps.
    """
    block = config.block
    window, ahead = config.drift_window // block, config.horizon // block
    blocks, (layers, experts) = len(shares) // block, shares.shape[1:]
    drift = np.full((blocks, layers), np.nan)
    last = np.arange(2 * window, blocks - ahead + 1)  # blocks that have ended
    if not last.size:
        return drift
    for layer in range(layers):
        means = shares[:blocks * block, layer].reshape(blocks, block, experts).mean(1, dtype=float)
        sums, squares = _sums(means), _sums(np.diff(means, axis=0)**2)
        before, after = (sums[last] - sums[last - window]) / window, (sums[last + ahead] - sums[last]) / ahead
        noise = (squares[last - 1] - squares[last - 2 * window]) / (2 * window - 1) / 2  # variance of a block's mean
        off = (before - after)**2 - noise * (1 / window + 1 / ahead)
        drift[last - 1, layer] = experts * off.sum(1)
    drift[last - 1] = _centred_mean(drift[last - 1], _SMOOTHED)
    return drift


def _root(squares: NDArray[Any]) -> float:
    """The root of the mean, which is 0 where the correction for noise has made it negative."""
    return float(np.sqrt(max(squares.mean(), 0))) if squares.size else float("nan")


def octiles(detected: DetectorRun, realised: NDArray[Any]) -> List[Tuple[float, float]]:
    """Root mean square predicted and realised drift of each eighth of all (block, layer) pairs, by predicted drift."""
    known = np.isfinite(detected.drift) & np.isfinite(realised)
    predicted, actual = detected.drift[known]**2, realised[known]
    parts = np.array_split(np.argsort(predicted, kind="stable"), 8)
    return [(_root(predicted[part]), _root(actual[part])) for part in parts] if len(predicted) >= 8 else []


def realised_by_state(detected: DetectorRun, realised: NDArray[Any]) -> Dict[State, float]:
    """Root mean square realised drift over the (block, layer) pairs of each state; NaN for a state without any."""
    return {state: _root(realised[(detected.states == state) & np.isfinite(realised)]) for state in State}


# ---- tables ----

def _mean(values: NDArray[Any]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def errors_by_state(backtests: Dict[Tuple[str, int], Backtest], detected: DetectorRun) -> List[Dict[str, Any]]:
    """One row per method, horizon and state of the layer when the forecast was made: STABLE or not."""
    rows = []
    for (method, horizon), result in backtests.items():
        blocks_ended = result.origins // detected.config.block
        states = detected.states[np.maximum(blocks_ended, 1) - 1] * (blocks_ended > 0)[:, None]
        for name, chosen in (("STABLE", states == State.STABLE), ("TRANSIENT or WARMUP", states != State.STABLE)):
            chosen &= np.isfinite(result.error)
            rows.append({"method": method, "horizon": horizon, "state": name, "forecasts": int(chosen.sum()),
                         **{field: _mean(getattr(result, field)[chosen])
                            for field in ("error", "floor", "error_of_mean", "floor_of_mean")}})
    return rows


def layers_of(detected: DetectorRun) -> List[Dict[str, Any]]:
    """One row per layer. stable_from is the step with which it first became STABLE; None: it never did."""
    rows = []
    for layer, states in enumerate(detected.states.T):
        stable = states == State.STABLE
        rows.append({"layer": layer, "state": State(int(states[-1])).name,
                     "stable_from": int(detected.ends[stable.argmax()]) - 1 if stable.any() else None,
                     "changes": int(detected.changes[layer]), "stable": float(stable.mean()),
                     "drift": float(detected.drift[-1, layer]), "noise": float(detected.noise[layer]),
                     "dispersion": float(detected.dispersion[layer])})
    return rows
