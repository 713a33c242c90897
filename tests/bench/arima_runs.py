# SPDX-License-Identifier: BSD-3-Clause
"""Traces, configurations and states at origins for the ARIMA benchmarks on bundled traces."""
import pathlib

import numpy as np

import moepredict

DATA = pathlib.Path(__file__).resolve().parents[2] / "examples/data"
TUNED_ON = "small16-seed1", "small16-seed2"
TRACES = TUNED_ON + ("mid32-seed5",)  # the last is printed only: nothing is tuned on it

DEFAULT = {}
PAPER = {"arima_p": 5, "arima_d": 1, "arima_q": 5, "arima_bucket": 1}
SELECTED = {"arima_p": "select", "arima_d": "select", "arima_q": "select"}


def load(trace):
    return np.load(DATA / f"{trace}.npy")


def title(config):
    """An order and a bucket, as text; where the configuration has neither, the library's default."""
    with moepredict.Predictor("arima", layers=1, experts=1, **config) as predictor:
        full = predictor.config
    order = full.arima_p, full.arima_d, full.arima_q
    text = "selected" if order == ("select",) * 3 else "({}, {}, {})".format(*order)
    return f"ARIMA {text}, bucket {full.arima_bucket}"


def states_at(counts, origins):
    """The detector's states at the origins: [origins, layers]."""
    states, last = [], 0
    with moepredict.Detector(layers=counts.shape[1], experts=counts.shape[2]) as detector:
        for origin in origins:
            detector.push(counts[last:origin])
            states.append(np.array(detector.layer_states))
            last = origin
    return np.array(states)
