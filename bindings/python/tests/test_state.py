# SPDX-License-Identifier: BSD-3-Clause
"""Saved states in checkpoints: any buffer, and dicts that torch.load(weights_only=True) reads."""
import io
import mmap
import pickle
import tempfile
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Detector, Predictor
from reference import Tensor

try:
    import torch
except ImportError:
    torch = None

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(27).poisson(50, (260, LAYERS, EXPERTS)).astype(np.int64)


def predictor(counts=COUNTS, **config):
    made = Predictor(**{"method": "sw_avg", "layers": LAYERS, "experts": EXPERTS, "sw_avg_window": 10, **config})
    made.push(counts, step=70)
    return made


def detector(counts=COUNTS, **config):
    made = Detector(**{"layers": LAYERS, "experts": EXPERTS, **config})
    made.push(counts, step=70)
    return made


class Buffers(unittest.TestCase):
    def test_any_buffer_is_loaded(self):
        for original in (predictor(), detector()):
            state = original.save()
            numbers = np.frombuffer(state, np.uint8)
            spread = np.repeat(numbers, 2)[::2]
            with tempfile.TemporaryFile() as file:
                file.write(state)
                file.flush()
                with mmap.mmap(file.fileno(), 0) as mapped:
                    for buffer in (state, bytearray(state), memoryview(state), mapped, numbers,
                                   np.array(numbers, ndmin=2), numbers.view(np.int8), spread, memoryview(spread),
                                   Tensor(numbers), Tensor(numbers, device="cuda")):
                        with self.subTest(type(buffer).__name__):
                            self.assertEqual(type(original).load(buffer).save(), state)

    def test_the_memory_is_the_callers_and_not_kept(self):
        state = bytearray(predictor().save())
        loaded = Predictor.load(state)
        state[:] = bytes(len(state))
        state.clear()  # would be a BufferError, were it held
        self.assertEqual(loaded.save(), predictor().save())

    def test_other_objects_than_buffers_of_bytes_are_refused_in_words(self):
        numbers = np.frombuffer(predictor().save(), np.uint8)
        for words, other in (("is a str", "text"), ("is a int", 7), ("is a NoneType", None), ("is a list", [1, 2]),
                             ("8 bytes each", numbers.astype(float)),
                             ("dtype torch.int64", Tensor(numbers.astype(np.int64)))):
            with self.subTest(words), self.assertRaisesRegex(TypeError, words + ".*uint8"):
                Predictor.load(other)
        for empty in (b"", np.empty(0, np.uint8), np.empty((0, 3), np.uint8)):
            with self.assertRaisesRegex(moepredict.Error, "corrupt"):
                Predictor.load(empty)


class Dicts(unittest.TestCase):
    def test_a_run_goes_on_with_the_same_bytes(self):
        for make in (predictor, detector):
            whole, first, second = make(), make(COUNTS[:100]), make(COUNTS[:3])
            with mock.patch.dict("sys.modules", torch=None):
                states = first.state_dict()
            self.assertIs(type(states["state"]), np.ndarray)
            self.assertEqual(states["state"].size, second.state_dict()["state"].shape[0])  # in place, it fits
            second.load_state_dict(pickle.loads(pickle.dumps(states)))
            self.assertEqual(second.save(), first.save())
            second.push(COUNTS[100:])
            self.assertEqual(second.save(), whole.save())
            self.assertEqual(repr(second), repr(whole))
            first.close()

    def test_the_configuration_comes_with_it_and_threads_do_not(self):
        other = Predictor("arima", layers=LAYERS, experts=EXPERTS, arima_bucket=2, threads=3)
        model = Predictor("arima", layers=LAYERS, experts=EXPERTS, arima_bucket=1)
        model.push(COUNTS)
        model.fit()
        with mock.patch.object(moepredict._handle, "make_runtime", wraps=moepredict._handle.make_runtime) as runtime:
            other.load_state_dict(model.state_dict())
        runtime.assert_called_with(3)
        self.assertEqual((other.config, other.info), (model.config, model.info))
        np.testing.assert_array_equal(other.predict(50, quantile=0.9), model.predict(50, quantile=0.9))
        loaded = Predictor.load(other.save(), threads=2)
        self.assertEqual((other._threads, other.clone()._threads, loaded._threads), (3, 3, 2))

    def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(self):
        damaged = predictor().save()[:-1]
        for kind, words, states in (
                (ValueError, r"the state's shape is \(3, 9\), the predictor's \(3, 8\): Predictor.load",
                 predictor(np.ones((1, 3, 9)), experts=9).state_dict()),
                (ValueError, "the state's method is 'arima', the predictor's 'sw_avg'",
                 Predictor("arima", layers=LAYERS, experts=EXPERTS).state_dict()),
                (moepredict.Error, "incompatible", detector().state_dict()),
                (moepredict.Error, "corrupt", {"state": damaged}),
                (ValueError, "no 'state'", {"states": b""}), (TypeError, "not bytes", predictor().save()),
                (TypeError, "is a NoneType", {"state": None})):
            handle = predictor(COUNTS[:50])
            before, last = handle.save(), repr(handle.metrics())
            with self.subTest(words), self.assertRaisesRegex(kind, words):
                handle.load_state_dict(states)
            self.assertEqual((handle.save(), repr(handle.metrics())), (before, last))

    def test_a_predictor_that_is_loaded_has_no_last_step_and_one_that_is_closed_stays_so(self):
        handle = predictor()
        handle.load_state_dict(handle.state_dict())
        self.assertTrue(np.isnan(handle.metrics()["imbalance_now_max"]))
        self.assertTrue(handle._finalizer.alive)
        states = handle.state_dict()
        handle.close()
        for use in (handle.state_dict, lambda: handle.load_state_dict(states)):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_the_handle_that_was_is_freed_and_so_is_one_that_is_refused(self):
        library = moepredict._library.library
        with mock.patch.object(library, "moep_predictor_destroy", wraps=library.moep_predictor_destroy) as destroy:
            handle, other = predictor(), predictor(np.ones((1, 3, 9)), experts=9)
            handle.load_state_dict(handle.state_dict())
            self.assertEqual(destroy.call_count, 1)
            with self.assertRaises(ValueError):
                handle.load_state_dict(other.state_dict())
            self.assertEqual(destroy.call_count, 2)
            handle.close()
            other.close()
            self.assertEqual(destroy.call_count, 4)


@unittest.skipUnless(torch, "no torch")
class Torch(unittest.TestCase):
    def test_torch_loads_it_with_weights_only(self):
        for make in (predictor, detector):
            file = io.BytesIO()
            torch.save({"step": 3, "load": make().state_dict()}, file)
            file.seek(0)
            states = torch.load(file, weights_only=True)["load"]
            self.assertEqual(states["state"].dtype, torch.uint8)
            other = make(COUNTS[:5])
            other.load_state_dict(states)
            self.assertEqual(other.save(), make().save())
            self.assertEqual(type(other).load(states["state"]).save(), make().save())

    def test_torch_may_fill_the_tensor_in_place(self):
        states, saved = predictor(COUNTS[:5]).state_dict(), predictor().state_dict()
        states["state"].copy_(saved["state"])
        other = predictor(COUNTS[:5])
        other.load_state_dict(states)
        self.assertEqual(other.save(), predictor().save())

    def test_a_state_that_was_cast_or_holds_nothing_is_refused_in_words(self):
        state = predictor().state_dict()["state"]
        for kind, words, other in ((TypeError, "dtype torch.bfloat16: expected uint8", state.to(torch.bfloat16)),
                                   (ValueError, "on meta", state.to("meta"))):
            with self.assertRaisesRegex(kind, words):
                predictor().load_state_dict({"state": other})

    def test_weights_may_be_of_bfloat16(self):
        lstm = Predictor("lstm", layers=1, experts=2)
        bias = lstm.lstm_weights(0)["bias_ih"]
        lstm.set_lstm_weights(0, bias_ih=torch.from_numpy(bias).to(torch.bfloat16))
        np.testing.assert_allclose(lstm.lstm_weights(0)["bias_ih"], bias, rtol=0.01)
