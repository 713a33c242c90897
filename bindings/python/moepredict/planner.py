# SPDX-License-Identifier: BSD-3-Clause
"""The planner."""
from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._handle import Handle
from ._library import library
from ._maps import as_loads, as_map, as_mask, make_layout
from ._records import Plan, PlannerConfig, RankForecast
from ._values import filled, index_of, make_runtime, positive


class Planner(Handle):
    """Plans on which ranks experts go, whether moving them pays, and what every rank will carry.

    A predictor says what will be asked of the experts in the mean. A planner keeps how single steps of the run scatter
    around it, and which experts are loaded together. The slowest rank sets the pace of every step, so a plan is judged
    by its peak: the largest rank load of a single step over the mean rank load. Push the same counts into both.

    Parameters
    ----------
    layers, experts : int
        The shape of the counts of one step, 1 or more each.
    span : int, default 900
        Steps over which loads are kept, 20 or more. A twentieth of it is a block; the planner keeps the means of the
        last 20 blocks.
    scenarios : int, default 100
        Single steps kept, evenly over the span: 2 to span. A plan searches on every other one, and is valued on the
        rest, which are held out. As many as span give the best quantiles of a peak near 1.
    risk : float, default 0.674
        The methods "risk" and "scenarios" plan, or begin, with mean + risk x sigma of each expert, 0 or more. sigma is
        its standard deviation over the means of blocks. 0.674 makes it the upper quartile.
    threads : int, default 0
        Threads that plan layers side by side; 0 and 1: the caller's alone. Results are the same for any number.

    Raises
    ------
    ValueError, TypeError, MemoryError, moepredict.TooFewSteps, moepredict.Error
        As for `Predictor`.

    Notes
    -----
    It takes 4 bytes per series for each of the scenarios, and 92 more. ``close()`` or a ``with`` block frees the
    memory; otherwise that happens at garbage collection. Threads: as for `Predictor`; `plan` and `predict_ranks` change
    nothing, so a clone can plan in another thread while training continues.

    Examples
    --------
    Two of eight experts have most of the load. Twelve slots on four ranks balance it.

    >>> import numpy as np, moepredict
    >>> counts = np.random.default_rng(1).multinomial(4096, [0.3, 0.2] + 6 * [0.5 / 6], size=(500, 2))
    >>> with moepredict.Planner(layers=2, experts=8) as planner:
    ...     planner.push(counts)
    ...     current = np.tile(np.arange(12) % 8, (2, 1))
    ...     plan = planner.plan(slots=12, ranks=4, current=current, slot_cost=0.2)
    ...     ranks = planner.predict_ranks(plan.map, 4, quantile=0.99)
    >>> plan.map.shape, plan.advice.tolist(), bool((plan.go < plan.stay).all())
    ((2, 12), [True, True], True)
    >>> ranks.loads.shape, bool((ranks.quantiles > ranks.peak).all())
    ((2, 4), True)
    """

    _kind = "planner"
    _config_struct = _structs.PlannerConfig

    def __init__(self, *, layers: int, experts: int, span: int = 900, scenarios: int = 100, risk: float = 0.674,
                 threads: int = 0) -> None:
        config = filled(_structs.PlannerConfig, span=span, scenarios=scenarios, risk=risk)
        layers, experts = positive("layers", layers), positive("experts", experts)
        handle = ctypes.c_void_p()
        library.moep_planner_create(layers, experts, config, make_runtime(threads), handle)
        self._threads = threads
        self._attach(handle)

    @property
    def config(self) -> PlannerConfig:
        """`PlannerConfig`: the configuration."""
        return PlannerConfig(**self._read_config())

    def _forecast(self, forecast: Any) -> Optional[NDArray[np.float64]]:
        return None if forecast is None else as_loads("forecast", forecast, self.layers, self.experts)

    # ---- plans ----

    def plan(self, *, slots: int, ranks: int, forecast: Any = None, current: Any = None, horizon: int = 1000,
             slot_cost: float = 0.0, layer_cost: float = 0.0, plan_cost: float = 0.0, least_gain: float = 0.0,
             most_slots: int = 0, method: Union[str, int] = "scenarios", effort: int = 400, scenarios: int = 50,
             groups: int = 0, nodes: int = 0, layers: Any = None) -> Plan:
        """Plan where experts go. No rank gets two copies of one expert, unless a layer stays that has them already.

        A layer's gain is horizon x (stay - go) - slot_cost x moved - layer_cost, in layer-steps of mean rank load. It
        moves if that exceeds least_gain, and any layer only if the gains of those that move exceed plan_cost. A cost
        is the seconds that training waits, over the seconds that a rank with the mean load takes for a layer of a step.

        Parameters
        ----------
        slots : int
            Places for one expert each, of each layer on all ranks: a multiple of `ranks`, and at least as many as
            experts. A rank has no more slots than there are experts. Slot s is on rank s // (slots // ranks).
        ranks : int
            Members of the group among which experts are distributed, 1 or more.
        forecast : array or CPU tensor, (layers, experts), optional
            The mean load to plan for, as ``Predictor.predict`` gives it; finite and 0 or more, brought to sum 1.
            Default None: the planner's own, the mean of the last fifth of its span.
        current : array or CPU tensor of integers, (layers, slots), optional
            The present map, the expert in each slot; -1 is an empty slot. Experts may be missing, as after a change of
            ranks: such a layer always moves. Default None: plan from scratch, without costs.
        horizon : int, default 1000
            Steps for which the gain lasts, 1 or more: those to the next plan, or more.
        slot_cost : float, default 0
            The cost of each slot that receives an expert of which its rank has no copy yet.
        layer_cost, plan_cost : float, default 0 and 0
            The cost of each layer that moves, and of moving at all.
        least_gain : float, default 0
            A layer with a smaller gain stays.
        most_slots : int, default 0
            Slots that may move in a layer; 0: any number.
        method : str or int, default "scenarios"
            "scenarios" lowers the mean peak of single steps: those kept, shifted to have the forecast as their mean.
            "risk" balances forecast + risk x sigma, "mean" the forecast itself: the fastest.
        effort : int, default 400
            Steps of search per layer and start, 1 or more.
        scenarios : int, default 50
            Kept steps to search on, 1 or more. A plan has no more than half of those kept.
        groups, nodes : int, default 0 and 0
            Where both exceed 1: each node has ranks / nodes consecutive ranks, each group experts / groups consecutive
            experts, and all copies of a group lie on one node.
        layers : sequence of int, or mask of bool (layers,), optional
            The layers to plan; the others stay as they are in `current`. Default None: all.

        Returns
        -------
        Plan
            Where ``advice`` is True, move the layer's experts to ``map``, which is its map from then on.

        Raises
        ------
        ValueError, TypeError
            A bad argument. The message says what is wrong.
        moepredict.TooFewSteps
            No step has been pushed, and there is no forecast.
        """
        layout = make_layout(self.layers, self.experts, slots, ranks, groups, nodes)
        mean = self._forecast(forecast)
        present = None if current is None else as_map("current", current, (self.layers, layout.slots))
        mask = None if layers is None else as_mask("layers", layers, self.layers)
        number = index_of("method", _structs.PLAN_METHODS, method)
        options = filled(_structs.PlanOptions, horizon=horizon, slot_cost=slot_cost, layer_cost=layer_cost,
                         plan_cost=plan_cost, least_gain=least_gain, most_slots=most_slots, method=number,
                         effort=effort, scenarios=scenarios)
        options.layers = _address(mask)
        found = Plan(np.empty((self.layers, layout.slots), np.int64), np.empty(self.layers), np.empty(self.layers),
                     np.empty(self.layers, np.uint64), np.empty(self.layers, bool), 0.0)
        result = _structs.PlanResult(phy2log=_address(found.map), stay=_address(found.stay), go=_address(found.go),
                                     moved=_address(found.moved), advice=_address(found.advice))
        library.moep_plan(self._checked_handle(), layout, _address(mean), _address(present), options, result)
        return found._replace(net_gain=result.net_gain)

    # ---- what ranks will carry ----

    def predict_ranks(self, map: Any, ranks: int, forecast: Any = None,
                      quantile: Union[None, float, Sequence[float]] = None) -> RankForecast:
        """Forecast what every rank will carry in single steps under a map. The kept steps, shifted to have the forecast
        as their mean, say it. So it counts which experts are loaded together, as quantiles of experts cannot.

        Parameters
        ----------
        map : array or CPU tensor of integers, (layers, slots)
            The expert in each slot. Every expert has a copy.
        ranks : int
            As for `plan`.
        forecast : array or CPU tensor, (layers, experts), optional
            As for `plan`.
        quantile : float or sequence of float, optional
            Quantile levels, each more than 0 and less than 1, in any order. Default None: no quantiles.

        Returns
        -------
        RankForecast
            A single level has no axis of levels. The 0.99 quantile of the peak is the capacity factor with which a
            layer drops tokens in about one step of a hundred.

        Raises
        ------
        ValueError, TypeError, moepredict.TooFewSteps
            As for `plan`.
        """
        quantile = () if quantile is None else quantile
        present = as_map("map", map)
        layout = make_layout(len(present), self.experts, present.shape[1], ranks)
        mean, levels = self._forecast(forecast), np.array(quantile, float).ravel()
        common = self._checked_handle(), layout, _address(present), _address(mean), len(levels), _address(levels)
        loads, peak = np.empty((self.layers, layout.ranks)), np.empty(self.layers)
        quantiles, by_rank = np.empty((len(levels), *peak.shape)), np.empty((len(levels), *loads.shape))
        library.moep_planner_predict_ranks(*common, _address(loads), _address(peak), _address(quantiles))
        if len(levels):
            library.moep_planner_predict_rank_quantiles(*common, _address(by_rank))
        return RankForecast(loads, peak, *((quantiles, by_rank) if np.ndim(quantile) else (quantiles[0], by_rank[0])))


def _address(array: Optional[NDArray[Any]]) -> Optional[int]:
    return None if array is None else array.ctypes.data
