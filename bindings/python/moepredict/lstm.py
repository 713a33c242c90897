# SPDX-License-Identifier: BSD-3-Clause
"""What an LSTM has learned: its weights, and how its training went."""
from __future__ import annotations

import ctypes
import enum
from ctypes import POINTER, c_float
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np

from . import _structs
from ._counts import is_tensor
from ._handle import Handle, whole
from ._library import library


class Weights(enum.IntEnum):
    """What an LSTM forecasts with: nothing learned yet, the weights that the library ships, or its own training's."""

    UNTRAINED = 0
    PRETRAINED = 1
    TRAINED = 2


class LstmTraining(NamedTuple):
    """What has become of an LSTM's training."""

    weights: Weights
    rounds: int            # of training that have begun since the predictor was made or last learned from traces
    updates: int           # made in the present round
    length: int            # updates that it has in all; 0 before the first
    loss: float            # on what was held out, when last judged: the error of the mean load of the next 50, 100, ... 2,000
                           # steps, averaged; NaN: not judged yet
    untrained_loss: float  # of an untrained network on the same


def training_of(predictor: Handle) -> LstmTraining:
    struct = _structs.LstmTraining()
    library.moep_predictor_lstm_training(predictor._open(), struct)
    values = struct.values()
    return LstmTraining(Weights(values.pop("weights")), **values)


# ---- weights ----

def _described(predictor: Handle, layer: int) -> Tuple[_structs.LstmWeights, Dict[str, Tuple[int, ...]]]:
    """A recurrent layer without its arrays, and their shapes."""
    struct = _structs.LstmWeights()
    library.moep_predictor_lstm_weights(predictor._open(), layer, struct)
    rows = 4 * struct.hidden
    return struct, {"weight_ih": (rows, struct.inputs), "weight_hh": (rows, struct.hidden), "bias_ih": (rows,),
                    "bias_hh": (rows,)}


def _point(struct: _structs.LstmWeights, arrays: Dict[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        setattr(struct, name, array.ctypes.data_as(POINTER(c_float)))


def weights_of(predictor: Handle, layer: int) -> Dict[str, np.ndarray]:
    layer = whole("layer", layer, 0, 2**(8 * ctypes.sizeof(ctypes.c_size_t)) - 1)
    struct, shapes = _described(predictor, layer)
    arrays = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
    _point(struct, arrays)
    library.moep_predictor_lstm_weights(predictor._open(), layer, struct)
    return arrays


def set_weights(predictor: Handle, layer: int, given: Dict[str, Any]) -> None:
    arrays = weights_of(predictor, layer)
    for name, values in given.items():
        if name not in arrays:
            raise TypeError(f"{name!r} is none of a recurrent layer's arrays: there are {', '.join(arrays)}")
        if is_tensor(values):
            values = values.detach().cpu().float().numpy()  # of bfloat16 there is no array
        with np.errstate(over="ignore"):  # what is too large for a float becomes infinite, which the library refuses
            values = np.ascontiguousarray(values, np.float32)
        if values.shape != arrays[name].shape:
            raise ValueError(f"{name} has shape {values.shape}: expected {arrays[name].shape}")
        arrays[name] = values
    struct, _ = _described(predictor, layer)
    _point(struct, arrays)
    library.moep_predictor_set_lstm_weights(predictor._open(), layer, struct)
