# SPDX-License-Identifier: BSD-3-Clause
"""The detector as an object: push, configuration, copies, close and metrics."""
import copy
import doctest
import gc
import math
import pickle
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Detector, Predictor, State
from moepredict._library import library
from detectors import COUNTS, EXPERTS, LAYERS, make
from reference import Tensor


class Push(unittest.TestCase):
    def refused(self, kind, words, counts):
        detector = make(COUNTS)
        before = detector.save()
        with self.assertRaisesRegex(kind, words):
            detector.push(counts)
        self.assertEqual(detector.save(), before)

    def test_one_step_or_many(self):
        single, several = make(), make()
        for step in COUNTS:
            single.push(step)
        for first in range(0, len(COUNTS), 7):
            several.push(COUNTS[first:first + 7])
        several.push(COUNTS[:0])
        self.assertEqual(single.save(), make(COUNTS).save())
        self.assertEqual(several.save(), make(COUNTS).save())

    def test_integers_of_every_dtype_tensors_and_other_layouts_record_the_same(self):
        expected = make(COUNTS).save()
        for counts in (*(COUNTS.astype(dtype) for dtype in (np.int32, np.int64, np.uint32, np.uint64)), Tensor(COUNTS),
                       np.asfortranarray(COUNTS)):
            self.assertEqual(make(counts).save(), expected)
        self.assertEqual(make(COUNTS.astype(np.float32)).save(), make(COUNTS.astype(float)).save())

    def test_a_step_number_with_the_first_step(self):
        detector = make()
        detector.push(COUNTS[:200], step=5000)
        self.assertEqual((detector.info.next_step, detector.info.gaps), (5200, 0))
        self.assertEqual((detector.layer_states.tolist(), detector.layer_since.tolist()),
                         ([1] * LAYERS, [5199] * LAYERS))
        with self.assertRaisesRegex(ValueError, "step 5199"):
            detector.push(COUNTS[200], step=5199)
        for step, kind in ((-1, ValueError), (2**64, ValueError), (6000.0, TypeError)):
            with self.assertRaisesRegex(kind, "^step = "):
                detector.push(COUNTS[200], step=step)
        self.assertEqual(detector.info.steps, 200)

    def test_a_gap_longer_than_drift_window_starts_warmup_again(self):
        for skipped, config in ((101, {}), (41, {"drift_window": 40})):
            detector = make(COUNTS, **config)
            detector.push(COUNTS[0], step=330 + skipped)
            self.assertEqual(set(detector.layer_states), {State.WARMUP})
            self.assertEqual(set(detector.expert_states.flat), {State.WARMUP})
            self.assertEqual(set(detector.layer_since), {330 + skipped})
            self.assertEqual(set(detector.layer_changes), {3})
            self.assertEqual(detector.info.gaps, skipped)
            with self.assertRaises(moepredict.TooFewSteps):
                detector.layer_drift
            detector.push(COUNTS[1:])
            self.assertEqual(set(detector.layer_states), {State.STABLE})
            fresh = make(COUNTS, **config)
            self.assertEqual(detector.drift.tobytes(), fresh.drift.tobytes())
            self.assertEqual(detector.layer_dispersion.tobytes(), fresh.layer_dispersion.tobytes())

    def test_a_shorter_gap_does_not(self):
        for skipped, config in ((100, {}), (40, {"drift_window": 40})):
            detector = make(COUNTS[:300], **config)
            detector.push(COUNTS[300:], step=300 + skipped)
            whole = make(COUNTS, **config)
            self.assertEqual(detector.info.gaps, skipped)
            np.testing.assert_array_equal(detector.layer_states, whole.layer_states)
            np.testing.assert_array_equal(detector.layer_changes, whole.layer_changes)
            self.assertEqual(detector.drift.tobytes(), whole.drift.tobytes())

    def test_wrong_shapes_and_kinds(self):
        for counts in (COUNTS[0, 0], COUNTS[0].T, COUNTS[:, :2], COUNTS[None]):
            self.refused(ValueError, r"shape .*expected \(3, 8\) or \(steps, 3, 8\)", counts)
        self.refused(TypeError, "not list", COUNTS[0].tolist())
        for dtype in (">i8", "bool", "int16", "float16", "complex128"):
            self.refused(TypeError, f"dtype {dtype}: expected one of int32, .*float64", COUNTS.astype(dtype))
        self.refused(ValueError, "CPU tensor, call .cpu", Tensor(COUNTS, device="cuda"))

    def test_wrong_counts(self):
        for value in (-1.0, math.nan, math.inf):
            counts = COUNTS.astype(float)
            counts[4, 2, 6] = value
            self.refused(ValueError, "step 4 .*layer 2, expert 6", counts)


class Configuration(unittest.TestCase):
    def test_info_config_and_repr(self):
        detector = make(COUNTS)
        self.assertEqual(detector.config._asdict(), {
            "horizon": 1000, "tolerance": 0.1, "expert_tolerance": 0.2, "growth": moepredict.LEARN, "drift_window": 100,
            "block": 20, "dwell": 100, "windows": (10, 100, 0, 0)})
        self.assertEqual(detector.info._asdict(), {
            "method": None, "layers": 3, "experts": 8, "history": 101, "steps": 330, "next_step": 330, "min_steps": 200,
            "fitted_step": None, "empty_layers": 0, "gaps": 0})
        self.assertEqual((detector.layers, detector.experts), (3, 8))
        self.assertEqual(repr(detector), "<moepredict.Detector 3 x 8, 330 steps>")

    def test_keywords(self):
        values = {"horizon": 500, "tolerance": 0.2, "expert_tolerance": 0.5, "growth": 0.0, "drift_window": 60,
                  "block": 30, "dwell": 1, "windows": (7, 0, 1024, 7)}
        self.assertEqual(make(**values).config._asdict(), values)
        for windows, expected in (((10,), (10, 0, 0, 0)), (10, (10, 0, 0, 0)), ((), (0, 0, 0, 0)),
                                  (np.array([5, 6]), (5, 6, 0, 0))):
            self.assertEqual(make(windows=windows).config.windows, expected)

    def test_bad_configurations(self):
        for kind, words, config in (
                (TypeError, "'window'", {"window": 3}),
                (TypeError, "'method'", {"method": 0}),
                (TypeError, "reserved", {"reserved": 0}),
                (TypeError, "struct_size", {"struct_size": 8}),
                (ValueError, "horizon", {"horizon": 0}),
                (TypeError, "horizon = 10.0", {"horizon": 10.0}),
                (ValueError, "tolerance", {"tolerance": 0.0}),
                (ValueError, "tolerance", {"tolerance": math.nan}),
                (ValueError, "expert_tolerance", {"expert_tolerance": -1}),
                *((ValueError, "growth", {"growth": growth}) for growth in (1.5, -0.5, math.nan, math.inf)),
                (TypeError, "growth = None", {"growth": None}),
                (ValueError, "drift_window", {"drift_window": 110}),
                (ValueError, "drift_window", {"drift_window": 20}),
                (ValueError, "drift_window", {"drift_window": 513 * 20}),
                (ValueError, "block", {"block": 0}),
                (ValueError, "dwell", {"dwell": 0}),
                (ValueError, "dwell = -1", {"dwell": -1}),
                (ValueError, "windows", {"windows": (10, 1025)}),
                (ValueError, r"windows = \(1, 2, 3, 4, 5\): expected 4", {"windows": (1, 2, 3, 4, 5)}),
                (ValueError, "windows = -1", {"windows": (10, -1)}),
                (ValueError, "windows", {"windows": 2**32}),
                (TypeError, "windows = 2.5", {"windows": (10, 2.5)}),
                (ValueError, "windows = '10': expected a number", {"windows": "10"}),
                (TypeError, "windows = None", {"windows": None})):
            with self.subTest(str(config)), self.assertRaisesRegex(kind, words):
                make(**config)

    def test_bad_sizes(self):
        for kind, layers in ((ValueError, 0), (ValueError, -1), (ValueError, 2**64 + 1), (TypeError, 2.0)):
            with self.assertRaisesRegex(kind, "^layers = "):
                Detector(layers=layers, experts=8)
        with self.assertRaisesRegex(MemoryError, "too large"):
            Detector(layers=2**40, experts=2**40)

    def test_the_example_in_the_documentation_is_true(self):
        found = doctest.DocTestFinder(recurse=False).find(Detector, "Detector", globs={})
        tests = [test for test in found if test.examples]
        self.assertEqual(len(tests), 1)
        self.assertEqual(doctest.DocTestRunner().run(tests[0]).failed, 0)


class Growth(unittest.TestCase):
    """A load that changes every 100 steps and comes back: the mean of 1,000 steps lies in the middle."""

    def expected_drift(self, steps, growth):
        high = np.arange(steps)[:, None, None] // 100 % 2 == np.arange(4) % 2
        counts = np.random.default_rng(3).poisson(np.where(high, 1050, 950))
        with Detector(layers=1, experts=4, growth=growth) as detector:
            detector.push(counts)
            return float(detector.layer_drift[0]), detector.drift

    def test_learns_that_a_load_comes_back(self):
        learned, constant = self.expected_drift(3000, moepredict.LEARN), self.expected_drift(3000, 0.3)
        self.assertLess(learned[0], constant[0] / 2)
        self.assertTrue((learned[1] < constant[1] / 2).all())

    def test_is_constant_until_the_first_errors_have_come(self):
        for steps, same in ((699, True), (700, False)):
            learned, constant = self.expected_drift(steps, moepredict.LEARN), self.expected_drift(steps, 0.3)
            self.assertEqual(learned[0] == constant[0], same)
            self.assertEqual(learned[1].tobytes() == constant[1].tobytes(), same)


class Metrics(unittest.TestCase):
    def test_keys_are_fixed_and_values_are_the_detectors(self):
        detector = make()
        before = detector.metrics()
        detector.push(COUNTS[:1], step=2)
        detector.push(COUNTS[1:], step=5)
        after = detector.metrics()
        measured = [f"{name}_{kind}" for name in ("drift", "noise", "dispersion") for kind in ("mean", "min", "max")]
        for metrics in (before, after):
            self.assertEqual(list(metrics), ["stable_layers", "stable_experts", "changes", *measured, "steps", "gaps",
                                             "empty_layers"])
            self.assertTrue(all(type(value) is float for value in metrics.values()))
        self.assertTrue(all(math.isnan(before[name]) for name in measured))
        self.assertEqual([before[name] for name in ("stable_layers", "stable_experts", "changes", "steps")], [0] * 4)
        self.assertEqual([after[name] for name in measured],
                         [getattr(getattr(detector, f"layer_{name}"), kind)()
                          for name in ("drift", "noise", "dispersion")
                          for kind in ("mean", "min", "max")])
        self.assertEqual([after[name] for name in ("stable_layers", "stable_experts", "changes", "steps", "gaps")],
                         [1, (detector.expert_states == 2).mean(), 2 * LAYERS, 330, 2])

    def test_unknown_values_of_a_layer_are_left_out(self):
        counts = COUNTS.copy()
        counts[:, 0] = 0
        detector = make(counts)
        self.assertEqual(detector.metrics()["noise_min"], detector.layer_noise[1:].min())
        detector = make(np.ones_like(COUNTS))
        self.assertTrue(math.isnan(detector.metrics()["dispersion_max"]))
        self.assertEqual(detector.metrics()["drift_max"], 0)
        detector.push(COUNTS[0], step=1000)  # WARMUP again
        self.assertTrue(math.isnan(detector.metrics()["drift_max"]))


class Copies(unittest.TestCase):
    def test_all_go_on_with_the_same_bytes(self):
        config = {"drift_window": 40}  # the first errors of past means come at step 280
        for steps in (0, 5, 130, 210, 303):
            original = make(COUNTS[:steps], **config)
            copies = {"clone": original.clone(), "copy": copy.copy(original), "deepcopy": copy.deepcopy([original])[0],
                      "pickle": pickle.loads(pickle.dumps(original)), "load": Detector.load(original.save()),
                      "load a view": Detector.load(memoryview(bytearray(original.save())), threads=2)}
            before, whole = original.save(), make(COUNTS, **config)
            for name, detector in copies.items():
                with self.subTest(name, steps=steps):
                    self.assertEqual((detector.info, detector.config), (original.info, original.config))
                    detector.push(COUNTS[steps:])
                    self.assertEqual(detector.save(), whole.save())
                    self.assertEqual(detector.drift.tobytes(), whole.drift.tobytes())
                    for window in (10, 100):
                        for read in (Detector.mean, Detector.variance, Detector.range):
                            self.assertEqual(read(detector, window).tobytes(), read(whole, window).tobytes())
            self.assertEqual(original.save(), before)

    def test_damaged_bytes_and_another_kinds(self):
        state = make(COUNTS).save()
        flipped = bytearray(state)
        flipped[len(state) // 2] ^= 1
        for damaged in (b"", b"PK", state[:-1], bytes(flipped)):
            with self.assertRaises(moepredict.Error) as caught:
                Detector.load(damaged)
            self.assertEqual((caught.exception.status, caught.exception.name), (-4, "corrupt"))
        with Predictor(layers=LAYERS, experts=EXPERTS) as predictor:
            for load, other in ((Detector.load, predictor.save()), (Predictor.load, state)):
                with self.assertRaises(moepredict.Error) as caught:
                    load(other)
                self.assertEqual((caught.exception.status, caught.exception.name), (-3, "incompatible"))


class End(unittest.TestCase):
    def setUp(self):
        gc.collect()
        patch = mock.patch.object(library, "moep_detector_destroy", wraps=library.moep_detector_destroy)
        self.destroy = patch.start()
        self.addCleanup(patch.stop)

    def test_close_twice(self):
        detector = make(COUNTS)
        detector.close()
        detector.close()
        self.assertEqual((self.destroy.call_count, repr(detector)), (1, "<moepredict.Detector, closed>"))

    def test_use_after_close(self):
        with make(COUNTS) as detector:
            detector.metrics()
        self.assertEqual(self.destroy.call_count, 1)
        properties = [name for name, value in vars(Detector).items() if isinstance(value, property)]
        self.assertEqual(len(properties), 13)
        for use in (lambda: detector.push(COUNTS), lambda: detector.push(COUNTS, step=999), detector.mean,
                    detector.variance, detector.range, detector.layer_mean, detector.layer_variance,
                    detector.layer_range, detector.metrics, lambda: detector.info, lambda: detector.config,
                    detector.clone, detector.save, lambda: pickle.dumps(detector), lambda: copy.copy(detector),
                    *(lambda name=name: getattr(detector, name) for name in properties)):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_collected(self):
        detector = make(COUNTS)
        other = detector.clone()
        del detector
        gc.collect()
        self.assertEqual((self.destroy.call_count, other.info.steps), (1, 330))
        del other
        gc.collect()
        self.assertEqual(self.destroy.call_count, 2)
