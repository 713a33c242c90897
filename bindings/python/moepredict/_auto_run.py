# SPDX-License-Identifier: BSD-3-Clause
"""How auto mixes its forecasts along a recorded run."""
from __future__ import annotations

from typing import Any, NamedTuple, Tuple

import numpy as np
from numpy.typing import NDArray

from .predictor import Predictor

BLOCK, MOST_POINTS = 50, 1000  # auto's weights change after each block


class AutoRun(NamedTuple):
    """The weights of auto's candidates, and the jumps that it has noticed. A point comes after each block, or, in a
    long run, after several."""

    candidates: Tuple[str, ...]
    points: NDArray[Any]             # (points,): steps pushed by then
    weights: NDArray[Any]            # (points, layers, candidates): of a forecast made at that point
    jumps: Tuple[Tuple[int, ...], ...]  # by layer: the steps at which a new level begins


def run_auto(prototype: Predictor, counts: NDArray[Any]) -> AutoRun:
    """Push a run into a predictor like the prototype, whose weights it has."""
    steps, layers, _ = counts.shape
    points = np.arange(BLOCK, steps + 1, BLOCK * -(-steps // (BLOCK * MOST_POINTS)))
    starts = np.zeros((len(points) + 1, layers), int)
    with prototype.clone() as predictor:
        predictor.reset()
        reports = []
        for pushed, point in zip([0, *points], points):
            predictor.push(counts[pushed:point])
            reports.append(predictor.auto_report)
            starts[len(reports)] = point - reports[-1].since_jump.astype(int)
    jumps = tuple(tuple(starts[1:, layer][np.diff(starts[:, layer]) > 0].tolist()) for layer in range(layers))
    return AutoRun(reports[0].candidates, points, np.stack([report.weights for report in reports]), jumps)
