# SPDX-License-Identifier: BSD-3-Clause
"""How a predictor's model is fitted, copied and read."""
from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Optional

import numpy as np
from numpy.typing import NDArray

from . import _structs, lstm
from ._counts import as_trace, described
from ._handle import Handle
from ._library import library
from ._progress import Listener
from ._records import ArimaModel
from ._values import readable, whole
from .lstm import LstmTraining


class Learner(Handle):
    """The half of a predictor that is about its model."""

    def fit(self, *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Estimate the method's model on the history held. For sw_avg and auto this does nothing.

        arima estimates every series. lstm continues training from its present weights: one round of 400 updates, or
        what fit_budget allows. The last quarter of its history is held out for validation, and new weights must
        forecast that better by 3 %. With fewer than 600 steps lstm stays as it is.

        Parameters
        ----------
        progress : callable, optional
            ``progress(fraction)``, called in this thread with 0 to 1. If it returns something true the call ends with
            an Error; an exception in it, or Ctrl-C, ends the call with that exception. The model is then as it was.

        Raises
        ------
        moepredict.TooFewSteps
            arima: fewer than 8 arima_bucket steps are held.
        moepredict.Error
            Cancelled; or the training of the lstm diverged.
        """
        with Listener(progress):
            library.moep_predictor_fit(self._checked_handle())

    def fit_trace(self, trace: Any, *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Learn from one other run, as `fit_traces` does from several.

        Parameters
        ----------
        trace : ndarray, CPU tensor or file name, (steps, layers, experts)
            Token counts of 600 steps or more.
        progress : callable, optional
            As for `fit`.
        """
        self.fit_traces([trace], progress=progress)

    def fit_traces(self, traces: Iterable[Any], *, progress: Optional[Callable[[float], Any]] = None) -> None:
        """Learn from other runs, from the beginning. Only lstm and the network of auto can.

        Everything learned before is discarded, the shipped weights included. The history stays.

        Parameters
        ----------
        traces : iterable of ndarray, CPU tensor or file name, each (steps, layers, experts)
            Token counts of 600 steps or more, of any dtype that `push` takes; a file is a ``.npy``. Contiguous arrays
            are not copied. Shapes may differ; with ``lstm_scope="joint"`` all must be like the predictor's.
        progress : callable, optional
            As for `fit`.

        Raises
        ------
        ValueError, TypeError
            A bad trace, or none at all.
        moepredict.Error
            A trace is too short (TooFewSteps) or, for a joint lstm, of another shape; the method cannot learn from
            other runs; or as for `fit`.
        """
        if isinstance(traces, (str, bytes, os.PathLike)) or getattr(traces, "ndim", 4) < 4:
            raise TypeError("fit_traces takes a list of traces; fit_trace takes one")
        arrays = [as_trace(trace) for trace in traces]
        structs = (_structs.Trace * len(arrays))(*map(described, arrays))
        with Listener(progress):
            library.moep_predictor_fit_traces(self._checked_handle(), structs, len(arrays))

    def adopt(self, fitted: Learner) -> None:
        """Copy what another predictor's fit has learned; keep the own history and step number, and what auto has
        learned from the run.

        With it, a fit can run in another thread on a clone, while this predictor continues. The result is the same, to
        the byte, as if this predictor had been fitted when it was cloned; for auto, if no block of 50 steps has ended
        since.

        Parameters
        ----------
        fitted : Predictor
            Of the same shape and configuration, usually a clone that was fitted. It does not change.

        Raises
        ------
        moepredict.Error
            `fitted` has another shape or configuration.
        """
        library.moep_predictor_adopt(self._checked_handle(), fitted._checked_handle())

    # ---- models ----

    def arima_model(self, layer: int, expert: int) -> ArimaModel:
        """Read what arima has estimated for one series.

        Parameters
        ----------
        layer, expert : int
            The series, from 0.

        Returns
        -------
        ArimaModel

        Raises
        ------
        moepredict.Error
            No fit has estimated this series yet, or the method is another.
        """
        model = _structs.ArimaModel()
        library.moep_predictor_arima_model(self._checked_handle(), whole("layer", layer), whole("expert", expert),
                                           model)
        values = readable(model)
        p, d, q = (values.pop(name) for name in "pdq")
        for name, length in (("phi", p), ("theta", q), ("phi_error", p), ("theta_error", q)):
            values[name] = np.array(values[name][:length])
        return ArimaModel(order=(p, d, q), **values)

    @property
    def lstm_training(self) -> LstmTraining:
        """`LstmTraining`: the weights in use, the progress of the present round, and losses. An Error for other
        methods."""
        return lstm.training_of(self)

    def lstm_weights(self, layer: int) -> Dict[str, NDArray[np.float32]]:
        """Copy the weights of one recurrent layer, in the layout of torch.nn.LSTM.

        Parameters
        ----------
        layer : int
            0 to lstm_layers - 1.

        Returns
        -------
        dict of ndarray of float32
            weight_ih (4 hidden, inputs), weight_hh (4 hidden, hidden), bias_ih and bias_hh (4 hidden,). Rows belong to
            the gates i, f, g, o in this order. Only the sum of the two biases matters.
        """
        return lstm.weights_of(self, layer)

    def set_lstm_weights(self, layer: int, *, weight_ih: Any = None, weight_hh: Any = None, bias_ih: Any = None,
                         bias_hh: Any = None) -> None:
        """Replace weights of one recurrent layer. A round of training under way is discarded.

        Parameters
        ----------
        layer : int
            0 to lstm_layers - 1.
        weight_ih, weight_hh, bias_ih, bias_hh : array or tensor, optional
            Of the shapes that `lstm_weights` returns, rounded to float32; each number within -10^6 and 10^6. None:
            stays.

        Raises
        ------
        ValueError
            A wrong shape or number. Nothing has then changed.
        """
        lstm.set_weights(self, layer, {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias_ih,
                                       "bias_hh": bias_hh})
