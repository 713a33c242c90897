# SPDX-License-Identifier: BSD-3-Clause
"""Errors of forecasts: along a recorded run, and of a single one."""
from __future__ import annotations

from ctypes import POINTER, c_double, c_uint64
from typing import Any, Callable, NamedTuple, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._counts import as_trace, described
from ._library import library
from ._progress import Listener
from ._structs import BacktestConfig, BacktestResult
from ._values import filled, positive
from .predictor import Predictor


class Backtest(NamedTuple):
    """Errors of the forecasts along a recorded run.

    All arrays except the first are float64 (left_out: uint64) of shape (origins, layers). A value covers those steps of
    the origin's horizon in which the layer has a token. It is NaN if there is no such step, or if no forecast could be
    made. Loads are shares of the layer's tokens; errors are fractions.

    Counts are samples, so even the true mean load would have an error: the floors. Real loads scatter 2 to 4 times as
    much as independent tokens. The mean does not minimise the error ratio, so an error may lie a little below its
    floor.

    Attributes
    ----------
    origins : ndarray of int64, (origins,)
        The number of steps pushed when each forecast was made.
    error : ndarray
        The mean over experts and steps of |forecast - actual| / max(actual, 0.1 / experts), for every single step.
    error_of_mean : ndarray
        The same for the mean load over the horizon: what a placement of experts experiences.
    paper_error : ndarray
        The paper's error ratio, |forecast - actual| / actual over the experts with a token. One expert with three
        tokens can make it 3000: use it for comparison with the paper only.
    total_variation : ndarray
        Half the sum over the experts of |forecast mean - actual mean|: the share of the load that went to other experts
        than forecast.
    floor : ndarray
        The error that the actual mean over the horizon would have had.
    floor_of_mean : ndarray
        The error_of_mean that independent sampling of tokens alone would cause; NaN for fractional counts without
        `assignments`.
    left_out : ndarray
        (step, expert) pairs without a token, which paper_error leaves out.
    """

    origins: NDArray[np.int64]
    error: NDArray[np.float64]
    error_of_mean: NDArray[np.float64]
    paper_error: NDArray[np.float64]
    total_variation: NDArray[np.float64]
    floor: NDArray[np.float64]
    floor_of_mean: NDArray[np.float64]
    left_out: NDArray[np.uint64]


def backtest(predictor: Union[Predictor, str], trace: Any, *, horizon: int = 1000, stride: Optional[int] = None,
             first: int = 300, every: int = 100, refit_every: int = 0, assignments: float = 0.0,
             progress: Optional[Callable[[float], Any]] = None, sw_avg_window: Optional[int] = None,
             history: Optional[int] = None, fit_budget: Optional[float] = None, arima_p: Union[None, int, str] = None,
             arima_d: Union[None, int, str] = None, arima_q: Union[None, int, str] = None,
             arima_order_scope: Union[None, str, int] = None, arima_bucket: Optional[int] = None,
             arima_starts: Optional[int] = None, arima_scale: Union[None, str, int] = None,
             arima_mean: Optional[int] = None, arima_root_limit: Optional[float] = None, seed: Optional[int] = None,
             lstm_scope: Union[None, str, int] = None, lstm_layers: Optional[int] = None,
             lstm_hidden: Optional[int] = None, threads: Optional[int] = None) -> Backtest:
    """Replay a recorded run and evaluate the forecasts made along it.

    Parameters
    ----------
    predictor : Predictor or str
        A predictor, whose configuration and model are used with an empty history; it does not change. Or the name of a
        method.
    trace : ndarray, CPU tensor or file name, (steps, layers, experts)
        Token counts; a file is a ``.npy``.
    horizon : int, default 1000
        Steps ahead, 1 or more.
    stride : int, optional
        Steps averaged into one forecast row. Default None: the horizon, one row.
    first, every : int, default 300 and 100
        The origins: forecasts are made at steps first, first + every, ... as far as the run holds their horizon.
    refit_every : int, default 0
        Origins between fits. 0: one fit, at the first origin where it succeeds, and none if `predictor` has a fitted
        model. A method without a model is never fitted. For arima set 10 (with every = 100): one early fit grows old.
    assignments : float, default 0
        Tokens per layer and step behind the counts. 0: the counts are those tokens.
    progress : callable, optional
        ``progress(fraction)``, as for ``Predictor.fit``.
    sw_avg_window, history, fit_budget, arima_p, arima_d, arima_q, arima_order_scope, arima_bucket, arima_starts, \
arima_scale, arima_mean, arima_root_limit, seed, lstm_scope, lstm_layers, lstm_hidden, threads : optional
        For a method's name, the keywords of `Predictor`. Default None: Predictor's default.

    Returns
    -------
    Backtest

    Raises
    ------
    TypeError
        A keyword of `Predictor` beside a predictor, which has its own configuration.
    moepredict.TooFewSteps
        The trace is shorter than first + horizon. Too little history at an origin raises nothing, its results are NaN.
    ValueError, MemoryError, moepredict.Error
        As for `Predictor`. A bad count anywhere in the trace is found before any work.

    Examples
    --------
    >>> counts, truth = moepredict.simulate(2000, layers=2, experts=8)
    >>> result = moepredict.backtest("sw_avg", counts, horizon=500, sw_avg_window=100)
    >>> result.error_of_mean.shape
    (13, 2)
    """
    keywords = {"sw_avg_window": sw_avg_window, "history": history, "fit_budget": fit_budget, "arima_p": arima_p,
                "arima_d": arima_d, "arima_q": arima_q, "arima_order_scope": arima_order_scope,
                "arima_bucket": arima_bucket, "arima_starts": arima_starts, "arima_scale": arima_scale,
                "arima_mean": arima_mean, "arima_root_limit": arima_root_limit, "seed": seed, "lstm_scope": lstm_scope,
                "lstm_layers": lstm_layers, "lstm_hidden": lstm_hidden, "threads": threads}
    given: Any = {name: value for name, value in keywords.items() if value is not None}
    counts = as_trace(trace)
    settings = filled(BacktestConfig, first=first, every=positive("every", every), horizon=positive("horizon", horizon),
                      stride=positive("stride", horizon if stride is None else stride), refit_every=refit_every,
                      assignments=assignments)
    if not isinstance(predictor, str):
        if given:
            raise TypeError(f"{', '.join(given)}: a predictor brings its own configuration")
        return _backtest(predictor, counts, settings, progress)
    _, layers, experts = counts.shape
    with Predictor(predictor, layers=layers, experts=experts, **given) as made:
        return _backtest(made, counts, settings, progress)


def _backtest(predictor: Predictor, counts: NDArray[Any], settings: BacktestConfig,
              progress: Optional[Callable[[float], Any]]) -> Backtest:
    steps, layers, _ = counts.shape
    origins = library.moep_backtest_origins(steps, settings)
    arrays: Any = {name: np.empty((origins, layers), np.uint64 if name == "left_out" else np.float64)
                   for name in BacktestResult.names()}
    pointers: Any = dict.fromkeys(arrays, POINTER(c_double))
    pointers["left_out"] = POINTER(c_uint64)
    result = BacktestResult(**{name: array.ctypes.data_as(pointers[name]) for name, array in arrays.items()})
    with Listener(progress):
        library.moep_backtest(predictor._checked_handle(), described(counts), settings, None, result)
    return Backtest(origins=settings.first + settings.every * np.arange(origins), **arrays)


def forecast_error(forecast: Any, actual: Any) -> Tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]]:
    """Measure the error of a forecast, layer by layer.

    Parameters
    ----------
    forecast, actual : array, (layers, experts)
        Load proportions, finite; those of `actual` 0 or more.

    Returns
    -------
    error : ndarray of float64, (layers,)
        The mean over the experts of |forecast - actual| / max(actual, 0.1 / experts).
    paper_error : ndarray of float64, (layers,)
        The paper's: the mean of |forecast - actual| / actual over the experts whose actual load is not 0; NaN if all
        are 0.
    left_out : ndarray of uint64, (layers,)
        The number of experts that paper_error leaves out.

    Raises
    ------
    ValueError
        Other shapes, or a number that is not allowed.
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
