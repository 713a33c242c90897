# SPDX-License-Identifier: BSD-3-Clause
"""How loaded each expert of a mixture-of-experts training run will be.

>>> import moepredict
>>> predictor = moepredict.Predictor(layers=6, experts=16)
>>> predictor.push(counts)                    # after every training step: [layers, experts]
>>> shares = predictor.predict(1000)          # mean load proportions over the next 1000 steps
"""
from ._library import Error, TooFewSteps, methods, version as __version__
from ._records import (ArimaModel, AutoReport, DetectorConfig, Info, Plan, PlannerConfig, PredictorConfig,
                       RankForecast)
from ._plan_run import PlanReplay, replay_plans
from .detector import LEARN, Detector, State
from .evaluation import Backtest, backtest, forecast_error
from .lstm import LstmTraining, Weights
from .placement import RankLoads, map_invert, map_moves, rank_loads, rebalance_experts
from .planner import Planner
from .predictor import Predictor
from .resampling import join_experts, resample, smooth
from .simulation import expected_shares, simulate

__all__ = ["ArimaModel", "AutoReport", "Backtest", "Detector", "DetectorConfig", "Error", "Info", "LEARN",
           "LstmTraining", "Plan", "PlanReplay", "Planner", "PlannerConfig", "Predictor", "PredictorConfig",
           "RankForecast", "RankLoads", "State", "TooFewSteps", "Weights", "backtest", "expected_shares",
           "forecast_error", "join_experts", "map_invert", "map_moves", "methods", "rank_loads", "rebalance_experts",
           "replay_plans", "resample", "simulate", "smooth", "__version__"]
