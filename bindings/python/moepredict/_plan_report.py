# SPDX-License-Identifier: BSD-3-Clause
"""Replayed policies as a table, and the choice of them for a report."""
from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence

from numpy.typing import NDArray

from ._comparison import Comparison, name_of
from ._plan_run import PlanReplay, replay_plans, summary

RANKS = 8, 4, 2
SLOT_COST, EVERY = 0.2, 250
# How the fields of a table are written: loads as they are, fractions as percent.
_FORMS = {"step": ".4f", "p95": ".4f", "slots_moved": ".2f", "part_moved": ".2%", "net": ".4f",
          "predicted_gain": ".2%", "realised_gain": ".2%"}


def rows_of(replays: Sequence[PlanReplay]) -> List[Dict[str, str]]:
    """The numbers of each policy in text."""
    return [{name: value if name == "policy" else "-" if math.isnan(value) else
             format(value, _FORMS[name]).replace("%", " %") for name, value in row.items()} for row in summary(replays)]


def ranks_for(experts: int) -> int:
    """8 ranks, or 4 or 2 where experts are fewer."""
    return next((ranks for ranks in RANKS if ranks <= experts), 1)


def replays_of(counts: NDArray[Any], found: Comparison) -> List[PlanReplay]:
    """None where there is nothing to place, or the run is too short."""
    ranks = ranks_for(counts.shape[2])
    if found.predictor is None or ranks == 1:
        return []
    replays = replay_plans(counts, ranks=ranks, every=EVERY, slot_cost=SLOT_COST, predictor=found.predictor)
    return [replay._replace(policy=name_of(replay.policy, found.in_sample and replay.policy.startswith("auto")))
            for replay in replays]


def in_words(replays: Sequence[PlanReplay], experts: int) -> str:
    """Say what was replayed."""
    first, slots = replays[0].origins[0], replays[0].maps.shape[2]
    return (f"What planning from step {first:,} on would have been worth, on {ranks_for(experts)} ranks with {slots} "
            f"slots in each layer, where moving a slot costs {SLOT_COST:g} layer-steps of mean rank load. "
            f"All policies begin with a map for equal loads. never: this map. EPLB: its map of the last 1,000 steps, "
            f"every 1,000 steps, as it comes. The others plan every {EVERY} steps from their present map, where moving "
            f"pays: for the mean of the last 200 steps (sw_avg), for auto's forecast, and, as no forecast can, for the "
            f"mean that came (true mean). scenarios: for single steps around the forecast, not for their mean.")


LEGEND = ("Loads are in units of the mean rank load. step: the largest rank load of a step, mean over steps and "
          "layers; p95: its 95 % quantile. slots moved: per 1,000 steps in a layer; part moved: of its slots. net: "
          "step and the costs of moves. Gains: by how much the layers that moved were to lower their largest rank "
          "load, and did until the next plan.")
