# SPDX-License-Identifier: BSD-3-Clause
"""The predictor: push, predict, copies, close."""
import copy
import ctypes
import gc
import math
import os
import pickle
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Predictor, _structs
from moepredict.__main__ import _config_help
from moepredict._counts import DTYPES, as_array
from moepredict._library import library
from reference import Tensor, sw_avg

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(7).poisson(50, (40, LAYERS, EXPERTS)).astype(np.int64) + 1


def make(counts=None, **config):
    predictor = Predictor(**{"method": "sw_avg", "layers": LAYERS, "experts": EXPERTS, "sw_avg_window": 10, **config})
    if counts is not None:
        predictor.push(counts)
    return predictor


def c_forecast(counts, window, horizon, stride):
    """The same through C. Its library object is its own, so this package has declared nothing in it."""
    c = ctypes.CDLL(library._name)
    config, handle = _structs.PredictorConfig(), ctypes.c_void_p()
    calls = [c.moep_predictor_config_init(ctypes.byref(config), 0)]
    config.sw_avg_window = window
    calls.append(c.moep_predictor_create(ctypes.c_size_t(LAYERS), ctypes.c_size_t(EXPERTS), ctypes.byref(config), None,
                                         ctypes.byref(handle)))
    calls.append(c.moep_predictor_push(handle, ctypes.c_size_t(len(counts)), ctypes.c_void_p(counts.ctypes.data), 1))
    rows = np.empty((math.ceil(horizon / stride), LAYERS, EXPERTS))
    calls.append(c.moep_predictor_predict(handle, ctypes.c_size_t(horizon), ctypes.c_size_t(stride),
                                          ctypes.c_void_p(rows.ctypes.data), ctypes.c_size_t(rows.size)))
    c.moep_predictor_destroy(handle)
    assert calls == [0, 0, 0, 0], calls
    return rows


class Arima(unittest.TestCase):
    def setUp(self):
        noise = np.random.default_rng(3)
        off = np.zeros((400, LAYERS, EXPERTS))
        for step in range(1, 400):
            off[step] = 0.8 * off[step - 1] + noise.normal(0, 1, (LAYERS, EXPERTS))
        self.counts = np.maximum(1000 + 20 * off, 0).astype(np.int64)

    def test_a_model_is_read(self):
        with Predictor("arima", layers=LAYERS, experts=EXPERTS, arima_p=1, arima_d=0, arima_q=0, arima_bucket=1,
                       threads=2) as predictor:
            predictor.push(self.counts)
            with self.assertRaisesRegex(moepredict.Error, "layer 1, expert 2 has not been fitted") as caught:
                predictor.arima_model(1, 2)
            self.assertEqual(caught.exception.name, "not fitted")
            predictor.fit()
            model = predictor.arima_model(1, 2)
            self.assertEqual((model.order, model.theta.size, model.fallback, model.period), ((1, 0, 0), 0, 0, 0))
            self.assertAlmostEqual(model.phi[0], 0.8, delta=4 * model.phi_error[0])
            self.assertAlmostEqual(model.mean, 1 / EXPERTS, delta=0.01)
            self.assertTrue(model.sigma2 > 0 and math.isfinite(model.loglik) and math.isfinite(model.aicc))
            self.assertEqual(predictor.info.fitted_step, 400)
            for layer, expert, kind in ((3, 0, ValueError), (0, 8, ValueError), (-1, 0, ValueError),
                                        (0.5, 0, TypeError)):
                with self.assertRaises(kind):
                    predictor.arima_model(layer, expert)
        with self.assertRaisesRegex(moepredict.Error, "the method is sw_avg"):
            make(COUNTS).arima_model(0, 0)

    def test_orders_are_selected_by_name(self):
        predictor = Predictor("arima", layers=LAYERS, experts=EXPERTS, arima_p="select", arima_q="select",
                              arima_bucket=1, arima_order_scope="per_series", arima_scale="log_ratios")
        config = predictor.config
        self.assertEqual((config.arima_p, config.arima_d, config.arima_q), ("select", 1, "select"))
        self.assertEqual((config.arima_order_scope, config.arima_scale), ("per_series", "log_ratios"))
        predictor.push(self.counts)
        predictor.fit()
        self.assertEqual(predictor.arima_model(0, 0).order[1], 1)
        for wrong in (dict(arima_p="five"), dict(arima_scale="logs"), dict(arima_p=9), dict(arima_bucket=0)):
            with self.assertRaises(ValueError):
                Predictor("arima", layers=1, experts=1, **wrong)

    def test_quantiles_enclose_the_forecast_and_what_came(self):
        predictor = Predictor("arima", layers=LAYERS, experts=EXPERTS, arima_bucket=1)
        predictor.push(self.counts[:300])
        predictor.fit()
        low, high = predictor.predict(100, quantile=[0.025, 0.975])
        came = (self.counts / self.counts.sum(2, keepdims=True))[300:].mean(0)
        self.assertTrue((low < predictor.predict(100)).all() and (predictor.predict(100) < high).all())
        self.assertGreater(((low <= came) & (came <= high)).mean(), 0.75)

    def test_a_state_goes_on_with_its_model(self):
        predictor = Predictor("arima", layers=LAYERS, experts=EXPERTS)
        predictor.push(self.counts)
        predictor.fit()
        for copied in (pickle.loads(pickle.dumps(predictor)), predictor.clone()):
            self.assertEqual(copied.save(), predictor.save())
            np.testing.assert_array_equal(copied.predict(50), predictor.predict(50))
            self.assertEqual(str(copied.arima_model(2, 3)), str(predictor.arima_model(2, 3)))


class Adopt(unittest.TestCase):
    def test_the_model_of_a_clone_is_adopted(self):
        predictor = make(COUNTS)
        clone = predictor.clone()
        clone.fit()
        predictor.push(COUNTS[0])
        before = predictor.save()
        predictor.adopt(clone)
        self.assertEqual(predictor.save(), before)  # SW_Avg learns nothing
        with self.assertRaisesRegex(moepredict.Error, "another configuration"):
            predictor.adopt(make(COUNTS, sw_avg_window=9))


class Quantiles(unittest.TestCase):
    def test_a_method_without_quantiles_says_so(self):
        with self.assertRaisesRegex(moepredict.Error, "sw_avg has no quantiles") as caught:
            make(COUNTS).predict(10, quantile=0.9)
        self.assertEqual((caught.exception.name, type(caught.exception)), ("unsupported", moepredict.Error))

    def test_shapes_and_probabilities_reach_the_library(self):
        given = []

        def answer(_handle, horizon, stride, probabilities, n, shares, capacity):
            read = ctypes.cast(probabilities, ctypes.POINTER(ctypes.c_double))
            given.append((horizon, stride, [read[i] for i in range(n)], capacity))
            ctypes.memset(shares, 0, 8 * capacity)

        with mock.patch.object(library, "moep_predictor_predict_quantiles", side_effect=answer):
            shapes = [make(COUNTS).predict(10, quantile=0.9).shape, make(COUNTS).predict(10, 4, quantile=0.9).shape,
                      make(COUNTS).predict(10, quantile=[0.1, 0.9]).shape,
                      make(COUNTS).predict(10, 4, quantile=(0.1, 0.9)).shape]
        self.assertEqual(shapes, [(3, 8), (3, 3, 8), (2, 3, 8), (2, 3, 3, 8)])
        self.assertEqual(given, [(10, 10, [0.9], 24), (10, 4, [0.9], 72), (10, 10, [0.1, 0.9], 48),
                                 (10, 4, [0.1, 0.9], 144)])


class Push(unittest.TestCase):
    def refused(self, kind, words, counts):
        predictor = make(COUNTS)
        before = predictor.save()
        with self.assertRaisesRegex(kind, words):
            predictor.push(counts)
        self.assertEqual(predictor.save(), before)

    def test_push_takes_the_arrays_own_memory(self):
        for dtype in DTYPES:
            array = COUNTS.astype(dtype)
            with self.subTest(str(dtype)), mock.patch.object(library, "moep_predictor_push") as push:
                self.assertIs(as_array(array), array)
                for counts in (array, Tensor(array)):
                    make().push(counts)
                    self.assertEqual(push.call_args.args[1:], (40, array.ctypes.data, DTYPES[dtype]))

    def test_other_layouts_are_copied(self):
        unaligned = np.frombuffer(b"\0" + COUNTS.tobytes(), np.uint8)[1:].view(np.int64).reshape(COUNTS.shape)
        for counts in (np.asfortranarray(COUNTS), COUNTS[::-1], np.repeat(COUNTS, 2, axis=2)[:, :, ::2], unaligned):
            self.assertFalse(counts.flags.c_contiguous and counts.flags.aligned)
            taken = as_array(counts)
            self.assertTrue(taken.flags.c_contiguous and taken.flags.aligned)
            np.testing.assert_array_equal(taken, counts)
        self.assertEqual(make(np.asfortranarray(COUNTS)).save(), make(COUNTS).save())

    def test_every_dtype_and_a_read_only_array_record_the_same(self):
        for dtype in (*DTYPES, np.longlong):
            counts = COUNTS.astype(dtype)
            counts.flags.writeable = False
            self.assertEqual(make(counts).save(), make(COUNTS).save())

    def test_one_step_or_many(self):
        single = make()
        for step in COUNTS:
            single.push(step)
        self.assertEqual(single.save(), make(COUNTS).save())
        single.push(COUNTS[:0])
        self.assertEqual(single.info.steps, 40)

    def test_step_counts_gaps_and_refuses_repeats(self):
        predictor = make()
        predictor.push(COUNTS[0], step=5)
        predictor.push(COUNTS[1:4], step=np.int64(10))
        predictor.push(COUNTS[4])
        self.assertEqual((predictor.info.steps, predictor.info.next_step, predictor.info.gaps), (5, 14, 4))
        with self.assertRaises(ValueError) as caught:
            predictor.push(COUNTS[0], step=13)
        self.assertEqual(str(caught.exception), library.moep_last_error().decode())
        self.assertIn("step 13", str(caught.exception))
        self.assertEqual(predictor.info.steps, 5)
        for step, kind in ((-1, ValueError), (2**64 + 20, ValueError), (20.0, TypeError), ("20", TypeError)):
            with self.assertRaisesRegex(kind, "^step = "):
                predictor.push(COUNTS[0], step=step)

    def test_wrong_shapes(self):
        for counts in (COUNTS[0, 0], COUNTS[0].T, COUNTS[:, :2], COUNTS[None], np.int64(3).reshape(())):
            self.refused(ValueError, r"shape .*expected \(3, 8\) or \(steps, 3, 8\)", np.asarray(counts))

    def test_wrong_kinds(self):
        self.refused(TypeError, "not list", COUNTS[0].tolist())
        self.refused(TypeError, "not NoneType", None)
        for dtype in (">i8", ">f4", "bool", "int16", "float16", "complex128", "object"):
            self.refused(TypeError, f"dtype {dtype}: expected one of int32, .*float64", COUNTS.astype(dtype))
        self.refused(ValueError, "CPU tensor, call .cpu", Tensor(COUNTS, device="cuda"))
        self.refused(TypeError, "dtype int16", Tensor(COUNTS.astype(np.int16)))

    def test_wrong_counts(self):
        for value in (-1.0, math.nan, math.inf):
            counts = COUNTS.astype(float)
            counts[4, 2, 6] = value
            self.refused(ValueError, "step 4 .*layer 2, expert 6", counts)


class Predict(unittest.TestCase):
    def test_shapes_and_sums(self):
        predictor = make(COUNTS)
        for horizon, stride, shape in ((20, None, (3, 8)), (20, 1, (20, 3, 8)), (20, 7, (3, 3, 8)), (20, 99, (1, 3, 8)),
                                       (np.int64(1), np.int64(1), (1, 3, 8))):
            found = predictor.predict(horizon, stride)
            self.assertEqual((found.shape, found.dtype), (shape, float))
            np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=0, atol=1e-12)

    def test_bad_numbers(self):
        predictor = make(COUNTS)
        for name in ("horizon", "stride"):
            for value, kind in ((0, ValueError), (-1, ValueError), (2**64 + 1, ValueError), (10.0, TypeError)):
                with self.subTest(name, value=value), self.assertRaisesRegex(kind, f"^{name} = "):
                    predictor.predict(**{"horizon": 10, name: value})

    def test_the_papers_recursion(self):
        for steps, window, horizon, stride in ((40, 10, 60, 1), (40, 10, 60, 60), (40, 1, 5, 2), (4, 10, 30, 7)):
            found = make(COUNTS[:steps], sw_avg_window=window).predict(horizon, stride)
            expected = sw_avg(COUNTS[:steps], window, horizon, stride)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)

    def test_the_bytes_are_those_of_c(self):
        for stride, c_stride in ((None, 60), (60, 60), (7, 7), (1, 1)):
            found, expected = make(COUNTS).predict(60, stride), c_forecast(COUNTS, 10, 60, c_stride)
            self.assertEqual(found.tobytes(), expected.tobytes())

    def test_before_the_first_step(self):
        with self.assertRaisesRegex(moepredict.TooFewSteps, "^too few steps: ") as caught:
            make().predict(1)
        for error in (caught.exception, pickle.loads(pickle.dumps(caught.exception))):
            self.assertIs(type(error), moepredict.TooFewSteps)
            self.assertEqual((error.status, error.name, str(error)), (-5, "too few steps", str(caught.exception)))

    def test_fit_and_reset(self):
        predictor = make(COUNTS)
        predictor.fit()
        self.assertIsNone(predictor.info.fitted_step)
        predictor.reset()
        self.assertEqual(predictor.save(), make().save())

    def test_metrics(self):
        predictor = make()
        before = predictor.metrics()
        predictor.push(COUNTS[:1], step=2)
        predictor.push(COUNTS[1:], step=5)
        after = predictor.metrics(30)
        names = [f"imbalance_{when}_{kind}" for when in ("now", "forecast") for kind in ("mean", "min", "max")]
        errors = [f"expected_error_{kind}" for kind in ("mean", "min", "max")]  # of auto
        self.assertEqual((list(before), list(after)), ([*names, *errors, "steps", "gaps", "empty_layers"],) * 2)
        self.assertTrue(all(type(value) is float for value in [*before.values(), *after.values()]))
        self.assertTrue(all(math.isnan(before[name]) for name in [*names, *errors]))
        for when, load in (("now", COUNTS[-1].astype(float)), ("forecast", predictor.predict(30))):
            layers = load.max(1) / load.mean(1)
            self.assertEqual([after[f"imbalance_{when}_{kind}"] for kind in ("mean", "min", "max")],
                             [layers.mean(), layers.min(), layers.max()])
        again = COUNTS[-1].copy()
        predictor.push(again)
        again[:] = 1  # the caller's array is the caller's
        self.assertEqual(predictor.metrics()["imbalance_now_max"], after["imbalance_now_max"])
        predictor.reset()
        self.assertTrue(math.isnan(predictor.metrics()["imbalance_now_max"]))
        self.assertEqual((after["steps"], after["gaps"], after["empty_layers"]), (40.0, 2.0, 0.0))


class Configuration(unittest.TestCase):
    def test_info_and_config(self):
        predictor = make(COUNTS, history=25, threads=2)
        self.assertEqual(predictor.config[:3], ("sw_avg", 10, 25))
        self.assertEqual(predictor.info._asdict(), {
            "method": "sw_avg", "layers": 3, "experts": 8, "history": 25, "steps": 40, "next_step": 40, "min_steps": 1,
            "fitted_step": None, "empty_layers": 0, "gaps": 0})
        self.assertEqual((predictor.layers, predictor.experts), (3, 8))
        self.assertEqual(repr(predictor), "<moepredict.Predictor sw_avg, 3 x 8, 40 steps>")

    def test_names_and_numbers(self):
        self.assertEqual(make(method=0).config.method, "sw_avg")
        self.assertEqual(make(sw_avg_window=np.uint8(7)).config.sw_avg_window, 7)
        with mock.patch.dict(_structs.NAMES, {"sw_avg_window": ["none", "one", "two"]}):
            self.assertEqual(make(sw_avg_window="two").config.sw_avg_window, "two")
            with self.assertRaisesRegex(ValueError, "'none' or 'one' or 'two'"):
                make(sw_avg_window="three")

    def test_the_command_line_names_the_method_and_the_default_of_each_field(self):
        texts = _config_help()
        self.assertEqual(list(texts), list(Predictor(layers=1, experts=1).config._fields[1:]))
        self.assertEqual((texts["arima_p"], texts["sw_avg_window"], texts["lstm_scope"]),
                         ("for arima; default 2", "for sw_avg; default 200", "for lstm; default shared"))
        histories = [f"{Predictor(method, layers=1, experts=1).config.history} for {method}"
                     for method in moepredict.methods()]
        self.assertEqual((texts["history"], texts["seed"]), (f"default {', '.join(histories)}", "default 0"))

    def test_bad_configurations(self):
        for kind, words, config in (
                (TypeError, "'window'", {"window": 3}),
                (TypeError, "struct_size", {"struct_size": 8}),
                (ValueError, "'arma'.*'sw_avg'", {"method": "arma"}),
                (ValueError, "method 99", {"method": 99}),
                (ValueError, "method", {"method": 2**32}),
                (ValueError, "sw_avg_window", {"sw_avg_window": 0}),
                (ValueError, "sw_avg_window", {"sw_avg_window": 2**32}),
                (ValueError, "sw_avg_window = -1", {"sw_avg_window": -1}),
                (ValueError, "sw_avg_window = 'ten': expected a number", {"sw_avg_window": "ten"}),
                (TypeError, "sw_avg_window = 2.5", {"sw_avg_window": 2.5}),
                (TypeError, "sw_avg_window = True", {"sw_avg_window": True}),
                (TypeError, "sw_avg_window = None", {"sw_avg_window": None}),
                (ValueError, "history = 3", {"history": 3}),
                (ValueError, "history", {"history": 2**64}),
                (ValueError, "threads", {"threads": 2**32 + 1})):
            with self.subTest(str(config)), self.assertRaisesRegex(kind, words):
                make(**config)

    def test_bad_sizes(self):
        for kind, layers in ((ValueError, 0), (ValueError, -1), (ValueError, 2**64 + 1), (TypeError, 2.0)):
            with self.assertRaisesRegex(kind, "^layers = "):
                Predictor(layers=layers, experts=8)
        with self.assertRaisesRegex(MemoryError, "too large"):
            Predictor(layers=2**40, experts=2**40)


class Copies(unittest.TestCase):
    def test_all_go_on_with_the_same_bytes(self):
        original = make(COUNTS[:30])
        copies = {"clone": original.clone(), "copy": copy.copy(original), "deepcopy": copy.deepcopy([original])[0],
                  "pickle": pickle.loads(pickle.dumps(original)), "load": Predictor.load(original.save()),
                  "load a view": Predictor.load(memoryview(bytearray(original.save())), threads=2)}
        before = original.save()
        for name, predictor in copies.items():
            with self.subTest(name):
                self.assertEqual((predictor.info, predictor.config), (original.info, original.config))
                predictor.push(COUNTS[30:])
                self.assertEqual(predictor.save(), make(COUNTS).save())
                self.assertEqual(predictor.predict(50, 7).tobytes(), make(COUNTS).predict(50, 7).tobytes())
        self.assertEqual(original.save(), before)

    def test_damaged_bytes(self):
        state = make(COUNTS).save()
        flipped = bytearray(state)
        flipped[len(state) // 2] ^= 1
        for damaged in (b"", b"PK", state[:-1], bytes(flipped)):
            with self.assertRaises(moepredict.Error) as caught:
                Predictor.load(damaged)
            self.assertEqual((caught.exception.status, caught.exception.name), (-4, "corrupt"))
        for other in ("text", 1000, None):
            with self.assertRaises(TypeError):
                Predictor.load(other)


class End(unittest.TestCase):
    def setUp(self):
        gc.collect()
        patch = mock.patch.object(library, "moep_predictor_destroy", wraps=library.moep_predictor_destroy)
        self.destroy = patch.start()
        self.addCleanup(patch.stop)

    def test_close_twice(self):
        predictor = make(COUNTS)
        predictor.close()
        predictor.close()
        self.assertEqual((self.destroy.call_count, repr(predictor)), (1, "<moepredict.Predictor, closed>"))

    def test_use_after_close(self):
        with make(COUNTS) as predictor:
            predictor.predict(1)
        self.assertEqual(self.destroy.call_count, 1)
        for use in (lambda: predictor.push(COUNTS), lambda: predictor.push(COUNTS, step=99), predictor.reset,
                    predictor.fit, lambda: predictor.predict(1), lambda: predictor.predict(9, 2), predictor.metrics,
                    lambda: predictor.info, lambda: predictor.config, predictor.clone, predictor.save,
                    lambda: pickle.dumps(predictor), lambda: copy.copy(predictor)):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_collected(self):
        predictor = make(COUNTS)
        other = predictor.clone()
        del predictor
        gc.collect()
        self.assertEqual(self.destroy.call_count, 1)
        self.assertEqual(other.info.steps, 40)
        del other
        gc.collect()
        self.assertEqual(self.destroy.call_count, 2)

    def test_a_forked_child_does_not_destroy(self):
        predictor = make(COUNTS)
        child = os.fork()
        if child == 0:
            try:
                predictor._finalizer()
                os._exit(10 + self.destroy.call_count)
            finally:
                os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 10)
        predictor.close()
        self.assertEqual(self.destroy.call_count, 1)
