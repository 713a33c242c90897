# SPDX-License-Identifier: BSD-3-Clause
"""The predictor."""
from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._auto_report import report_of
from ._counts import as_array
from ._handle import Handle
from ._learning import Learner
from ._library import Error, library
from ._metrics import imbalance, summary, totals
from ._records import AutoReport, PredictorConfig
from ._shares import in_range
from ._values import filled, make_runtime, positive


class Predictor(Learner):
    """Forecasts how loaded each expert of each MoE layer will be.

    Parameters
    ----------
    method : str or int, default "auto"
        The forecasting method: its name, one of ``moepredict.methods()``, or its number. "auto" mixes ten forecasts,
        and learns during the run which of them to trust.
    layers, experts : int
        The shape of the counts of one step, 1 or more each. A model whose layers differ in their number of experts
        needs a predictor for each number.
    sw_avg_window : int, default 200
        Steps that sw_avg averages, 1 or more. Short windows follow a changing load, long ones average noise away.
    history : int, default 0
        Steps kept, at 4 bytes per series. 0: as many as the method needs, which is sw_avg_window for sw_avg, 1000 or
        200 arima_bucket, whichever is more, for arima, 2048 for lstm, and 1 for auto, which keeps means instead and
        has no use for more. At least, in the same order: sw_avg_window, 8 arima_bucket, 2000, 1.
    fit_budget : float, default 0
        What one call of ``fit`` may spend, in millions of floating-point operations; 0: no limit. The count is a
        formula, the same on any machine. A call whose budget is spent returns, and the next one continues from there.
        One update of the default lstm costs about 70.
    arima_p, arima_d, arima_q : int or "select", default 2, 1, 2
        The order: p and q 0 to 8, d 0 to 2. "select" chooses p and q up to 5, d up to 1. The paper's is (5, 1, 5).
    arima_order_scope : str or int, default "per_layer"
        Where orders are selected: "per_layer" takes the order that most of a layer's experts would have, "per_series"
        selects for each expert.
    arima_bucket : int, default 5
        Steps averaged into one observation, 1 to 10000. The paper's is 1; more average noise away and fit faster.
    arima_starts : int, default 5
        Starting points of the search for the largest likelihood, 1 to 1000. It has several maxima for large p and q.
    arima_scale : str or int, default "shares"
        What is modelled: "shares", or "log_ratios", the logarithm of a share over the mean load.
    arima_mean : int, default 1
        1: a model with d = 0 has a mean; 0: its mean is zero.
    arima_root_limit : float, default 0.995
        Forecasts use polynomials whose inverse roots have at most this modulus, more than 0 and at most 1. Roots that
        nearly cancel on the unit circle make the future look too certain. 1: no change.
    seed : int, default 0
        The seed of all random numbers: first weights, order of training. For lstm, and auto's network.
    lstm_scope : str or int, default "shared"
        "shared": one network that all series of all runs share. "joint": the paper's, one network for all experts of
        all layers of this run; it must be fitted before it forecasts.
    lstm_layers : int, default 1
        Recurrent layers, 0 to 4 (joint: 1 to 4).
    lstm_hidden : int, default 16
        Units of each layer, 1 to 512. Only networks with the defaults, or without layers, begin with weights that the
        library ships; any other begins untrained.
    threads : int, default 0
        Threads that one call may use; 0 and 1: the caller's alone. Results are the same for any number.

    Raises
    ------
    ValueError, TypeError
        A bad argument. The message says what is wrong.
    MemoryError
    moepredict.TooFewSteps
        Not enough history yet: see ``info.min_steps``.
    moepredict.Error
        Anything else; ``status`` is its number. TooFewSteps is one too.

    Notes
    -----
    ``close()`` or a ``with`` block frees the memory; otherwise that happens at garbage collection.

    Threads: a call that changes a predictor (push, fit, adopt, reset, load_state_dict, close) must not overlap any
    other call on it. Other calls may overlap each other. Different predictors are independent. Calls release the GIL,
    so a clone can be fitted in another thread while training continues: see `adopt`.

    Examples
    --------
    >>> import moepredict
    >>> counts, truth = moepredict.simulate(500, layers=2, experts=8)
    >>> with moepredict.Predictor(layers=2, experts=8) as predictor:
    ...     predictor.push(counts)
    ...     predictor.predict(1000).shape
    (2, 8)
    """

    _kind = "predictor"
    _config_struct = _structs.PredictorConfig

    def __init__(self, method: Union[str, int] = "auto", *, layers: int, experts: int, sw_avg_window: int = 200,
                 history: int = 0, fit_budget: float = 0.0, arima_p: Union[int, str] = 2, arima_d: Union[int, str] = 1,
                 arima_q: Union[int, str] = 2, arima_order_scope: Union[str, int] = "per_layer", arima_bucket: int = 5,
                 arima_starts: int = 5, arima_scale: Union[str, int] = "shares", arima_mean: int = 1,
                 arima_root_limit: float = 0.995, seed: int = 0, lstm_scope: Union[str, int] = "shared",
                 lstm_layers: int = 1, lstm_hidden: int = 16, threads: int = 0) -> None:
        config = filled(_structs.PredictorConfig, method=method, sw_avg_window=sw_avg_window, history=history,
                        fit_budget=fit_budget, arima_p=arima_p, arima_d=arima_d, arima_q=arima_q,
                        arima_order_scope=arima_order_scope, arima_bucket=arima_bucket, arima_starts=arima_starts,
                        arima_scale=arima_scale, arima_mean=arima_mean, arima_root_limit=arima_root_limit, seed=seed,
                        lstm_scope=lstm_scope, lstm_layers=lstm_layers, lstm_hidden=lstm_hidden)
        layers, experts = positive("layers", layers), positive("experts", experts)
        handle = ctypes.c_void_p()
        library.moep_predictor_create(layers, experts, config, make_runtime(threads), handle)
        self._threads = threads
        self._attach(handle)

    def _attach(self, handle: ctypes.c_void_p) -> None:
        super()._attach(handle)
        self._last: Optional[NDArray[Any]] = None

    @property
    def config(self) -> PredictorConfig:
        """`PredictorConfig`: the configuration, with names for numbers that have one and the method's own history."""
        return PredictorConfig(**self._read_config())

    # ---- counts in ----

    def push(self, counts: Any, step: Optional[int] = None) -> None:
        counts = as_array(counts)
        if self._push(counts, step):
            self._keep(counts if counts.ndim == 2 else counts[-1])

    push.__doc__ = Handle.push.__doc__

    def _keep(self, last: NDArray[Any]) -> None:
        """Store the last step's counts, for metrics."""
        if self._last is None or self._last.dtype != last.dtype:
            self._last = np.empty_like(last)
        np.copyto(self._last, last)

    def reset(self) -> None:
        """Forget the history, and what auto has learned from it; keep what fit has learned. Steps are numbered from 0
        again."""
        library.moep_predictor_reset(self._checked_handle())
        self._last = None

    # ---- forecasts out ----

    def predict(self, horizon: int, stride: Optional[int] = None, *,
                quantile: Union[None, float, Sequence[float]] = None) -> NDArray[np.float64]:
        """Forecast the load proportions of the next steps.

        Parameters
        ----------
        horizon : int
            Steps ahead, 1 or more.
        stride : int, optional
            Steps averaged into one row, 1 or more; the last row has what is left. 1: every single step. Default None:
            the mean over the whole horizon, without the axis of rows.
        quantile : float or sequence of float, optional
            Quantile levels, each more than 0 and less than 1: the observed mean of a row's steps will not exceed the
            result in that part of all cases. Default None: the forecast itself.

        Returns
        -------
        ndarray of float64, (rows, layers, experts), or (layers, experts) where stride is None
            Each layer of a row is 0 or more and sums to 1; of a quantile each number is within 0 and 1. A sequence of
            quantile levels gives (n, ...) of that.

        Raises
        ------
        moepredict.TooFewSteps
            Fewer than ``info.min_steps`` steps have been pushed.
        moepredict.Error
            The method has no quantiles, as sw_avg; or it has to be fitted first: arima's quantiles, a joint lstm.
        """
        horizon = positive("horizon", horizon)
        row = horizon if stride is None else positive("stride", stride)
        shape = (library.moep_forecast_rows(horizon, row), self.layers, self.experts)
        shares: NDArray[np.float64]
        if quantile is None:
            shares = np.empty(shape)
            library.moep_predictor_predict(self._checked_handle(), horizon, row, shares.ctypes.data, shares.size)
        else:
            levels = np.array(quantile, float).ravel()
            shares = np.empty((len(levels), *shape))
            library.moep_predictor_predict_quantiles(self._checked_handle(), horizon, row, levels.ctypes.data,
                                                     len(levels), shares.ctypes.data, shares.size)
            shares = shares if np.ndim(quantile) else shares[0]
        return shares[..., 0, :, :] if stride is None else shares

    # ---- for a dashboard ----

    @property
    def auto_report(self) -> AutoReport:
        """`AutoReport`: the weights of auto's candidates, expected errors, coverage, jumps. For others an Error."""
        return report_of(self)

    def _expected_errors(self) -> NDArray[np.float64]:
        return self.auto_report.expected_error if self.info.method == "auto" else np.empty(0)

    def metrics(self, horizon: int = 1000) -> Dict[str, float]:
        """Summarise the loads, now and forecast, for a training dashboard.

        Parameters
        ----------
        horizon : int, default 1000
            Steps ahead of the forecast.

        Returns
        -------
        dict of float, always with the same keys
            ``imbalance_now_mean``, ``_min``, ``_max``: over the layers, the largest load over the mean load in the last
            step pushed; layers without a token do not count. ``imbalance_forecast_*``: the same of the forecast. NaN:
            no such step or forecast yet (one that was loaded or cloned has no last step until the next push).
            ``expected_error_*``: over the layers, the error to expect of the mean load of the next 1000 steps, as in
            ``auto_report``; NaN before there is one, and for other methods.
            ``steps``, ``gaps``, ``empty_layers``: as in ``info``.
        """
        try:
            forecast = self.predict(positive("horizon", horizon))
        except Error:  # too early, or not fitted
            forecast = np.empty((0, self.experts))
        now = np.empty((0, self.experts)) if self._last is None else in_range(self._last)
        return {**summary("imbalance_now", imbalance(now)), **summary("imbalance_forecast", imbalance(forecast)),
                **summary("expected_error", self._expected_errors()), **totals(self.info)}
