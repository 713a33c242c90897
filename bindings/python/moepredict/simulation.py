# SPDX-License-Identifier: BSD-3-Clause
"""Simulated runs, whose truth is known: a detector or a forecast can be compared with it.

>>> counts, truth = moepredict.simulate(steps=5000, shifts=[(3000, 0.3)], seed=1)
>>> truth["settled"], truth["shifts"]
>>> shares = moepredict.expected_shares(truth)                # the counts are noisy samples of these
"""
from __future__ import annotations

from typing import Any, Dict, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _scenario
from ._scenario import stream
from .resampling import counts_like, sample

_CORRELATION_TIMES = np.array([[30.0], [300.0]])   # steps, of the two parts of the fluctuation
_PARTS = 0.6, 0.8                                  # their standard deviations: together 1


def _deviations(rng: np.random.Generator, experts: int) -> NDArray[Any]:
    """Random numbers with mean 0 and root mean square 1, exactly."""
    values = rng.standard_normal(experts)
    values -= values.mean()
    deviations: NDArray[np.float64] = values / np.sqrt(np.mean(values**2))
    return deviations


def _fluctuation(rng: np.random.Generator, steps: int, experts: int) -> NDArray[Any]:
    """Two stationary Ornstein-Uhlenbeck processes, a fast and a slow one, with variance 1 together."""
    keep = np.exp(-1 / _CORRELATION_TIMES)
    values = rng.standard_normal((steps, 2, experts))
    values[1:] *= np.sqrt(1 - keep**2)
    for step in range(1, steps):
        values[step] += keep * values[step - 1]
    return _PARTS[0] * values[:, 0] + _PARTS[1] * values[:, 1]


def _log_loads(truth: Dict[str, Any], layer: int) -> NDArray[Any]:
    """Logarithms of the loads before events of single experts: level, fluctuation, drift and shifts."""
    p = truth["parameters"]
    seed, steps, experts = p["seed"], p["steps"], p["experts"]
    time = np.arange(steps, dtype=float)
    logs = np.tile(p["skew"] * _deviations(stream(seed, _scenario.LEVELS, layer), experts), (steps, 1))
    fluctuation = truth["fluctuation"][layer]
    end = min(fluctuation["end"], steps)
    if fluctuation["amplitude"] > 0:
        with np.errstate(over="ignore"):  # a decay within far less than a step leaves 0
            envelope = np.exp(-time[:end] / fluctuation["decay"]) if fluctuation["decay"] else np.ones(end)
        logs[:end] += (fluctuation["amplitude"] * envelope[:, None] *
                       _fluctuation(stream(seed, _scenario.FLUCTUATION, layer), end, experts))
    if p["drift"] > 0:
        walk = stream(seed, _scenario.DRIFT, layer).standard_normal((steps, experts))
        logs += p["drift"] / np.sqrt(1000) * np.cumsum(walk, axis=0)
    for number, shift in enumerate(truth["shifts"]):
        ramp = shift["end"] - shift["first"]
        done = np.clip((time - shift["first"]) / ramp, 0, 1) if ramp else time >= shift["first"]
        logs += shift["size"] * done[:, None] * _deviations(stream(seed, _scenario.SHIFTS, layer, number), experts)
    return logs


def _rescale(loads: NDArray[Any]) -> None:
    """Scale down rows that are so large that another factor, or their sum, might overflow."""
    most = loads.max(axis=1, keepdims=True)
    np.divide(loads, most, out=loads, where=most > 1e100)


def _layer_shares(truth: Dict[str, Any], layer: int) -> NDArray[Any]:
    """The expected shares of a layer, (steps, experts)."""
    logs = _log_loads(truth, layer)
    loads = np.exp(logs - logs.max(axis=1, keepdims=True))
    time = np.arange(len(loads))

    def of_layer(name: str) -> Any:
        return (event for event in truth[name] if event["layer"] == layer)

    for event in of_layer("exchanges"):
        span, (taker, giver) = slice(event["first"], event["end"]), event["experts"]
        moved = event["size"] * loads[span, giver]
        loads[span, taker] += moved
        loads[span, giver] -= moved
    for event in of_layer("bursts"):
        loads[event["first"]:event["end"], event["expert"]] *= event["factor"]
        _rescale(loads)
    if truth["hotspot"]:
        loads[time, time // truth["hotspot"]["steps"] % loads.shape[1]] *= truth["hotspot"]["factor"]
        _rescale(loads)
    for event in of_layer("dying"):
        loads[:, event["expert"]] *= np.clip((event["end"] - time) / (event["end"] - event["first"]), 0, 1)
    shares: NDArray[np.float64] = loads / loads.sum(axis=1, keepdims=True)
    return shares


def expected_shares(truth: Dict[str, Any]) -> NDArray[np.float64]:
    """Compute the load proportions of a simulated run. Its counts are noisy samples of them.

    Parameters
    ----------
    truth : dict
        What `simulate` returns, and ``python3 -m moepredict simulate`` writes.

    Returns
    -------
    ndarray of float64, (steps, layers, experts)
    """
    return np.stack([_layer_shares(truth, layer) for layer in range(truth["parameters"]["layers"])], axis=1)


def simulate(steps: int = 10000, layers: int = 6, experts: int = 16, assignments: int = 8192, *, seed: int = 0,
             skew: float = 0.15, overdispersion: float = 1.0, fluctuation: float = 0.5,
             fluctuation_end: Union[None, int, Sequence[int]] = None,
             fluctuation_decay: Union[None, float, Sequence[float]] = None, drift: float = 0.0,
             shifts: Sequence[Tuple[int, float]] = (), shift_ramp: int = 0,
             exchanges: Union[int, Sequence[Tuple[int, int, int, int, int]]] = 0, exchange_size: float = 0.5,
             exchange_length: int = 500, bursts: Union[int, Sequence[Tuple[int, int, int, int]]] = 0,
             burst_size: float = 3.0, burst_length: int = 5, hotspot: float = 1.0, hotspot_steps: int = 100,
             dying: Sequence[Tuple[int, int, int]] = (),
             dying_length: int = 500) -> Tuple[NDArray[Any], Dict[str, Any]]:
    """Simulate a training run whose loads fluctuate at first and then settle, with events of your choice.

    Sizes are in units of the logarithm of an expert's load: 0.1 is about 10 % of it. Spans include their first step and
    exclude their end.

    Parameters
    ----------
    steps, layers, experts, assignments : int, default 10000, 6, 16, 8192
        Two or more experts. Every layer of every step has exactly `assignments` tokens.
    seed : int, default 0
        The same seed gives the same bytes, with the same NumPy on the same type of CPU. Every layer and ingredient has
        its own random numbers, so that one more of them does not change the others.
    skew : float, default 0.15
        Standard deviation of the experts' settled loads.
    overdispersion : float, default 1
        Variance of the counts over that of a multinomial, 1 to assignments / experts; steps of real runs have 2 to 4.
    fluctuation : float, default 0.5
        Standard deviation, at step 0, of a fluctuation with correlation times of 30 and 300 steps; 0: none.
    fluctuation_end : int, or one for each layer, optional
        The step from which it is zero. Default None: 40 % of the run in the first layer, less in each, 6 % in the last.
    fluctuation_decay : float, or one for each layer, optional
        Steps in which it falls to 1 / e; 0: it keeps its size until its end. Default None: a third of its end.
    drift : float, default 0
        Root mean square per 1,000 steps of a random walk that does not end.
    shifts : sequence of (step, size), default none
        The data mix changes: the loads of all layers jump by `size` root mean square.
    shift_ramp : int, default 0
        Steps over which a shift grows, linearly; 0: a jump.
    exchanges : int or sequence of (layer, expert, other expert, first, end), default 0
        During the span the part `exchange_size` (default 0.5) of the other expert's load goes to the expert. A number:
        that many random ones of `exchange_length` (default 500) steps.
    bursts : int or sequence of (layer, expert, first, end), default 0
        During the span the load is multiplied by `burst_size` (default 3). A number: that many random ones of
        `burst_length` (default 5) steps.
    hotspot : float, default 1
        In every layer the load of expert (step // hotspot_steps) % experts is multiplied by this; 1: none. The default
        of `hotspot_steps` is 100.
    dying : sequence of (layer, expert, step), default none
        From that step on the load falls linearly, to zero after `dying_length` (default 500) steps.

    Returns
    -------
    counts : ndarray of int32, or int64 where they do not fit, (steps, layers, experts)
    truth : dict
        In types that JSON can hold: ``parameters``, the arguments of the same run; ``settled``, by layer the step from
        which the fluctuation is over, None if the run ends before; ``shifts``, ``exchanges``, ``bursts``, ``hotspot``,
        ``dying`` with their spans; the versions of NumPy and of this package.

    Raises
    ------
    ValueError, TypeError
        A bad argument.
    """
    p = _scenario.checked(dict(locals()))
    truth = _scenario.truth_of(p)
    counts = counts_like(p["assignments"], p["steps"], p["layers"], p["experts"])
    for layer in range(p["layers"]):
        rng = stream(p["seed"], _scenario.NOISE, layer)
        counts[:, layer] = sample(rng, _layer_shares(truth, layer), p["assignments"], p["overdispersion"])
    return counts, truth
