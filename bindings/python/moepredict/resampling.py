# SPDX-License-Identifier: BSD-3-Clause
"""The dynamics of a recorded run at another batch size, or with more experts.

>>> smaller = moepredict.resample("run.npy", assignments=1024, thin=True)     # a part of its tokens
>>> larger = moepredict.resample("run.npy", assignments=2**19)                # its smoothed loads, sampled again
>>> wider = moepredict.resample(moepredict.join_experts("run.npy", 8), assignments=2**19)
"""
from __future__ import annotations

from typing import Any, List, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._counts import as_trace
from ._values import positive, whole
from ._scenario import NOISE, stream
from ._shares import proportions

BLOCK = 20                      # steps averaged before the fit: longer than the loads' fast autocorrelation
LEAST_BANDWIDTH = 2 * BLOCK     # a line needs two blocks in reach, at the run's ends too
_LARGEST_URN = 10**9 - 1        # the limit of numpy's hypergeometric


def counts_like(assignments: int, *shape: int) -> NDArray[Any]:
    """An empty array for counts: int32, or int64 where they do not fit."""
    return np.empty(shape, np.int32 if assignments < 2**31 else np.int64)


def _swap_with_last(values: NDArray[Any], columns: NDArray[Any]) -> None:
    """Swap one value of each row with the row's last, in place."""
    rows = np.arange(len(values))
    values[:, -1], values[rows, columns] = values[rows, columns], values[:, -1].copy()


def sample(rng: np.random.Generator, shares: NDArray[Any], assignments: int,
           overdispersion: float = 1.0) -> NDArray[np.int64]:
    """Multinomial counts [steps, experts] of a layer; each step's sum is `assignments`.

    With overdispersion they are Dirichlet-multinomial. Their variance is (assignments + c) / (1 + c) times that of a
    multinomial, with c the sum of the Dirichlet's parameters.
    """
    if overdispersion > 1:
        shares = rng.standard_gamma(shares * ((assignments - overdispersion) / (overdispersion - 1)))
    shares = shares / shares.sum(axis=1, keepdims=True)
    # The last expert gets what rounding leaves of the probabilities: that must be the largest, never a dead one.
    largest = shares.argmax(axis=1)
    _swap_with_last(shares, largest)
    counts = rng.multinomial(assignments, shares)
    _swap_with_last(counts, largest)
    return counts


def _thin(rng: np.random.Generator, counts: NDArray[Any], assignments: int) -> NDArray[Any]:
    """Draw `assignments` of each step's tokens without replacement, one expert after the other, all steps at once."""
    kept = np.empty(counts.shape, np.int64)
    left, wanted = counts.sum(axis=1), np.full(len(counts), assignments)
    for expert in range(counts.shape[1]):
        left = left - counts[:, expert]
        kept[:, expert] = rng.hypergeometric(counts[:, expert], left, wanted)
        wanted = wanted - kept[:, expert]
    return kept


def _tokens(counts: NDArray[Any], layer: int, assignments: int) -> NDArray[Any]:
    """A layer's counts as whole tokens, of which `assignments` can be drawn in each step."""
    with np.errstate(over="ignore"):  # an infinite total is too large in any case
        totals = counts.sum(axis=1, dtype=float)
    if counts.dtype.kind == "f" and (counts != np.floor(counts)).any():
        raise ValueError("only whole tokens can be thinned: the trace holds fractions")
    if totals.min() < assignments:
        raise ValueError(f"step {totals.argmin()}, layer {layer} has {totals.min():.0f} tokens: {assignments} cannot "
                         "be drawn from them")
    if totals.max() > _LARGEST_URN:
        raise ValueError(f"step {totals.argmax()}, layer {layer} has {totals.max():.0f} tokens: {_LARGEST_URN} are the "
                         "most that can be thinned")
    return counts.astype(np.int64)


def _layer(trace: NDArray[Any], layer: int) -> NDArray[Any]:
    counts = np.asarray(trace[:, layer])
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(f"layer {layer} of the trace has negative or infinite counts")
    return counts


def _fit_weights(points: NDArray[Any], centres: NDArray[Any], sizes: NDArray[Any],
                 bandwidth: float) -> Tuple[NDArray[Any], NDArray[Any]]:
    """The blocks in reach of every point, and their weights in the line fitted there by tricube-weighted least squares.

    With w the tricube weights times block sizes, d the distances and S_k = sum w d^k, the line's value at the point has
    the weights w (S_2 - S_1 d) / (S_0 S_2 - S_1^2).
    """
    reach = min(int(bandwidth / BLOCK) + 2, len(centres) - 1)
    near = np.minimum(np.searchsorted(centres, points), len(centres) - 1)[:, None] + np.arange(-reach, reach + 1)
    blocks = np.clip(near, 0, len(centres) - 1)
    distance = (centres[blocks] - points[:, None]) / bandwidth
    weights = np.where(near == blocks, sizes[blocks] * np.maximum(1 - np.abs(distance)**3, 0)**3, 0)
    total, first, second = ((weights * distance**power).sum(axis=1, keepdims=True) for power in range(3))
    if len(centres) == 1:
        return blocks, weights / total
    return blocks, weights * (second - first * distance) / (total * second - first**2)


def smooth(shares: Any, bandwidth: float = 100) -> NDArray[np.float64]:
    """Remove most sampling noise from load proportions, by a local linear fit to the means of 20-step blocks.

    Parameters
    ----------
    shares : array, (steps, ..., experts)
        Load proportions, finite.
    bandwidth : float, default 100
        Steps on either side that a fit uses, with tricube weights, 40 or more. At the ends of the run there is one
        side.

    Returns
    -------
    ndarray of float64, like `shares`
        At least 0.02 / experts each; they sum to 1. A run of at most 20 steps becomes its mean.

    Raises
    ------
    ValueError
        Another shape, a number that is not finite, or a bad bandwidth.
    """
    shares = np.asarray(shares, float)
    if shares.ndim < 2 or 0 in shares.shape or not np.isfinite(shares).all():
        raise ValueError(f"shares {shares.shape}: expected finite ones of (steps, ..., experts), none of them 0")
    if not LEAST_BANDWIDTH <= bandwidth < np.inf:
        raise ValueError(f"bandwidth = {bandwidth}: must be {LEAST_BANDWIDTH} or more")
    steps, experts = len(shares), shares.shape[-1]
    bandwidth = min(bandwidth, 1e6 * steps)  # above that all weights are the same, to the last digit
    series = shares.reshape(steps, -1)
    starts = np.arange(0, steps, BLOCK)
    sizes = np.diff(np.append(starts, steps))
    means = np.add.reduceat(series, starts, axis=0) / sizes[:, None]
    centres = starts + (sizes - 1) / 2
    points = np.unique(np.concatenate([[0], centres, [steps - 1]]))
    blocks, weights = _fit_weights(points, centres, sizes, bandwidth)
    fitted = np.zeros((len(points), series.shape[1]))
    for nth in range(blocks.shape[1]):
        fitted += weights[:, nth, None] * means[blocks[:, nth]]

    time = np.arange(steps)
    before = np.clip(np.searchsorted(points, time, side="right") - 1, 0, max(len(points) - 2, 0))
    after = np.minimum(before + 1, len(points) - 1)
    part = (time - points[before]) / np.where(after > before, points[after] - points[before], 1)
    result: NDArray[np.float64] = fitted[before] * (1 - part)[:, None] + fitted[after] * part[:, None]
    result = result.reshape(shares.shape)
    np.maximum(result, 0.02 / experts, out=result)
    result /= result.sum(axis=-1, keepdims=True)
    return result


def resample(trace: Any, assignments: int, *, bandwidth: float = 100, seed: int = 0,
             thin: bool = False) -> NDArray[Any]:
    """Turn a recorded run into the same run with another number of tokens.

    Parameters
    ----------
    trace : ndarray, CPU tensor or file name, (steps, layers, experts)
        Token counts, or load proportions; the file is a ``.npy``.
    assignments : int
        Tokens of every layer and step, 1 to 2^53.
    bandwidth : float, default 100
        As for `smooth`, whose result is sampled; not used with `thin`. Noise that smoothing leaves becomes drift, and
        fluctuation that it removes is lost: 100 keeps more of both, 2000 less.
    seed : int, default 0
        The same seed gives the same counts, with the same NumPy on the same type of CPU.
    thin : bool, default False
        Draw from the recorded tokens without replacement instead: nothing is smoothed, and the run's own noise stays.
        Every layer and step must have that many tokens.

    Returns
    -------
    ndarray of int32, or int64 where they do not fit, (steps, layers, experts)

    Raises
    ------
    ValueError, TypeError
        A bad trace or argument, or too few tokens to thin.
    """
    trace = as_trace(trace)
    assignments, seed = whole("assignments", assignments, 1, 2**53), whole("seed", seed)
    counts = counts_like(assignments, *trace.shape)
    for layer in range(trace.shape[1]):
        rng, recorded = stream(seed, NOISE, layer), _layer(trace, layer)
        if thin:
            counts[:, layer] = _thin(rng, _tokens(recorded, layer, assignments), assignments)
        else:
            counts[:, layer] = sample(rng, smooth(proportions(recorded), bandwidth), assignments)
    return counts


def join_experts(traces: Any, groups: Union[int, Sequence[Sequence[int]]]) -> NDArray[np.float64]:
    """Join the experts of several layers into one layer. Each recorded layer is an equal part of the new one.

    Parameters
    ----------
    traces : a trace, or a list of traces
        Each as for `resample`, all with the same number of experts. The layers of several traces are numbered one after
        the other; the shortest one has the number of steps.
    groups : int or sequence of sequences of int
        The number of neighbouring layers that make one, where layers left over at the end are not used. Or a list of
        the layers of each, all of the same length.

    Returns
    -------
    ndarray of float64, (steps, groups, joined experts)
        Load proportions, from which `resample` makes counts.

    Raises
    ------
    ValueError, TypeError
        A bad trace, or groups that do not fit.
    """
    recorded = [as_trace(trace) for trace in (traces if isinstance(traces, (list, tuple)) else [traces])]
    if len({trace.shape[2] for trace in recorded}) != 1:
        raise ValueError("the traces to be joined must have the same number of experts")
    steps = min(map(len, recorded))
    layers = [(trace, layer) for trace in recorded for layer in range(trace.shape[1])]
    if not isinstance(groups, (list, tuple, np.ndarray)):
        size = positive("groups", groups)
        chosen: List[List[int]] = [list(range(first, first + size))
                                   for first in range(0, len(layers) - size + 1, size)]
        if not chosen:
            raise ValueError(f"groups = {size}: there are {len(layers)} layers")
    else:
        chosen = [[whole("groups: layer", layer, 0, len(layers) - 1) for layer in group] for group in groups]
        if len({len(group) for group in chosen}) != 1 or not chosen[0]:
            raise ValueError("groups: expected one or more, of the same number of layers, at least one")
    joined = [np.concatenate([proportions(_layer(trace[:steps], layer))
                              for trace, layer in (layers[number] for number in group)], axis=1) for group in chosen]
    shares: NDArray[np.float64] = np.stack(joined, axis=1) / len(chosen[0])
    return shares
