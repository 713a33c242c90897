# SPDX-License-Identifier: BSD-3-Clause
"""The LSTM: learning from other runs and from its own, its forecasts, its weights."""
import math
import os
import pathlib
import pickle
import signal
import tempfile
import threading
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Predictor, Weights
from moepredict._counts import DTYPES
from moepredict._library import library
from reference import ROOT, Tensor

DATA = ROOT / "examples" / "data"
SEED1, SEED2 = (np.load(DATA / f"small16-seed{seed}.npy") for seed in (1, 2))
OTHER = SEED2[:1500, :3]  # another run, so short that training takes little time


def make(counts=None, layers=2, experts=8, **config):
    predictor = Predictor("lstm", layers=layers, experts=experts, **config)
    if counts is not None:
        predictor.push(counts)
    return predictor


def joint(counts=None, **config):
    return make(counts, 6, 16, lstm_scope="joint", lstm_hidden=8, **config)


RUN = np.random.default_rng(5).poisson(60, (700, 2, 8)).astype(np.int32)
TRAINED = make(layers=6, experts=16)
TRAINED.fit_traces([OTHER, RUN])


class Traces(unittest.TestCase):
    def test_runs_of_different_shapes_are_learned_from(self):
        training = TRAINED.lstm_training
        self.assertEqual((training.weights, training.rounds, training.updates), (Weights.TRAINED, 1, training.length))
        self.assertLess(training.loss, training.untrained_loss)
        self.assertEqual((TRAINED.info.steps, TRAINED.info.fitted_step), (0, 0))

    def test_one_run_is_a_list_of_one(self):
        one, many = joint(SEED1[:700]), joint(SEED1[:700])
        one.fit_trace(SEED2[:600])
        many.fit_traces(trace for trace in [SEED2[:600]])
        self.assertEqual(one.save(), many.save())
        self.assertEqual(one.lstm_training.weights, Weights.TRAINED)
        self.assertEqual((one.info.steps, one.info.fitted_step), (700, 700))

    def given(self, traces):
        """The structs that the library is called with: (address, dtype, shape)."""
        found = []

        def take(_handle, structs, n):
            found.extend((t.counts, t.dtype, (t.steps, t.layers, t.experts)) for t in structs[:n])

        with mock.patch.object(library, "moep_predictor_fit_traces", side_effect=take):
            make().fit_traces(traces)
        return found

    def test_contiguous_runs_are_taken_where_they_lie(self):
        for dtype, number in DTYPES.items():
            array, other = RUN.astype(dtype), np.ones((3, 4, 5), dtype)
            self.assertEqual(self.given([array, Tensor(other)]), [(array.ctypes.data, number, (700, 2, 8)),
                                                                  (other.ctypes.data, number, (3, 4, 5))])

    def test_every_dtype_layout_and_a_file_teach_the_same(self):
        expected = joint()
        expected.fit_trace(SEED2[:600])
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "run.npy"
            np.save(file, SEED2[:600].astype(np.uint64))
            for trace in (np.asfortranarray(SEED2[:600], float), Tensor(SEED2[:600]), file):
                found = joint()
                found.fit_trace(trace)
                self.assertEqual(found.save(), expected.save())

    def test_bad_traces_change_nothing(self):
        bad = RUN.copy()
        bad[3, 1, 2] = -1
        for kind, words, traces in ((ValueError, "a trace", []), (TypeError, "takes a list", RUN),
                                    (TypeError, "a list", "a.npy"), (TypeError, "not list", [RUN.tolist()]),
                                    (ValueError, "shape", [RUN[0]]),
                                    (ValueError, "step 3 .*layer 1, expert 2", [OTHER, bad]),
                                    (moepredict.Error, "too few steps", [OTHER, RUN[:599]]),
                                    (FileNotFoundError, "none.npy", ["none.npy"])):
            predictor = make(RUN)
            before = predictor.save()
            with self.subTest(words), self.assertRaisesRegex(kind, words):
                predictor.fit_traces(traces)
            self.assertEqual(predictor.save(), before)
        with self.assertRaisesRegex(moepredict.Error, "sw_avg does not learn from other runs") as caught:
            Predictor("sw_avg", layers=2, experts=8).fit_trace(RUN)
        self.assertEqual(caught.exception.name, "unsupported")

    def test_a_joint_network_learns_from_its_own_shape_alone(self):
        predictor = joint()
        with self.assertRaisesRegex(moepredict.Error, "2 layers of 8") as caught:
            predictor.fit_traces([RUN])
        self.assertEqual(caught.exception.name, "incompatible")


class Progress(unittest.TestCase):
    def test_fractions_grow_to_1(self):
        for fit in (lambda fractions: joint().fit_trace(SEED2[:600], progress=fractions),
                    lambda fractions: joint(SEED1[:600]).fit(progress=fractions)):
            fractions = []
            fit(fractions.append)
            self.assertEqual((fractions, fractions[-1]), (sorted(fractions), 1))

    def test_a_fit_is_cancelled_and_changes_nothing(self):
        def stop(fraction):
            return fraction > 0.01

        def fail(fraction):
            raise KeyError("not for C")

        def interrupt(fraction):
            os.kill(os.getpid(), signal.SIGINT)

        predictor = joint(SEED1[:600])
        before = predictor.save()
        for progress, raised in ((stop, moepredict.Error), (fail, KeyError), (interrupt, KeyboardInterrupt)):
            for fit in (predictor.fit, lambda progress: predictor.fit_trace(SEED2[:600], progress=progress)):
                with self.subTest(progress.__name__), self.assertRaises(raised):
                    fit(progress=progress)
                self.assertEqual(predictor.save(), before)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_copies_get_the_progress_of_their_own_fits(self):
        original = joint(SEED1[:600])
        for copied in (original.clone(), pickle.loads(pickle.dumps(original))):
            fractions, inner = [], []

            def progress(fraction):
                fractions.append(fraction)
                if len(fractions) == 1:  # another handle may be at work meanwhile
                    joint(SEED1[:600]).fit(progress=inner.append)

            copied.fit(progress=progress)
            self.assertEqual((len(fractions), fractions[-1], len(inner), inner[-1]), (len(inner), 1, len(inner), 1))
            self.assertGreater(len(fractions), 1)

    def test_each_thread_gets_its_own_progress(self):
        fractions = [[], []]
        fits = [threading.Thread(target=joint(SEED1[:600]).fit, kwargs={"progress": each.append}) for each in fractions]
        for fit in fits:
            fit.start()
        for fit in fits:
            fit.join()
        self.assertEqual(fractions[0], fractions[1])
        self.assertEqual(fractions[0], sorted(set(fractions[0])))

    def test_a_budget_cuts_a_round_short_and_the_next_call_goes_on(self):
        predictor = joint(SEED1[:600], fit_budget=100.0)
        seen = []
        for _ in range(2):
            predictor.fit()
            seen.append(predictor.lstm_training.updates)
        self.assertTrue(0 < seen[0] < seen[1] < predictor.lstm_training.length)


class Forecasts(unittest.TestCase):
    def test_the_shipped_weights_forecast_without_training(self):
        predictor = make(RUN)
        self.assertEqual((predictor.config.lstm_scope, predictor.config.seed), ("shared", 0))
        training = predictor.lstm_training
        self.assertEqual(training[:4], (Weights.PRETRAINED, 0, 0, 0))
        self.assertTrue(math.isnan(training.loss) and math.isnan(training.untrained_loss))
        self.assertEqual(make(RUN, lstm_hidden=8).lstm_training.weights, Weights.UNTRAINED)
        shares = predictor.predict(1000)
        np.testing.assert_allclose(shares.sum(1), 1, rtol=0, atol=1e-12)
        np.testing.assert_allclose(shares, 1 / 8, rtol=0.05)  # the loads are of one and the same distribution

    def test_quantiles_enclose_the_forecast_and_widen_with_the_probability(self):
        for predictor in (make(layers=6, experts=16), TRAINED.clone()):
            predictor.push(SEED1[:700])
            middle = predictor.predict(500)
            low, lower, upper, high = predictor.predict(500, quantile=[0.01, 0.2, 0.8, 0.99])
            self.assertTrue((low < lower).all() and (lower < upper).all() and (upper < high).all())
            self.assertTrue((low < middle).all() and (middle < high).all())

    def test_the_joint_form_forecasts_once_it_is_fitted(self):
        predictor = joint(SEED1[:600])
        self.assertEqual(predictor.config.lstm_scope, "joint")
        with self.assertRaises(moepredict.Error) as caught:
            predictor.predict(10)
        self.assertEqual(caught.exception.name, "not fitted")
        predictor.fit()
        np.testing.assert_allclose(predictor.predict(10, 1).sum(2), 1, rtol=0, atol=1e-12)
        for wrong in ({"lstm_scope": "both"}, {"lstm_layers": 5}, {"lstm_hidden": 0}):
            with self.assertRaises(ValueError):
                make(**wrong)


class Layers(unittest.TestCase):
    """Weights in torch.nn.LSTM's layout."""

    def test_a_layer_has_torchs_shapes(self):
        first, second = (make(lstm_layers=2, lstm_hidden=5).lstm_weights(layer) for layer in (0, 1))
        inputs = first["weight_ih"].shape[1]
        for weights, columns in ((first, inputs), (second, 5)):
            self.assertEqual({name: array.shape for name, array in weights.items()},
                             {"weight_ih": (20, columns), "weight_hh": (20, 5), "bias_ih": (20,), "bias_hh": (20,)})
            self.assertEqual({array.dtype for array in weights.values()}, {np.dtype(np.float32)})

    def test_weights_that_are_carried_over_give_the_same_forecast(self):
        there, back = TRAINED.clone(), TRAINED.clone()
        weights = there.lstm_weights(0)
        back.set_lstm_weights(0, **{name: 0 * array for name, array in weights.items()})
        for predictor in (there, back):
            predictor.push(SEED1[:700])
        self.assertTrue((there.predict(300) != back.predict(300)).any())
        back.set_lstm_weights(0, **weights)
        self.assertEqual(there.predict(300).tobytes(), back.predict(300).tobytes())
        for name, array in back.lstm_weights(0).items():
            np.testing.assert_array_equal(array, weights[name])

    def test_arrays_that_are_not_given_stay(self):
        predictor = make()
        before = predictor.lstm_weights(0)
        predictor.set_lstm_weights(0, weight_hh=Tensor(before["weight_hh"].astype(float) + 0.5, device="cuda"))
        after = predictor.lstm_weights(0)
        np.testing.assert_array_equal(after["weight_hh"], before["weight_hh"] + np.float32(0.5))
        np.testing.assert_array_equal(after["weight_ih"], before["weight_ih"])
        np.testing.assert_array_equal(after["bias_ih"] + after["bias_hh"], before["bias_ih"] + before["bias_hh"])

    def test_bad_arrays_change_nothing(self):
        predictor = make()
        before, good = predictor.save(), predictor.lstm_weights(0)
        for kind, words, layer, arrays in (
                (TypeError, "weight_ho", 0, {"weight_ho": good["weight_hh"]}),
                (ValueError, r"bias_ih has shape \(3,\): expected \(64,\)", 0, {"bias_ih": np.zeros(3)}),
                (ValueError, "weight", 0, {"bias_ih": np.full(64, np.nan)}),
                (ValueError, "weight", 0, {"bias_hh": np.full(64, 1e300)}),
                (ValueError, "layer 1", 1, {}), (ValueError, "layer = -1", -1, {}), (TypeError, "layer", 0.5, {})):
            with self.subTest(words), self.assertRaisesRegex(kind, words):
                predictor.set_lstm_weights(layer, **arrays)
        self.assertEqual(predictor.save(), before)
        other = Predictor("sw_avg", layers=2, experts=8)
        for use in (lambda: other.lstm_weights(0), lambda: other.set_lstm_weights(0), lambda: other.lstm_training):
            with self.assertRaisesRegex(moepredict.Error, "the method is sw_avg, not lstm"):
                use()
