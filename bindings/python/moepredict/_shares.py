# SPDX-License-Identifier: BSD-3-Clause
"""Load proportions of counts as the library computes them: of any finite counts, however large or small."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def in_range(values: NDArray[Any]) -> NDArray[np.float64]:
    """The values as float64, each row of the last axis scaled by a power of two, so that its sum neither overflows nor
    is subnormal. Proportions within a row stay exactly the same."""
    values = np.asarray(values, float)
    _, exponent = np.frexp(values.max(-1, keepdims=True))
    return np.ldexp(values, -exponent)


def proportions(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Proportions of the counts (steps, experts) of a layer. A step without tokens repeats the last proportions; before
    any they are uniform."""
    counts = in_range(counts)
    totals = counts.sum(1)
    full = totals > 0
    shares: NDArray[np.float64] = counts / np.where(full, totals, 1)[:, None]
    if not full.all():
        last = np.maximum.accumulate(np.where(full, np.arange(len(full)), -1))
        shares = np.where(last[:, None] < 0, 1 / counts.shape[1], shares[last])
    return shares


def shares_of(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Proportions, float32 (steps, layers, experts). A layer without tokens repeats its last ones; before any they are
    uniform."""
    shares = np.empty(counts.shape, np.float32)
    for layer in range(counts.shape[1]):
        shares[:, layer] = proportions(counts[:, layer])
    return shares
