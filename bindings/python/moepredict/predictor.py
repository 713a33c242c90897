# SPDX-License-Identifier: BSD-3-Clause
"""The predictor."""
from __future__ import annotations

import ctypes
import os
from collections import namedtuple
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Union

import numpy as np

from . import _structs, lstm
from ._counts import as_array, as_trace, described
from ._handle import Handle, checked, make_runtime, number_of, positive, set_fields, whole
from ._library import Error, library
from ._progress import Listener
from ._shares import in_range
from ._structs import PredictorConfig
from .lstm import LstmTraining

Config = namedtuple("Config", PredictorConfig.names())
ArimaModel = namedtuple("ArimaModel", ["order", *_structs.ArimaModel.names()[3:]])


class Predictor(Handle):
    """Forecasts how loaded each expert of each MoE layer will be.

    Parameters
    ----------
    method : str
        The forecasting method, one of ``moepredict.methods()``.
    layers, experts : int
        The shape of the counts of one step.
    threads : int, default 0
        Threads that a call may work with; 0 and 1: the caller's alone. Results do not depend on it.
    **config
        Fields of ``moep_predictor_config``, by their names: ``sw_avg_window``, ``history``, ``arima_p``, ... What is
        not given has the library's default. Enumerated fields take a number or a name (``lstm_scope="joint"``), orders
        also ``"select"``.

    Raises
    ------
    ValueError, TypeError
        A bad argument, in words.
    MemoryError
    moepredict.TooFewSteps
        Not enough history yet: ``info.min_steps``.
    moepredict.Error
        Anything else, with ``.status``; TooFewSteps is one too.

    Notes
    -----
    Free it with ``close()`` or a ``with`` block; otherwise that happens when it is collected. Calls that change a
    predictor must not overlap other calls on it; different predictors are independent.
    """

    _kind = "predictor"
    _config_struct = PredictorConfig
    _Config = Config

    def __init__(self, method: str = "sw_avg", *, layers: int, experts: int, threads: int = 0, **config: Any):
        fields = PredictorConfig()
        method = checked(PredictorConfig, "method", number_of("method", method))
        library.moep_predictor_config_init(fields, method)
        set_fields(fields, config)
        layers, experts = positive("layers", layers), positive("experts", experts)
        handle = ctypes.c_void_p()
        library.moep_predictor_create(layers, experts, fields, make_runtime(threads), handle)
        self._threads = threads
        self._own(handle)

    def _own(self, handle: ctypes.c_void_p) -> None:
        super()._own(handle)
        self._last: Optional[np.ndarray] = None

    # ---- counts in ----

    def push(self, counts: Any, step: Optional[int] = None) -> None:
        counts = as_array(counts)
        if self._push(counts, step):
            self._keep(counts if counts.ndim == 2 else counts[-1])

    push.__doc__ = Handle.push.__doc__

    def _keep(self, last: np.ndarray) -> None:
        """The last step's counts, for metrics."""
        if self._last is None or self._last.dtype != last.dtype:
            self._last = np.empty_like(last)
        np.copyto(self._last, last)

    def reset(self) -> None:
        """Forget the history and keep what fit has learned."""
        library.moep_predictor_reset(self._open())
        self._last = None

    # ---- forecasts out ----

    def fit(self, *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Estimate the method's model on the history held. Nothing to do for sw_avg; an lstm goes on from its present weights.

        Parameters
        ----------
        progress : callable, optional
            progress(fraction); a true result cancels with an Error, an exception with that exception, as does Ctrl-C. The
            model is then as it was.
        """
        with Listener(progress):
            library.moep_predictor_fit(self._open())

    def fit_trace(self, trace: Any, *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Learn from one other run: fit_traces says what and how."""
        self.fit_traces([trace], progress=progress)

    def fit_traces(self, traces: Iterable[Any], *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Learn from other runs, from the beginning: nothing of what the predictor had learned is left, the weights that the
        library ships included; the history stays. For an lstm; other runs have nothing to say to the other methods.

        Parameters
        ----------
        traces : iterable of ndarray, CPU tensor or file name, each (steps, layers, experts)
            Token counts, of 600 steps or more; a file is a ``.npy``. Each of any dtype that push takes, and not copied where
            it is contiguous. Shapes may differ; with ``lstm_scope="joint"`` all must be like the predictor.
        progress : callable, optional
            progress(fraction); a true result cancels with an Error, an exception with that exception, as does Ctrl-C. The
            model is then as it was.

        Raises
        ------
        ValueError, TypeError
            A bad trace, or none.
        moepredict.Error
            A trace is too short, or another shape than a joint form's; the method does not learn from other runs.
        """
        if isinstance(traces, (str, bytes, os.PathLike)) or getattr(traces, "ndim", 4) < 4:
            raise TypeError("fit_traces takes a list of traces; fit_trace takes one")
        arrays = [as_trace(trace) for trace in traces]
        structs = (_structs.Trace * len(arrays))(*map(described, arrays))
        with Listener(progress):
            library.moep_predictor_fit_traces(self._open(), structs, len(arrays))

    def adopt(self, fitted: "Predictor") -> None:
        """Take over what another predictor's fit has learned, usually a clone's that was fitted in another thread; keep the
        own history and step number."""
        library.moep_predictor_adopt(self._open(), fitted._open())

    def predict(self, horizon: int, stride: Optional[int] = None, *,
                quantile: Union[None, float, Sequence[float]] = None) -> np.ndarray:
        """Forecast the load proportions of the next steps.

        Parameters
        ----------
        horizon : int
            Steps ahead.
        stride : int, optional
            Steps averaged into one row; 1: every step by itself. None: the mean over the whole horizon, without the
            axis of rows.
        quantile : float or sequence of float, optional
            Probabilities, each more than 0 and less than 1: in place of the forecast the load that a row's mean will not
            exceed in so many cases. An Error for a method that has none, as sw_avg.

        Returns
        -------
        float64 (rows, layers, experts), or (layers, experts) where stride is None; each layer of a row sums to 1, unless it
        is a quantile. A sequence of quantiles gives (n, ...).
        """
        horizon = positive("horizon", horizon)
        row = horizon if stride is None else positive("stride", stride)
        shape = (library.moep_forecast_rows(horizon, row), self.layers, self.experts)
        if quantile is None:
            shares = np.empty(shape)
            library.moep_predictor_predict(self._open(), horizon, row, shares.ctypes.data, shares.size)
        else:
            probabilities = np.array(quantile, float).ravel()
            shares = np.empty((len(probabilities), *shape))
            library.moep_predictor_predict_quantiles(self._open(), horizon, row, probabilities.ctypes.data,
                                                     len(probabilities), shares.ctypes.data, shares.size)
            shares = shares if np.ndim(quantile) else shares[0]
        return shares[..., 0, :, :] if stride is None else shares

    def arima_model(self, layer: int, expert: int) -> ArimaModel:
        """What ARIMA has estimated for one series; an Error before a fit has come to it, or of another method.

        Returns
        -------
        ArimaModel
            order (p, d, q), phi, theta, phi_error, theta_error (arrays), mean, sigma2, loglik, aicc, period, fallback:
            moep_arima_model says what each is.
        """
        model = _structs.ArimaModel()
        library.moep_predictor_arima_model(self._open(), whole("layer", layer), whole("expert", expert), model)
        values = model.values()
        p, d, q = (values.pop(name) for name in "pdq")
        for name, length in (("phi", p), ("theta", q), ("phi_error", p), ("theta_error", q)):
            values[name] = np.array(values[name][:length])
        return ArimaModel(order=(p, d, q), **values)

    @property
    def lstm_training(self) -> LstmTraining:
        """What has become of an lstm's training: ``.weights`` (``Weights.UNTRAINED``, ``PRETRAINED``, ``TRAINED``), ``rounds``,
        ``updates`` and ``length`` of the present round, ``loss`` and ``untrained_loss``. An Error for another method."""
        return lstm.training_of(self)

    def lstm_weights(self, layer: int) -> Dict[str, np.ndarray]:
        """The weights of one recurrent layer, in the layout of torch.nn.LSTM.

        Parameters
        ----------
        layer : int
            0 .. lstm_layers - 1.

        Returns
        -------
        dict of float32 arrays
            weight_ih (4 hidden, inputs), weight_hh (4 hidden, hidden), bias_ih and bias_hh (4 hidden,): rows of the gates
            i, f, g, o. The two biases are only ever added. The arrays are copies.
        """
        return lstm.weights_of(self, layer)

    def set_lstm_weights(self, layer: int, **arrays: Any) -> None:
        """Replace weights of one recurrent layer. A round of training that was under way is given up.

        Parameters
        ----------
        layer : int
            0 .. lstm_layers - 1.
        **arrays : array or tensor
            weight_ih, weight_hh, bias_ih, bias_hh, of the shapes that lstm_weights gives; rounded to float32. What is not
            given stays. Each number within -10^6 .. 10^6, or it is a ValueError and nothing changes.
        """
        lstm.set_weights(self, layer, arrays)

    def metrics(self, horizon: int = 1000) -> Dict[str, float]:
        """Numbers for a training dashboard: a flat dict whose keys stay the same.

        ``imbalance_now_*``: the largest load of a layer over its mean load in the last step pushed (layers without a token
        left out); ``imbalance_forecast_*``: as forecast over the next `horizon` steps; each the mean, min and max over
        layers, NaN where there is no such step or forecast yet (a predictor that was loaded or cloned has no last step
        until the next push). ``steps``, ``gaps``, ``empty_layers``: totals so far, as in ``info``.
        """
        info = self.info
        loads = {"now": None if self._last is None else in_range(self._last)}
        try:
            loads["forecast"] = self.predict(positive("horizon", horizon))
        except Error:  # too early, or not fitted
            loads["forecast"] = None
        result = {}
        for name, load in loads.items():
            load = np.empty((0, self.experts)) if load is None else load[load.sum(1) > 0]
            of_layers = load.max(1) / load.mean(1) if len(load) else np.array([np.nan])
            for kind in ("mean", "min", "max"):
                result[f"imbalance_{name}_{kind}"] = float(getattr(of_layers, kind)())
        result.update(steps=float(info.steps), gaps=float(info.gaps), empty_layers=float(info.empty_layers))
        return result
