# SPDX-License-Identifier: BSD-3-Clause
"""The information that handles report, as tuples with named and typed fields in the order of the C structs."""
from __future__ import annotations

from typing import NamedTuple, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray


class Info(NamedTuple):
    """What a predictor, detector or planner is and has seen.

    Attributes
    ----------
    method : str or None
        The forecasting method, one of ``moepredict.methods()``; None: a detector or planner.
    layers, experts : int
        The shape of the counts of one step.
    history : int
        Steps kept at most; of a detector those of its longest sliding window.
    steps : int
        Steps pushed so far.
    next_step : int
        The number that ``push`` gives to the next step.
    min_steps : int
        Steps that must have been pushed before ``predict`` answers; of a detector the steps of WARMUP.
    fitted_step : int or None
        ``next_step`` at the last fit that changed the model; None: no fit has.
    empty_layers : int
        (step, layer) pairs without a token. Such a layer repeats its last shares.
    gaps : int
        Step numbers skipped between the first and the last step pushed.
    """

    method: Optional[str]
    layers: int
    experts: int
    history: int
    steps: int
    next_step: int
    min_steps: int
    fitted_step: Optional[int]
    empty_layers: int
    gaps: int


class PredictorConfig(NamedTuple):
    """The configuration of a predictor. `Predictor` explains the fields, which are its keywords.

    Attributes
    ----------
    method : str
        The forecasting method.
    sw_avg_window : int
        Steps that sw_avg averages.
    history : int
        Steps kept; the method's own number where 0 was given.
    fit_budget : float
        Millions of floating-point operations that one call of ``fit`` may spend; 0: no limit.
    arima_p, arima_d, arima_q : int or "select"
        The order.
    arima_order_scope : str
        "per_layer" or "per_series": where orders are selected.
    arima_bucket : int
        Steps averaged into one observation.
    arima_starts : int
        Starting points of the search for the largest likelihood.
    arima_scale : str
        "shares" or "log_ratios": what is modelled.
    arima_mean : int
        1: a model with d = 0 has a mean, 0: its mean is zero.
    arima_root_limit : float
        The largest modulus of inverse roots in forecasts.
    seed : int
        The seed of all random numbers.
    lstm_scope : str
        "shared" or "joint": one network that all series share, or one network for all of them together.
    lstm_layers, lstm_hidden : int
        Recurrent layers, and the units of each.
    """

    method: str
    sw_avg_window: int
    history: int
    fit_budget: float
    arima_p: Union[int, str]
    arima_d: Union[int, str]
    arima_q: Union[int, str]
    arima_order_scope: str
    arima_bucket: int
    arima_starts: int
    arima_scale: str
    arima_mean: int
    arima_root_limit: float
    seed: int
    lstm_scope: str
    lstm_layers: int
    lstm_hidden: int


class DetectorConfig(NamedTuple):
    """The configuration of a detector. `Detector` explains the fields, which are its keywords.

    Attributes
    ----------
    horizon : int
        Steps ahead that STABLE is about.
    tolerance, expert_tolerance : float
        The error that STABLE tolerates, of a layer and of an expert, in units of the mean load.
    growth : float
        The power of the time ahead as which drift grows, 0 to 1; LEARN: it is learned from the run.
    drift_window : int
        Steps of each of the two spans whose means are compared.
    block : int
        Steps averaged into one observation of the load.
    dwell : int
        Steps for which the error must be expected within the tolerance before STABLE begins.
    windows : tuple of 4 int
        Steps of the sliding windows; 0: none.
    """

    horizon: int
    tolerance: float
    expert_tolerance: float
    growth: float
    drift_window: int
    block: int
    dwell: int
    windows: Tuple[int, ...]


class PlannerConfig(NamedTuple):
    """The configuration of a planner. `Planner` explains the fields, which are its keywords.

    Attributes
    ----------
    span : int
        Steps over which loads are kept.
    scenarios : int
        Single steps kept.
    risk : float
        Standard deviations above the mean for which the methods "risk" and "scenarios" plan.
    """

    span: int
    scenarios: int
    risk: float


class Plan(NamedTuple):
    """Where experts go, and whether moving them pays. `stay`, `go` and `net_gain` are expectations.

    Attributes
    ----------
    map : ndarray of int64, (layers, slots)
        The map to go to, the expert in each slot. Copies that stay keep their slots; a layer that stays, its map.
    stay : ndarray of float64, (layers,)
        Mean peak under the current map: the largest rank load of single steps over the mean rank load. NaN without a
        current map, and where an expert is missing in it.
    go : ndarray of float64, (layers,)
        Mean peak under `map`, equal to `stay` where the layer stays. NaN, as `stay`, for a layer that was left out.
    moved : ndarray of uint64, (layers,)
        Slots that receive another expert; without a current map all.
    advice : ndarray of bool, (layers,)
        True: the layer moves.
    net_gain : float
        Of all layers that move, in layer-steps of mean rank load, with the costs taken off. 0 without a current map.
    """

    map: NDArray[np.int64]
    stay: NDArray[np.float64]
    go: NDArray[np.float64]
    moved: NDArray[np.uint64]
    advice: NDArray[np.bool_]
    net_gain: float


class RankForecast(NamedTuple):
    """What every rank will carry in single steps under a map. n is the number of quantile levels.

    Attributes
    ----------
    loads : ndarray of float64, (layers, ranks)
        Mean rank loads, shares of the layer's tokens.
    peak : ndarray of float64, (layers,)
        Mean peak: the largest rank load of a step over the mean rank load.
    quantiles : ndarray of float64, (n, layers), or (layers,) for a single level
        Quantiles of the peak.
    rank_quantiles : ndarray of float64, (n, layers, ranks), or (layers, ranks)
        Quantiles of each rank's load by itself.
    """

    loads: NDArray[np.float64]
    peak: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    rank_quantiles: NDArray[np.float64]


class AutoReport(NamedTuple):
    """What auto says of itself: how it mixes its forecasts now, and how good they are.

    Attributes
    ----------
    candidates : tuple of str
        The forecasts that it mixes, by name.
    weights : ndarray of float64, (layers, candidates)
        Their weights in a forecast made now, 0 or more; those of a layer sum to 1.
    expected_error : ndarray of float64, (layers,)
        The error to expect of the mean load of the next 1000 steps, as `forecast_error` measures it: that of its own
        past forecasts in this run. NaN before the first of them is evaluated, at step 1100.
    coverage : ndarray of float64, (layers, 2)
        How often its past intervals of 80 and 95 % of that mean held. NaN before the first of them is evaluated.
    since_jump : ndarray of uint64, (layers,)
        Steps since the layer's load last jumped; all, if it has not.
    """

    candidates: Tuple[str, ...]
    weights: NDArray[np.float64]
    expected_error: NDArray[np.float64]
    coverage: NDArray[np.float64]
    since_jump: NDArray[np.uint64]


class ArimaModel(NamedTuple):
    """The ARIMA(p, d, q) estimate for one series.

    The observations are means of ``arima_bucket`` steps. With w(t) their d-th difference and e(t) independent of the
    past,

        w(t) = mean + sum_i phi[i] (w(t-1-i) - mean) + e(t) + sum_j theta[j] e(t-1-j),    Var e = sigma2.

    phi has the signs of Box and Jenkins, theta those of R.

    Attributes
    ----------
    order : tuple of 3 int
        (p, d, q) as estimated, which may be smaller than requested: see fallback.
    period : int
        The season that order selection found, in observations; it is reported and not modelled. 0: none.
    fallback : int
        0: the requested order. 1: the history is too short for it, and a smaller one was estimated.
        2: the series is constant, and so is its forecast.
    phi : ndarray of float64, (p,)
        Autoregressive coefficients.
    theta : ndarray of float64, (q,)
        Moving-average coefficients.
    phi_error, theta_error : ndarray of float64, (p,) and (q,)
        Their standard errors.
    mean : float
        The mean of w; 0 for d > 0.
    sigma2 : float
        The variance of e, by maximum likelihood.
    loglik, aicc : float
        The exact Gaussian log-likelihood of w, and Akaike's corrected criterion; infinite where sigma2 is 0.
    """

    order: Tuple[int, int, int]
    period: int
    fallback: int
    phi: NDArray[np.float64]
    theta: NDArray[np.float64]
    phi_error: NDArray[np.float64]
    theta_error: NDArray[np.float64]
    mean: float
    sigma2: float
    loglik: float
    aicc: float
