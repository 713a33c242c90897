# SPDX-License-Identifier: BSD-3-Clause
"""The weights and the training status of an LSTM."""
from __future__ import annotations

import ctypes
import enum
from ctypes import POINTER, c_float
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._counts import is_tensor
from ._handle import Handle
from ._library import library
from ._values import readable, whole


class Weights(enum.IntEnum):
    """The origin of the weights with which an lstm forecasts.

    UNTRAINED: random, nothing is learned yet. PRETRAINED: the library ships them. TRAINED: ``fit`` or ``fit_traces``
    made them.
    """

    UNTRAINED = 0
    PRETRAINED = 1
    TRAINED = 2


class LstmTraining(NamedTuple):
    """The status of an lstm's training.

    Attributes
    ----------
    weights : Weights
        Where the weights come from that forecasts use.
    rounds : int
        Rounds of training begun since the predictor was made or last learned from traces.
    updates : int
        Updates made in the present round.
    length : int
        Updates of a whole round; 0 before the first.
    loss : float
        The validation loss of the weights in use: the error of the mean load of the next 50, 100, ... 2000 steps,
        averaged. NaN: not evaluated yet.
    untrained_loss : float
        The same of an untrained network.
    """

    weights: Weights
    rounds: int
    updates: int
    length: int
    loss: float
    untrained_loss: float


def training_of(predictor: Handle) -> LstmTraining:
    struct = _structs.LstmTraining()
    library.moep_predictor_lstm_training(predictor._checked_handle(), struct)
    values = readable(struct)
    return LstmTraining(Weights(values.pop("weights")), **values)


# ---- weights ----

def _described(predictor: Handle, layer: int) -> Tuple[_structs.LstmWeights, Dict[str, Tuple[int, ...]]]:
    """A recurrent layer without its arrays, and their shapes."""
    struct = _structs.LstmWeights()
    library.moep_predictor_lstm_weights(predictor._checked_handle(), layer, struct)
    rows = 4 * struct.hidden
    return struct, {"weight_ih": (rows, struct.inputs), "weight_hh": (rows, struct.hidden), "bias_ih": (rows,),
                    "bias_hh": (rows,)}


def _point(struct: _structs.LstmWeights, arrays: Dict[str, NDArray[np.float32]]) -> None:
    """Point the struct to arrays, which must live as long as it is used."""
    for name, array in arrays.items():
        setattr(struct, name, array.ctypes.data_as(POINTER(c_float)))


def weights_of(predictor: Handle, layer: int) -> Dict[str, NDArray[np.float32]]:
    layer = whole("layer", layer, 0, 2**(8 * ctypes.sizeof(ctypes.c_size_t)) - 1)
    struct, shapes = _described(predictor, layer)
    arrays = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
    _point(struct, arrays)
    library.moep_predictor_lstm_weights(predictor._checked_handle(), layer, struct)
    return arrays


def _as_floats(values: Any) -> NDArray[np.float32]:
    if is_tensor(values):
        values = values.detach().cpu().float().numpy()  # bfloat16 has no array
    with np.errstate(over="ignore"):  # too large for a float becomes infinite, which the library refuses
        return np.ascontiguousarray(values, np.float32)


def set_weights(predictor: Handle, layer: int, given: Dict[str, Any]) -> None:
    """Replace arrays by their names; None keeps an array."""
    arrays = weights_of(predictor, layer)
    for name, values in given.items():
        if values is None:
            continue
        array = _as_floats(values)
        if array.shape != arrays[name].shape:
            raise ValueError(f"{name} has shape {array.shape}: expected {arrays[name].shape}")
        arrays[name] = array
    struct, _ = _described(predictor, layer)
    _point(struct, arrays)
    library.moep_predictor_set_lstm_weights(predictor._checked_handle(), layer, struct)
