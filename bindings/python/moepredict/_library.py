# SPDX-License-Identifier: BSD-3-Clause
"""The shared library: its file, its functions, and exceptions for its statuses."""
from __future__ import annotations

import ctypes
import os
import pathlib
from ctypes import POINTER, c_char_p, c_double, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, Iterator, List, Tuple

from ._structs import (ArimaModel, AutoReport, BacktestConfig, BacktestResult, DetectorConfig, Info, Layout,
                       LstmTraining, LstmWeights, PlannerConfig, PlanOptions, PlanResult, PredictorConfig, Runtime,
                       Trace)

MAJOR = 0
_NAME = f"libmoepredict.so.{MAJOR}"

_INVALID_ARGUMENT, _OUT_OF_MEMORY, _TOO_FEW_STEPS, _CANCELLED = -1, -2, -5, -8


class Error(RuntimeError):
    """A call of the library failed, for another reason than a bad argument (ValueError) or memory (MemoryError).

    Parameters
    ----------
    status : int
        The library's number for the reason, negative; kept as ``status``.
    name : str
        The reason in words, as "too few steps", "not fitted", "unsupported", "cancelled"; kept as ``name``.
    text : str
        The details; the message is name and text.
    """

    def __init__(self, status: int, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.status = status
        self.name = name

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.status, self.name, str(self).split(": ", 1)[1])


class TooFewSteps(Error):
    """Not enough history yet, so push more steps; or a trace that is too short. An `Error`."""


def too_few_steps(text: str) -> TooFewSteps:
    return TooFewSteps(_TOO_FEW_STEPS, "too few steps", text)


class Status(c_int32):
    """The result of a call; anything but MOEP_OK is raised."""


_Predictor = _Detector = _Planner = c_void_p
_DOUBLES = POINTER(c_double)

# Every function of moepredict.h: result, arguments. A test holds this table against the header.
PROTOTYPES: Dict[str, Tuple[Any, List[Any]]] = {
    "moep_version_number": (c_uint32, []),
    "moep_version": (c_char_p, []),
    "moep_status_string": (c_char_p, [c_int32]),
    "moep_last_error": (c_char_p, []),
    "moep_dtype_size": (c_size_t, [c_int32]),
    "moep_method_name": (c_char_p, [c_int32]),
    "moep_predictor_config_init": (Status, [POINTER(PredictorConfig), c_int32]),
    "moep_predictor_create": (Status, [c_size_t, c_size_t, POINTER(PredictorConfig), POINTER(Runtime),
                                       POINTER(_Predictor)]),
    "moep_predictor_destroy": (None, [_Predictor]),
    "moep_predictor_push": (Status, [_Predictor, c_size_t, c_void_p, c_int32]),
    "moep_predictor_push_at": (Status, [_Predictor, c_uint64, c_size_t, c_void_p, c_int32]),
    "moep_predictor_reset": (Status, [_Predictor]),
    "moep_predictor_fit": (Status, [_Predictor]),
    "moep_predictor_fit_traces": (Status, [_Predictor, POINTER(Trace), c_size_t]),
    "moep_predictor_adopt": (Status, [_Predictor, _Predictor]),
    "moep_forecast_rows": (c_size_t, [c_size_t, c_size_t]),
    "moep_predictor_predict": (Status, [_Predictor, c_size_t, c_size_t, c_void_p, c_size_t]),
    "moep_predictor_predict_quantiles": (Status, [_Predictor, c_size_t, c_size_t, c_void_p, c_size_t, c_void_p,
                                                  c_size_t]),
    "moep_predictor_info": (Status, [_Predictor, POINTER(Info)]),
    "moep_predictor_config_read": (Status, [_Predictor, POINTER(PredictorConfig)]),
    "moep_auto_candidates": (c_size_t, []),
    "moep_auto_candidate_name": (c_char_p, [c_size_t]),
    "moep_predictor_auto_report": (Status, [_Predictor, POINTER(AutoReport)]),
    "moep_predictor_arima_model": (Status, [_Predictor, c_size_t, c_size_t, POINTER(ArimaModel)]),
    "moep_predictor_lstm_training": (Status, [_Predictor, POINTER(LstmTraining)]),
    "moep_predictor_lstm_weights": (Status, [_Predictor, c_size_t, POINTER(LstmWeights)]),
    "moep_predictor_set_lstm_weights": (Status, [_Predictor, c_size_t, POINTER(LstmWeights)]),
    "moep_detector_config_init": (Status, [POINTER(DetectorConfig)]),
    "moep_detector_create": (Status, [c_size_t, c_size_t, POINTER(DetectorConfig), POINTER(Runtime),
                                      POINTER(_Detector)]),
    "moep_detector_destroy": (None, [_Detector]),
    "moep_detector_push": (Status, [_Detector, c_size_t, c_void_p, c_int32]),
    "moep_detector_push_at": (Status, [_Detector, c_uint64, c_size_t, c_void_p, c_int32]),
    "moep_detector_states": (Status, [_Detector, c_void_p, c_void_p]),
    "moep_detector_since": (Status, [_Detector, c_void_p, c_void_p]),
    "moep_detector_changes": (Status, [_Detector, c_void_p, c_void_p]),
    "moep_detector_read": (Status, [_Detector, c_int32, c_size_t, c_void_p, c_void_p]),
    "moep_detector_config_read": (Status, [_Detector, POINTER(DetectorConfig)]),
    "moep_detector_info": (Status, [_Detector, POINTER(Info)]),
    "moep_rebalance": (Status, [POINTER(Layout), c_void_p, c_int32, c_void_p, c_void_p, c_size_t, c_void_p]),
    "moep_map_invert": (Status, [POINTER(Layout), c_void_p, c_void_p, c_size_t, c_void_p]),
    "moep_map_moves": (Status, [POINTER(Layout), c_void_p, c_void_p, c_void_p]),
    "moep_rank_loads": (Status, [POINTER(Layout), c_void_p, c_size_t, c_void_p, c_void_p, c_void_p]),
    "moep_planner_config_init": (Status, [POINTER(PlannerConfig)]),
    "moep_planner_create": (Status, [c_size_t, c_size_t, POINTER(PlannerConfig), POINTER(Runtime), POINTER(_Planner)]),
    "moep_planner_destroy": (None, [_Planner]),
    "moep_planner_push": (Status, [_Planner, c_size_t, c_void_p, c_int32]),
    "moep_planner_push_at": (Status, [_Planner, c_uint64, c_size_t, c_void_p, c_int32]),
    "moep_plan_options_init": (Status, [POINTER(PlanOptions)]),
    "moep_plan": (Status, [_Planner, POINTER(Layout), c_void_p, c_void_p, POINTER(PlanOptions), POINTER(PlanResult)]),
    "moep_planner_predict_ranks": (Status, [_Planner, POINTER(Layout), c_void_p, c_void_p, c_size_t, c_void_p,
                                            c_void_p, c_void_p, c_void_p]),
    "moep_planner_predict_rank_quantiles": (Status, [_Planner, POINTER(Layout), c_void_p, c_void_p, c_size_t,
                                                     c_void_p, c_void_p]),
    "moep_planner_config_read": (Status, [_Planner, POINTER(PlannerConfig)]),
    "moep_planner_info": (Status, [_Planner, POINTER(Info)]),
    "moep_forecast_error": (Status, [c_size_t, c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "moep_backtest_origins": (c_size_t, [c_uint64, POINTER(BacktestConfig)]),
    "moep_backtest": (Status, [_Predictor, POINTER(Trace), POINTER(BacktestConfig), POINTER(Runtime),
                               POINTER(BacktestResult)]),
    "moep_predictor_clone": (Status, [_Predictor, POINTER(Runtime), POINTER(_Predictor)]),
    "moep_detector_clone": (Status, [_Detector, POINTER(Runtime), POINTER(_Detector)]),
    "moep_planner_clone": (Status, [_Planner, POINTER(Runtime), POINTER(_Planner)]),
    "moep_predictor_save": (Status, [_Predictor, c_void_p, c_size_t, POINTER(c_size_t)]),
    "moep_detector_save": (Status, [_Detector, c_void_p, c_size_t, POINTER(c_size_t)]),
    "moep_planner_save": (Status, [_Planner, c_void_p, c_size_t, POINTER(c_size_t)]),
    "moep_predictor_load": (Status, [c_void_p, c_size_t, POINTER(Runtime), POINTER(_Predictor)]),
    "moep_detector_load": (Status, [c_void_p, c_size_t, POINTER(Runtime), POINTER(_Detector)]),
    "moep_planner_load": (Status, [c_void_p, c_size_t, POINTER(Runtime), POINTER(_Planner)]),
}


def _places() -> Iterator[str]:
    """Paths where the library may be, in order."""
    named = os.environ.get("MOEPREDICT_LIBRARY")
    if named:  # the only place then, even if it holds no library
        yield named
        return
    package = pathlib.Path(__file__).resolve().parent
    yield str(package / _NAME)  # a wheel carries it
    checkout = package.parent.parent.parent
    if (checkout / "include" / "moepredict.h").exists():
        builds = [*checkout.glob(f"build*/lib/{_NAME}"), *checkout.glob(f"build/*/lib/{_NAME}")]
        yield from (str(path) for path in sorted(builds, key=os.path.getmtime, reverse=True)
                    if not any(word in str(path.relative_to(checkout)) for word in ("sanitize", "threads")))
    yield _NAME  # where the system's loader looks


def _load() -> ctypes.CDLL:
    tried = []
    for place in _places():
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            tried.append(f"  {place}: {error}")
    raise ImportError("libmoepredict was not found. Build it (sh examples/run.sh), install it, or name its file in "
                      "MOEPREDICT_LIBRARY. Tried:\n" + "\n".join(tried))


def _raise(status: Status, _function: Any, _arguments: Any) -> None:
    number = status.value
    if number == 0:
        return
    text = library.moep_last_error().decode(errors="replace")
    if number == _INVALID_ARGUMENT:
        raise ValueError(text)
    if number == _OUT_OF_MEMORY:
        raise MemoryError(text)
    kind = TooFewSteps if number == _TOO_FEW_STEPS else Error
    raise kind(number, library.moep_status_string(number).decode(), text)


def _declare(loaded: ctypes.CDLL) -> ctypes.CDLL:
    try:
        loaded.moep_version_number.restype = c_uint32
        loaded.moep_version.restype = c_char_p
    except AttributeError:
        raise ImportError(f"{loaded._name} is not libmoepredict: it has no version") from None
    if loaded.moep_version_number() >> 16 != MAJOR:
        raise ImportError(f"{loaded._name} is libmoepredict {loaded.moep_version().decode()}; this package works with "
                          f"{MAJOR}.x")
    for name, (restype, argtypes) in PROTOTYPES.items():
        try:
            function = getattr(loaded, name)
        except AttributeError:
            raise ImportError(f"{loaded._name}, libmoepredict {loaded.moep_version().decode()}, has no {name}: it is "
                              f"older than this package") from None
        function.restype, function.argtypes = restype, argtypes
        if restype is Status:
            function.errcheck = _raise
    return loaded


library = _declare(_load())
version = library.moep_version().decode()


def methods() -> List[str]:
    """List the forecasting methods.

    Returns
    -------
    list of str
        Their names, in order of their numbers: "sw_avg", "arima", "lstm", "auto".
    """
    names: List[str] = []
    while (name := library.moep_method_name(len(names))) is not None:
        names.append(name.decode())
    return names
