# SPDX-License-Identifier: BSD-3-Clause
"""How good forecasts were, and would have been."""
from __future__ import annotations

from ctypes import POINTER, c_double, c_uint64
from typing import Any, Callable, NamedTuple, Optional, Tuple, Union

import numpy as np

from ._counts import as_trace, described
from ._handle import positive, whole
from ._library import library
from ._progress import Listener
from ._structs import BacktestConfig, BacktestResult
from .predictor import Predictor


class Backtest(NamedTuple):
    """Results [origins, layers]; NaN where an origin could not be forecast. moep_backtest_result says what each is."""

    origins: np.ndarray
    error: np.ndarray
    error_of_mean: np.ndarray
    paper_error: np.ndarray
    total_variation: np.ndarray
    floor: np.ndarray
    floor_of_mean: np.ndarray
    left_out: np.ndarray


def backtest(predictor: Union[Predictor, str], trace: Any, *, horizon: int = 1000, stride: Optional[int] = None,
             first: int = 300, every: int = 100, refit_every: int = 0, assignments: float = 0.0,
             progress: Optional[Callable[[float], Any]] = None, **config: Any) -> Backtest:
    """Replay a recorded run and score the forecasts made on its way.

    Parameters
    ----------
    predictor : Predictor or str
        A predictor, whose configuration and model a copy with an empty history takes, or a method's name, made with
        `config`.
    trace : ndarray, CPU tensor or file name, (steps, layers, experts)
        Token counts; the file is a ``.npy``.
    horizon, stride : int
        Steps ahead, and steps averaged into one forecast row; stride None: the horizon.
    first, every : int
        Forecasts are made at steps first, first + every, ...
    refit_every : int
        Origins between fits, for methods that are fitted; 0: once.
    assignments : float
        Tokens per layer and step behind the counts; 0: whole counts are those tokens, of whatever dtype.
    progress : callable, optional
        progress(fraction); a true result cancels with an Error, an exception with that exception, as does Ctrl-C.

    Returns
    -------
    Backtest
    """
    counts = as_trace(trace)
    steps, layers, experts = counts.shape
    made = None
    if isinstance(predictor, str):
        predictor = made = Predictor(predictor, layers=layers, experts=experts, **config)
    elif config:
        raise TypeError(f"{', '.join(config)}: a predictor brings its own configuration")
    settings = BacktestConfig(first=whole("first", first), every=positive("every", every),
                              horizon=positive("horizon", horizon),
                              stride=positive("stride", horizon if stride is None else stride),
                              refit_every=whole("refit_every", refit_every), assignments=assignments)
    origins = library.moep_backtest_origins(steps, settings)
    arrays = {name: np.empty((origins, layers), np.uint64 if name == "left_out" else float)
              for name in BacktestResult.names()}
    result = BacktestResult(**{name: array.ctypes.data_as(POINTER(c_uint64 if name == "left_out" else c_double))
                               for name, array in arrays.items()})
    try:
        with Listener(progress):
            library.moep_backtest(predictor._open(), described(counts), settings, None, result)
    finally:
        if made is not None:
            made.close()
    return Backtest(origins=first + every * np.arange(origins), **arrays)


def forecast_error(forecast: np.ndarray, actual: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The error of a forecast, layer by layer.

    Parameters
    ----------
    forecast, actual : (layers, experts)
        Load proportions.

    Returns
    -------
    error, paper_error, left_out : (layers,)
        moep_forecast_error says what each is.
    """
    forecast = np.ascontiguousarray(forecast, float)
    actual = np.ascontiguousarray(actual, float)
    if forecast.ndim != 2 or forecast.shape != actual.shape:
        raise ValueError(f"forecast {forecast.shape} and actual {actual.shape}: expected the same (layers, experts)")
    error, paper_error = np.empty(len(forecast)), np.empty(len(forecast))
    left_out = np.empty(len(forecast), np.uint64)
    library.moep_forecast_error(*forecast.shape, forecast.ctypes.data, actual.ctypes.data, error.ctypes.data,
                                paper_error.ctypes.data, left_out.ctypes.data)
    return error, paper_error, left_out
