# SPDX-License-Identifier: BSD-3-Clause
"""Traces whose counts are checked before any work is done with them."""
from __future__ import annotations

import contextlib
import os
from typing import Any

from numpy.typing import NDArray

from ._counts import as_trace
from ._npy import named
from .predictor import Predictor


def checked_trace(trace: Any) -> NDArray[Any]:
    """As as_trace, and a bad count raises an error that names it; in a file it is a BadTrace."""
    counts = as_trace(trace)
    with named(trace) if isinstance(trace, (str, os.PathLike)) else contextlib.nullcontext():
        with Predictor("sw_avg", layers=counts.shape[1], experts=counts.shape[2], sw_avg_window=1) as predictor:
            predictor.push(counts)
    return counts
