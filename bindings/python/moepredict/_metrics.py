# SPDX-License-Identifier: BSD-3-Clause
"""Numbers for a training dashboard."""
from __future__ import annotations

from typing import Any, Dict

import numpy as np
from numpy.typing import NDArray

from ._records import Info


def summary(name: str, by_layer: NDArray[np.float64]) -> Dict[str, float]:
    """Mean, min and max over the layers whose value is finite; NaN if no layer has one."""
    known = by_layer[np.isfinite(by_layer)]
    values: Dict[str, Any] = {"mean": known.mean, "min": known.min, "max": known.max}
    return {f"{name}_{kind}": float(value()) if known.size else float("nan") for kind, value in values.items()}


def imbalance(loads: NDArray[np.float64]) -> NDArray[np.float64]:
    """(layers,): the largest load over the mean load; NaN in a layer without load."""
    mean = loads.mean(1)
    return np.divide(loads.max(1), mean, out=np.full(len(loads), np.nan), where=mean > 0)


def totals(info: Info) -> Dict[str, float]:
    return {"steps": float(info.steps), "gaps": float(info.gaps), "empty_layers": float(info.empty_layers)}
