# SPDX-License-Identifier: BSD-3-Clause
"""The C structs, each as one table of fields. A field that moepredict.h gains becomes a row here; a field of a
configuration also a keyword of Predictor, Detector or Planner, and a field of the record in _records.py. Tests hold the
tables against the header, and keywords and records against the tables."""
from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_double, c_float, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, List, Tuple

Progress = CFUNCTYPE(c_int32, c_void_p, c_double)


class Struct(ctypes.Structure):
    """Sets its own struct_size."""

    def __init__(self, **values: Any):
        super().__init__(**values)
        self.struct_size = ctypes.sizeof(self)

    @classmethod
    def fields(cls) -> List[Tuple[str, Any]]:
        """Names and ctypes of all fields."""
        return [(name, kind) for name, kind, *_ in cls._fields_]

    @classmethod
    def names(cls) -> List[str]:
        """The fields that a caller sets or reads."""
        return [name for name, _ in cls.fields() if name != "struct_size" and not name.startswith("reserved")]

    def values(self) -> Dict[str, Any]:
        values = {name: getattr(self, name) for name in self.names()}
        return {name: tuple(value) if isinstance(value, ctypes.Array) else value for name, value in values.items()}


class Runtime(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_uint32),
        ("reserved", c_uint32),
        ("allocate", c_void_p),
        ("release", c_void_p),
        ("allocator_user", c_void_p),
        ("progress", Progress),
        ("progress_user", c_void_p),
    ]


class PredictorConfig(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("method", c_int32),
        ("sw_avg_window", c_uint32),
        ("history", c_uint64),
        ("fit_budget", c_double),
        ("arima_p", c_int32),
        ("arima_d", c_int32),
        ("arima_q", c_int32),
        ("arima_order_scope", c_uint32),
        ("arima_bucket", c_uint32),
        ("arima_starts", c_uint32),
        ("arima_scale", c_uint32),
        ("arima_mean", c_uint32),
        ("arima_root_limit", c_double),
        ("seed", c_uint64),
        ("lstm_scope", c_uint32),
        ("lstm_layers", c_uint32),
        ("lstm_hidden", c_uint32),
        ("reserved", c_uint32),
    ]


class DetectorConfig(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("horizon", c_uint64),
        ("tolerance", c_double),
        ("expert_tolerance", c_double),
        ("growth", c_double),
        ("drift_window", c_uint32),
        ("block", c_uint32),
        ("dwell", c_uint32),
        ("reserved", c_uint32),
        ("windows", c_uint32 * 4),
    ]


class Info(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("method", c_int32),
        ("reserved", c_uint32),
        ("layers", c_uint64),
        ("experts", c_uint64),
        ("history", c_uint64),
        ("steps", c_uint64),
        ("next_step", c_uint64),
        ("min_steps", c_uint64),
        ("fitted_step", c_uint64),
        ("empty_layers", c_uint64),
        ("gaps", c_uint64),
    ]


class AutoReport(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("weights", POINTER(c_double)),
        ("expected_error", POINTER(c_double)),
        ("coverage", POINTER(c_double)),
        ("since_jump", POINTER(c_uint64)),
    ]


class ArimaModel(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("p", c_uint32),
        ("d", c_uint32),
        ("q", c_uint32),
        ("period", c_uint32),
        ("fallback", c_uint32),
        ("reserved", c_uint32),
        ("phi", c_double * 8),
        ("theta", c_double * 8),
        ("phi_error", c_double * 8),
        ("theta_error", c_double * 8),
        ("mean", c_double),
        ("sigma2", c_double),
        ("loglik", c_double),
        ("aicc", c_double),
    ]


class LstmTraining(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("weights", c_uint32),
        ("reserved", c_uint32),
        ("rounds", c_uint64),
        ("updates", c_uint64),
        ("length", c_uint64),
        ("loss", c_double),
        ("untrained_loss", c_double),
    ]


class LstmWeights(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("inputs", c_uint32),
        ("hidden", c_uint32),
        ("weight_ih", POINTER(c_float)),
        ("weight_hh", POINTER(c_float)),
        ("bias_ih", POINTER(c_float)),
        ("bias_hh", POINTER(c_float)),
    ]


class Trace(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("counts", c_void_p),
        ("dtype", c_int32),
        ("reserved", c_uint32),
        ("steps", c_uint64),
        ("layers", c_uint64),
        ("experts", c_uint64),
    ]


class Layout(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("layers", c_size_t),
        ("experts", c_size_t),
        ("slots", c_size_t),
        ("ranks", c_size_t),
        ("groups", c_size_t),
        ("nodes", c_size_t),
    ]


class PlannerConfig(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("span", c_uint32),
        ("scenarios", c_uint32),
        ("risk", c_double),
    ]


class PlanOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("horizon", c_uint64),
        ("slot_cost", c_double),
        ("layer_cost", c_double),
        ("plan_cost", c_double),
        ("least_gain", c_double),
        ("most_slots", c_uint64),
        ("method", c_int32),
        ("effort", c_uint32),
        ("scenarios", c_uint32),
        ("reserved", c_uint32),
        ("layers", c_void_p),
    ]


class PlanResult(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("phy2log", c_void_p),
        ("stay", c_void_p),
        ("go", c_void_p),
        ("moved", c_void_p),
        ("advice", c_void_p),
        ("net_gain", c_double),
    ]


class BacktestConfig(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("first", c_uint64),
        ("every", c_uint64),
        ("horizon", c_uint64),
        ("stride", c_uint64),
        ("refit_every", c_uint64),
        ("assignments", c_double),
    ]


class BacktestResult(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("error", POINTER(c_double)),
        ("error_of_mean", POINTER(c_double)),
        ("paper_error", POINTER(c_double)),
        ("total_variation", POINTER(c_double)),
        ("floor", POINTER(c_double)),
        ("floor_of_mean", POINTER(c_double)),
        ("left_out", POINTER(c_uint64)),
    ]


# Fields that take a name as well as a number: the names, in order of their numbers. The library itself names its
# methods.
NAMES: Dict[str, List[str]] = {
    "arima_order_scope": ["per_layer", "per_series"],
    "arima_scale": ["shares", "log_ratios"],
    "lstm_scope": ["shared", "joint"],
}
PLAN_METHODS = ["scenarios", "risk", "mean"]  # of a plan's options, likewise
SELECT = -1  # as "select": an order to be selected
