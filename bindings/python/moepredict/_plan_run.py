# SPDX-License-Identifier: BSD-3-Clause
"""What plans would have been worth in a recorded run: several policies replayed along it, each with its own map."""
from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ._checked_trace import checked_trace
from ._library import too_few_steps
from ._shares import shares_of
from ._values import positive, whole
from .placement import map_moves, rank_loads, rebalance_experts
from .planner import Planner
from .predictor import Predictor

EPLB_WINDOW, SW_AVG_WINDOW = 1000, 200  # steps
NEVER, EPLB, SW_AVG, TRUE_MEAN = "never", "EPLB", "sw_avg, mean", "true mean"

Map = NDArray[np.int64]
Decision = Tuple[Map, Optional[NDArray[np.float64]]]  # the next map, the gains in peak that layers move for


class PlanReplay(NamedTuple):
    """A policy of placing experts, replayed along a recorded run.

    Peaks are in units of the mean rank load: 1 is perfect balance.

    Attributes
    ----------
    policy : str
        How it plans.
    step : float
        The largest rank load of single steps, mean over steps and layers.
    p95 : float
        Its 95 % quantile.
    slots_moved : float
        Slots moved per 1000 steps in a layer.
    part_moved : float
        The same as a fraction of the slots.
    net : float
        `step`, and the costs of all moves spread over steps and layers.
    predicted_gain, realised_gain : float
        By how much the layers that moved were to lower their peak, and did until the next plan: means over them. NaN
        where nothing was predicted.
    origins : ndarray of int64, (plans,)
        The steps pushed when each plan was made.
    maps : ndarray of int64, (plans, layers, slots)
        The map from each origin on.
    moves : ndarray of uint64, (plans, layers)
        Slots moved to go there.
    peak : ndarray of float64, (steps, layers)
        The largest rank load of each step from the first origin on.
    """

    policy: str
    step: float
    p95: float
    slots_moved: float
    part_moved: float
    net: float
    predicted_gain: float
    realised_gain: float
    origins: NDArray[np.int64]
    maps: NDArray[np.int64]
    moves: NDArray[np.uint64]
    peak: NDArray[np.float64]


class _Policy:
    """Its decisions along the run."""

    def __init__(self, every: int, decide: Callable[[int, Map], Decision], start: Map) -> None:
        self.every, self.decide, self.start = every, decide, start
        self.origins: List[int] = []
        self.maps: List[Map] = []
        self.gains: List[Optional[NDArray[np.float64]]] = []

    def go_on(self, step: int) -> None:
        chosen, gains = self.decide(step, self.maps[-1] if self.maps else self.start)
        self.origins.append(step)
        self.maps.append(chosen)
        self.gains.append(gains)


def default_slots(experts: int, ranks: int) -> int:
    """A quarter more than experts, as a multiple of the ranks, and no more on a rank than there are experts."""
    return min(-(-5 * experts // (4 * ranks)), experts) * ranks


def _mean(shares: NDArray[Any]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = shares.mean(0, dtype=float)
    return mean


def _eplb(shares: NDArray[Any], slots: int, ranks: int) -> Callable[[int, Map], Decision]:
    def decide(step: int, current: Map) -> Decision:
        weights = shares[max(0, step - EPLB_WINDOW):step].sum(0, dtype=float)
        return rebalance_experts(weights, slots, 1, 1, ranks)[0], None

    return decide


def _planned(planner: Planner, forecast: Callable[[int], NDArray[np.float64]],
             **options: Any) -> Callable[[int, Map], Decision]:
    def decide(step: int, current: Map) -> Decision:
        plan = planner.plan(forecast=forecast(step), current=current, **options)
        return plan.map, np.where(plan.advice, plan.stay - plan.go, np.nan)

    return decide


def _peaks(shares: NDArray[Any], of: Map, ranks: int) -> NDArray[np.float64]:
    """(steps, layers)"""
    return rank_loads(of, shares, ranks)[1]


def _ends(policy: _Policy, steps: int) -> List[int]:
    """The steps with which the maps' times end."""
    return [*policy.origins[1:], steps]


def _gains(policy: _Policy, shares: NDArray[Any], peak: NDArray[Any], ranks: int) -> Tuple[float, float]:
    """By how much the layers that moved were to lower their peak, and did: means over them."""
    first, before = policy.origins[0], [policy.start, *policy.maps]
    predicted, realised = [np.empty(0)], [np.empty(0)]
    for origin, end, old, gains in zip(policy.origins, _ends(policy, len(shares)), before, policy.gains):
        moves = np.isfinite(gains) if gains is not None else np.zeros(0, bool)
        if gains is not None and moves.any():
            old_peak = _peaks(shares[origin:end], old, ranks)
            realised.append((old_peak - peak[origin - first:end - first]).mean(0)[moves])
            predicted.append(gains[moves])
    both = np.concatenate(predicted), np.concatenate(realised)
    return (float(both[0].mean()), float(both[1].mean())) if both[0].size else (float("nan"), float("nan"))


def _replay(name: str, policy: _Policy, shares: NDArray[Any], ranks: int, costs: Sequence[float]) -> PlanReplay:
    steps, layers, slots = len(shares) - policy.origins[0], shares.shape[1], policy.start.shape[1]
    peak = np.concatenate([_peaks(shares[origin:end], of, ranks) for origin, end, of in
                           zip(policy.origins, _ends(policy, len(shares)), policy.maps)])
    moves = np.array([map_moves(old, new, ranks) for old, new in zip([policy.start, *policy.maps], policy.maps)])
    events = moves.sum(), (moves > 0).sum(), (moves > 0).any(1).sum()  # slots, layers, plans
    step, moved = float(peak.mean()), 1000 * float(events[0]) / (steps * layers)
    net = step + sum(cost * float(number) for cost, number in zip(costs, events)) / (steps * layers)
    return PlanReplay(name, step, float(np.quantile(peak, 0.95)), moved, moved / slots, net,
                      *_gains(policy, shares, peak, ranks), np.array(policy.origins), np.array(policy.maps), moves,
                      peak)


def _policies(shares: NDArray[Any], forecaster: Predictor, planner: Planner, horizon: int,
              every: Tuple[int, int, int], method: str, options: Dict[str, Any]) -> Dict[str, _Policy]:
    """All policies by name. every: the steps between decisions, of those that never move, EPLB, those that plan."""
    @functools.lru_cache(maxsize=1)
    def forecast(step: int) -> NDArray[np.float64]:
        return forecaster.predict(horizon)

    def recent(step: int) -> NDArray[np.float64]:
        return _mean(shares[max(0, step - SW_AVG_WINDOW):step])

    slots, ranks, title = options["slots"], options["ranks"], forecaster.info.method
    equal = rebalance_experts(np.ones(shares.shape[1:]), slots, 1, 1, ranks)[0]
    planned = functools.partial(_planned, planner, **options)
    decisions = {SW_AVG: planned(recent, method="mean"),
                 **{f"{title}, {kind}": planned(forecast, method=kind) for kind in dict.fromkeys(["mean", method])},
                 TRUE_MEAN: planned(lambda step: _mean(shares[step:step + horizon]), method="mean")}
    return {NEVER: _Policy(every[0], lambda step, current: (current, None), equal),
            EPLB: _Policy(every[1], _eplb(shares, slots, ranks), equal),
            **{name: _Policy(every[2], decide, equal) for name, decide in decisions.items()}}


@contextlib.contextmanager
def _forecaster(predictor: Optional[Predictor], layers: int, experts: int) -> Iterator[Predictor]:
    """A predictor like the given one, without its history; auto by default."""
    with Predictor(layers=layers, experts=experts) if predictor is None else predictor.clone() as made:
        made.reset()
        yield made


def replay_plans(trace: Any, *, ranks: int = 8, slots: Optional[int] = None, first: int = 1000, every: int = 250,
                 eplb_every: int = 1000, horizon: int = 1000, gain_steps: Optional[int] = None, slot_cost: float = 0.2,
                 layer_cost: float = 0.0, plan_cost: float = 0.0, method: str = "scenarios",
                 predictor: Optional[Predictor] = None,
                 progress: Callable[[float], Any] = lambda fraction: None) -> List[PlanReplay]:
    """Replay a recorded run under several policies of placing experts, to see what planning is worth.

    All policies begin at step `first` with a map for equal loads. "never" keeps it.
    "EPLB" takes the map that EPLB makes of the last 1000 steps, as it comes. The others plan from their current map,
    for a mean load: "sw_avg, mean" for that of the last 200 steps, "auto, mean" and "auto, scenarios" for auto's
    forecast, by the planner's method of that name; "true mean" for the mean that came, which no forecast can know.

    Parameters
    ----------
    trace : ndarray, CPU tensor or file name, (steps, layers, experts)
        Token counts; a file is a ``.npy``.
    ranks : int, default 8
        Members of the group among which experts are distributed.
    slots : int, optional
        Places for one expert each, a multiple of `ranks`. Default None: a quarter more than experts, rounded up.
    first, every : int, default 1000 and 250
        Plans are made at steps first, first + every, ... to the end of the run.
    eplb_every : int, default 1000
        The steps between two maps of EPLB, which moves most slots each time.
    horizon : int, default 1000
        Steps ahead that the forecasts cover, and the true mean as far as the run goes.
    gain_steps : int, optional
        Steps for which the gain of a plan counts, the planner's horizon. Default None: horizon. A move serves
        beyond the next plan, so fewer move too little where moves are dear.
    slot_cost, layer_cost, plan_cost : float, default 0.2, 0 and 0
        As for ``Planner.plan``.
    method : str, default "scenarios"
        The planner's method beside "mean".
    predictor : Predictor, optional
        Forecasts in the place of auto, with its model and an empty history. Default None: auto as shipped.
    progress : callable, optional
        ``progress(fraction)``; an exception in it ends the replay.

    Returns
    -------
    list of PlanReplay
        One for each policy, in the order above.

    Raises
    ------
    moepredict.TooFewSteps
        No step of the trace comes after `first`.
    ValueError, TypeError, MemoryError, moepredict.Error
        As for `Planner` and `Predictor`. A bad count anywhere in the trace is found before any work.

    Examples
    --------
    >>> counts, truth = moepredict.simulate(2000, layers=2, experts=8)
    >>> replays = moepredict.replay_plans(counts, ranks=4)
    >>> never, eplb, sw_avg, auto, scenarios, true_mean = replays
    >>> scenarios.policy, scenarios.net < never.net
    ('auto, scenarios', True)
    """
    counts = checked_trace(trace)
    steps, layers, experts = counts.shape
    ranks, first, every = positive("ranks", ranks), positive("first", first), positive("every", every)
    eplb_every, horizon = positive("eplb_every", eplb_every), positive("horizon", horizon)
    slots = default_slots(experts, ranks) if slots is None else whole("slots", slots, experts)
    if steps <= first:
        raise too_few_steps(f"the trace has {steps} steps, and plans begin at step {first}")
    shares, pushed = shares_of(counts), 0
    options = {"slots": slots, "ranks": ranks, "slot_cost": slot_cost, "layer_cost": layer_cost, "plan_cost": plan_cost,
               "horizon": horizon if gain_steps is None else positive("gain_steps", gain_steps)}
    with _forecaster(predictor, layers, experts) as forecaster, Planner(layers=layers, experts=experts) as planner:
        policies = _policies(shares, forecaster, planner, horizon, (steps, eplb_every, every), method, options)
        for step in sorted({step for policy in policies.values() for step in range(first, steps, policy.every)}):
            for handle in (forecaster, planner):
                handle.push(counts[pushed:step])
            pushed = step
            for policy in policies.values():
                if (step - first) % policy.every == 0:
                    policy.go_on(step)
            progress(step / steps)
    replays = [_replay(name, policy, shares, ranks, (slot_cost, layer_cost, plan_cost))
               for name, policy in policies.items()]
    progress(1)
    return replays


def summary(replays: Sequence[PlanReplay]) -> List[Dict[str, Any]]:
    """The numbers of each policy by name."""
    return [dict(list(replay._asdict().items())[:PlanReplay._fields.index("origins")]) for replay in replays]
