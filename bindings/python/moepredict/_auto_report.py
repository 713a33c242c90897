# SPDX-License-Identifier: BSD-3-Clause
"""What auto says of itself, read from the library."""
from __future__ import annotations

from ctypes import POINTER, c_double, c_uint64
from typing import Any, Tuple

import numpy as np

from . import _structs
from ._handle import Handle
from ._library import library
from ._records import AutoReport


def candidates() -> Tuple[str, ...]:
    return tuple(library.moep_auto_candidate_name(i).decode() for i in range(library.moep_auto_candidates()))


def report_of(predictor: Handle) -> AutoReport:
    names = candidates()
    arrays: Any = {"weights": np.empty((predictor.layers, len(names))), "expected_error": np.empty(predictor.layers),
                   "coverage": np.empty((predictor.layers, 2)), "since_jump": np.empty(predictor.layers, np.uint64)}
    kinds = {np.dtype(np.float64): POINTER(c_double), np.dtype(np.uint64): POINTER(c_uint64)}
    struct = _structs.AutoReport(**{name: array.ctypes.data_as(kinds[array.dtype]) for name, array in arrays.items()})
    library.moep_predictor_auto_report(predictor._checked_handle(), struct)
    return AutoReport(candidates=names, **arrays)
