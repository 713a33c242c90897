# SPDX-License-Identifier: BSD-3-Clause
"""The picture of policies replayed along a run. As in _figures, pyplot is not used."""
from __future__ import annotations

from typing import Any, Dict, Sequence

import numpy as np
from numpy.typing import NDArray
from matplotlib.figure import Figure

from ._figures import COLOURS
from ._plan_run import NEVER, TRUE_MEAN, PlanReplay

BLOCK = 100  # steps averaged into a point

# What no run can have is black, what moves nothing is grey.
STYLES = {NEVER: {"color": "0.65"}, TRUE_MEAN: {"color": "black", "linestyle": ":"}}


def _blocks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Means over blocks of rows, the last one's over what is left."""
    first = np.arange(0, len(values), BLOCK)
    means: NDArray[np.float64] = np.add.reduceat(values, first) / np.diff(np.append(first, len(values)))
    return means


def plan(replays: Sequence[PlanReplay]) -> Figure:
    """The largest rank load along the run, mean over the layers, and the slots moved until then, by policy."""
    figure = Figure(figsize=(11, 6.2), constrained_layout=True)
    loads, moves = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    colours = iter(COLOURS)
    for replay in replays:
        style: Dict[str, Any] = {"linewidth": 1, **(STYLES.get(replay.policy) or {"color": next(colours)})}
        first, steps, (_, layers) = replay.origins[0], len(replay.peak), replay.moves.shape
        loads.plot(_blocks(first + 0.5 + np.arange(steps)), _blocks(replay.peak.mean(1)), label=replay.policy, **style)
        total = np.cumsum(replay.moves.sum(1)) / layers
        moves.step(np.append(replay.origins, first + steps), np.append(total, total[-1]), where="post", **style)
    figure.suptitle("Placement of experts, by policy", x=0.01, ha="left")
    loads.set_ylabel(f"largest rank load / mean\n(means of {BLOCK} steps and all layers)")
    loads.axhline(1, color="grey", linewidth=0.8, linestyle=":")
    low, high = loads.get_ylim()
    loads.set_ylim(low, high + 0.15 * (high - low))  # room for the legend
    loads.legend(fontsize="x-small", loc="upper right", ncol=3)
    moves.set_ylabel("slots moved\nin a layer, so far")
    moves.set_xlabel("training step")
    moves.margins(x=0)
    return figure
