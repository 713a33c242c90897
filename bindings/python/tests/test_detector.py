# SPDX-License-Identifier: BSD-3-Clause
"""The detector: its states against the rule in plain NumPy and against runs whose truth is known; its numbers, its forms."""
import copy
import doctest
import gc
import math
import pickle
import re
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Detector, Predictor, State
from moepredict._library import library
from reference import ROOT, Tensor, detect, shares

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(7).poisson(500, (330, LAYERS, EXPERTS)).astype(np.int64) + 1
TRACE = np.load(ROOT / "examples" / "data" / "small16-seed1.npy", mmap_mode="r")[:3000]


def make(counts=None, **config):
    detector = Detector(layers=LAYERS, experts=EXPERTS, **config)
    if counts is not None:
        detector.push(counts)
    return detector


def follow(counts, block=20, **config):
    """After every block: the states of layers and experts, and the layers' drift, NaN in WARMUP."""
    layers, experts, drift = [], [], []
    with Detector(layers=counts.shape[1], experts=counts.shape[2], block=block, **config) as detector:
        for first in range(0, len(counts) // block * block, block):
            detector.push(counts[first:first + block])
            layers.append(detector.layer_states)
            experts.append(detector.expert_states)
            warm = first + block < detector.info.min_steps
            drift.append(np.full(counts.shape[1], np.nan) if warm else detector.layer_drift)
    return np.array(layers), np.array(experts), np.array(drift)


class Rule(unittest.TestCase):
    """Every state of every block is the rule's."""

    def same(self, counts, **config):
        layers, experts, drift = follow(counts, **config)
        expected_layers, expected_experts, smoothed = detect(shares(counts), **config)
        np.testing.assert_array_equal(layers, expected_layers)
        np.testing.assert_array_equal(experts, expected_experts)
        for found, squared in zip(drift, smoothed):
            if squared is None:
                self.assertTrue(np.isnan(found).all())
            else:
                np.testing.assert_allclose(found, np.sqrt(np.maximum(squared, 0)), rtol=0, atol=1e-5)
        return layers, experts

    def test_on_a_simulated_run(self):
        counts, _ = moepredict.simulate(4000, 4, 16, shifts=[(2500, 0.3)], exchanges=[(1, 2, 5, 3200, 3700)],
                                        dying=[(2, 3, 2000)], overdispersion=3.0, seed=5)
        layers, experts = self.same(counts)
        for states in (layers, experts):
            self.assertEqual(set(np.unique(states)), {0, 1, 2})
        self.assertTrue(((layers[1:] == 1) & (layers[:-1] == 2)).any())

    def test_on_a_real_run(self):
        layers, _ = self.same(TRACE)
        self.assertTrue(((layers[1:] == 1) & (layers[:-1] == 2)).any())

    def test_where_noise_is_large(self):
        counts, _ = moepredict.simulate(6000, 6, 16, 512, drift=0.3, overdispersion=3.0, seed=7)
        layers, _ = self.same(counts)
        self.assertTrue(((layers[1:] == 1) & (layers[:-1] == 2)).any())

    def test_with_another_configuration(self):
        counts, _ = moepredict.simulate(2000, 2, 8, shifts=[(1200, 0.3)], seed=6)
        self.same(counts, horizon=300, tolerance=0.05, expert_tolerance=0.07, growth=0.5, drift_window=60, block=10, dwell=45)


class Windows(unittest.TestCase):
    """Mean, variance and range against NumPy, on a real run."""

    def test_mean_variance_and_range_are_numpys(self):
        values = shares(TRACE).astype(np.float32).astype(float)
        quantum = 2.0**-31
        detector = Detector(layers=6, experts=16, windows=(10, 100, 1, 1024))
        pushed = 0
        for stop in (1, 7, 10, 99, 100, 101, 350, 1023, 1025, 2048, 2999, 3000):
            detector.push(TRACE[pushed:stop])
            pushed = stop
            for window in (10, 100, 1, 1024):
                part = values[max(0, stop - window):stop]
                variance = part.var(0)
                with self.subTest(window=window, steps=stop):
                    np.testing.assert_allclose(detector.mean(window), part.mean(0), rtol=1e-9, atol=quantum)
                    np.testing.assert_allclose(detector.range(window), np.ptp(part, axis=0), rtol=1e-9, atol=2 * quantum)
                    off = np.abs(detector.variance(window) - variance)
                    self.assertTrue((off <= 1e-9 * variance + 2 * quantum * np.sqrt(variance) + quantum**2).all())
                    np.testing.assert_allclose(detector.layer_mean(window), detector.mean(window).mean(1), rtol=1e-14)
                    np.testing.assert_allclose(detector.layer_variance(window), detector.variance(window).mean(1), rtol=1e-14)
                    np.testing.assert_array_equal(detector.layer_range(window), detector.range(window).max(1))

    def test_without_a_window_named_it_is_the_first(self):
        detector = make(COUNTS, windows=(0, 30, 5))
        self.assertEqual(detector.mean().tobytes(), detector.mean(30).tobytes())
        self.assertEqual(detector.range(np.int64(5)).tobytes(), detector.range(5).tobytes())

    def test_only_the_detectors_windows(self):
        for words, config, window in (("window = 11: .*10 and 100", {}, 11), ("window = 0", {}, 0),
                                      ("has none", {"windows": ()}, None), ("has 10$", {"windows": 10}, 100)):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                make(COUNTS, **config).variance(window)
        for window, kind in ((-1, ValueError), (10.0, TypeError), ("10", TypeError)):
            with self.assertRaisesRegex(kind, "^window = "):
                make(COUNTS).mean(window)

    def test_before_the_first_step(self):
        for read in (Detector.mean, Detector.variance, Detector.range, Detector.layer_mean, Detector.layer_variance,
                     Detector.layer_range):
            with self.assertRaises(moepredict.Error) as caught:
                read(make())
            self.assertEqual((caught.exception.status, caught.exception.name), (-5, "too few steps"))


class Noise(unittest.TestCase):
    """Drift, noise and dispersion of the last whole block."""

    def test_noise_and_dispersion_are_what_moepredict_h_says(self):
        for steps in (200, 219, 1000, 3000):
            detector = Detector(layers=6, experts=16)
            detector.push(TRACE[:steps])
            last = TRACE[steps // 20 * 20 - 200:steps // 20 * 20]
            means = shares(last).reshape(10, 20, 6, 16).mean(1)
            p, step_variance = means.mean(0), 20 * (np.diff(means, axis=0)**2).mean(0) / 2
            noise, layer_noise = p * (1 - p) / step_variance, (p * (1 - p)).sum(1) / step_variance.sum(1)
            tokens = last.sum(2).mean(0)
            for found, expected in ((detector.noise, noise), (detector.layer_noise, layer_noise),
                                    (detector.dispersion, tokens[:, None] / noise),
                                    (detector.layer_dispersion, tokens / layer_noise)):
                np.testing.assert_allclose(found, expected, rtol=2e-4)

    def test_dispersion_finds_the_simulations(self):
        for overdispersion in (1.0, 3.0):
            counts, _ = moepredict.simulate(3000, 4, 32, fluctuation=0.0, overdispersion=overdispersion, seed=8)
            with Detector(layers=4, experts=32) as detector:
                found = []
                for first in range(0, 3000, 200):
                    detector.push(counts[first:first + 200])
                    found.append(detector.layer_dispersion)
            self.assertLess(abs(np.mean(found) / overdispersion - 1), 0.1)

    def test_floating_counts_have_noise_but_no_dispersion(self):
        of_integers, of_floats = make(COUNTS), make(COUNTS.astype(float))
        self.assertEqual(of_floats.noise.tobytes(), of_integers.noise.tobytes())
        self.assertEqual(of_floats.layer_noise.tobytes(), of_integers.layer_noise.tobytes())
        self.assertTrue(np.isfinite(of_integers.dispersion).all() and np.isfinite(of_integers.layer_dispersion).all())
        self.assertTrue(np.isnan(of_floats.dispersion).all() and np.isnan(of_floats.layer_dispersion).all())

    def test_a_layers_drift_is_not_known_in_warmup_and_is_then(self):
        names = ("drift", "noise", "dispersion", "layer_drift", "layer_noise", "layer_dispersion")
        for steps in (0, 1, 199):
            detector = make(COUNTS[:steps])
            for name in names:
                with self.subTest(name, steps=steps), self.assertRaisesRegex(moepredict.Error, "WARMUP takes 200") as caught:
                    getattr(detector, name)
                self.assertEqual((caught.exception.status, caught.exception.name), (-5, "too few steps"))
        detector.push(COUNTS[199])
        for name in names:
            self.assertTrue(np.isfinite(getattr(detector, name)).all())


class States(unittest.TestCase):
    def test_the_enum_is_the_headers(self):
        header = (ROOT / "include" / "moepredict.h").read_text(encoding="utf-8")
        numbers = dict(re.findall(r"MOEP_(WARMUP|TRANSIENT|STABLE) = (\d)", header))
        self.assertEqual({state.name: str(state.value) for state in State}, numbers)
        self.assertEqual(State(make(COUNTS).layer_states[0]), State.STABLE)

    def test_shapes_dtypes_and_how_a_quiet_load_becomes_stable(self):
        detector = make()
        for steps, state, since, changes in ((0, 0, 0, 0), (199, 0, 0, 0), (200, 1, 199, 1), (279, 1, 199, 1),
                                             (280, 2, 279, 2), (330, 2, 279, 2)):
            detector.push(COUNTS[detector.info.steps:steps])
            for values, expected, dtype in ((detector.layer_states, state, np.int32), (detector.layer_since, since, np.uint64),
                                            (detector.layer_changes, changes, np.uint64)):
                self.assertEqual((values.tolist(), values.dtype), ([expected] * LAYERS, dtype))
        self.assertEqual((detector.expert_states.shape, detector.expert_states.dtype), ((LAYERS, EXPERTS), np.int32))
        for values in (detector.expert_since, detector.expert_changes):
            self.assertEqual((values.shape, values.dtype), ((LAYERS, EXPERTS), np.uint64))
        self.assertEqual((detector.drift.shape, detector.layer_drift.shape), ((LAYERS, EXPERTS), (LAYERS,)))

    def test_they_are_of_the_present(self):
        detector = make(COUNTS[:200])
        before = detector.layer_states
        detector.push(COUNTS[200:])
        self.assertEqual((before.tolist(), detector.layer_states.tolist()), ([1] * LAYERS, [2] * LAYERS))

    def stable(self, detector, layer=slice(None)):
        self.assertTrue((detector.layer_states[layer] == State.STABLE).all())
        self.assertTrue((detector.expert_states[layer] == State.STABLE).all())
        self.assertTrue((detector.layer_since[layer] == 279).all() and (detector.expert_since[layer] == 279).all())

    def test_a_constant_load_is_stable_and_has_no_noise(self):
        detector = make(np.repeat(COUNTS[:1], 330, axis=0))
        self.stable(detector)
        for values in (detector.noise, detector.layer_noise, detector.dispersion, detector.layer_dispersion):
            self.assertTrue(np.isnan(values).all())
        for values in (detector.drift, detector.layer_drift, detector.variance(), detector.range()):
            self.assertTrue((values == 0).all())

    def test_a_dead_expert_is_stable(self):
        counts = COUNTS.copy()
        counts[:, 1, 3] = 0
        detector = make(counts)
        self.stable(detector)
        self.assertEqual((detector.drift[1, 3], detector.mean()[1, 3]), (0, 0))
        self.assertTrue(math.isnan(detector.noise[1, 3]) and math.isnan(detector.dispersion[1, 3]))
        self.assertEqual(np.isnan(detector.noise).sum(), 1)
        self.assertTrue(np.isfinite(detector.layer_noise).all())

    def test_a_single_expert_is_stable(self):
        detector = Detector(layers=2, experts=1)
        detector.push(COUNTS[:, :2, :1])
        self.stable(detector)
        self.assertEqual((detector.layer_drift.tolist(), detector.mean().tolist()), ([0, 0], [[1], [1]]))

    def test_a_layer_without_tokens_is_stable_and_its_shares_are_uniform(self):
        counts = COUNTS.copy()
        counts[:, 2] = 0
        detector = make(counts)
        self.stable(detector, 2)
        np.testing.assert_array_equal(detector.mean()[2], np.full(EXPERTS, 1 / EXPERTS))
        self.assertTrue(math.isnan(detector.layer_dispersion[2]))
        self.assertEqual(detector.info.empty_layers, 330)
        self.assertTrue(np.isfinite(detector.layer_dispersion[:2]).all())


class Simulated(unittest.TestCase):
    """Against runs whose truth is known."""

    def test_a_shift_is_left_within_100_steps_and_comes_to_rest_again(self):
        counts, _ = moepredict.simulate(4000, 6, 16, shifts=[(3000, 0.3)], seed=1)
        detector = Detector(layers=6, experts=16)
        detector.push(counts[:3000])
        self.assertEqual(detector.layer_states.tolist(), [State.STABLE] * 6)
        changes = detector.layer_changes
        detector.push(counts[3000:3100])
        self.assertEqual(detector.layer_states.tolist(), [State.TRANSIENT] * 6)
        self.assertTrue((detector.layer_since >= 3000).all())
        np.testing.assert_array_equal(detector.layer_changes, changes + 1)
        detector.push(counts[3100:3500])
        self.assertEqual(detector.layer_states.tolist(), [State.STABLE] * 6)
        detector.push(counts[3500:])
        np.testing.assert_array_equal(detector.layer_changes, changes + 2)

    def test_a_stationary_load_never_leaves_at_any_batch_size(self):
        for assignments in (1024, 65536, 524288):
            counts, _ = moepredict.simulate(5000, 4, 16, assignments, fluctuation=0.0, overdispersion=2.0, seed=2)
            detector = Detector(layers=4, experts=16)
            detector.push(counts)
            with self.subTest(assignments=assignments):
                self.assertEqual(detector.layer_states.tolist(), [State.STABLE] * 4)
                self.assertEqual(detector.layer_changes.tolist(), [2] * 4)
                self.assertLess(detector.layer_since.max(), 300)

    def test_a_dying_expert_moves_until_it_is_dead(self):
        counts, truth = moepredict.simulate(3000, 2, 16, fluctuation=0.0, dying=[(1, 4, 1500)], seed=3)
        _, experts, _ = follow(counts)
        first, end = truth["dying"][0]["first"] // 20, truth["dying"][0]["end"] // 20
        dying = experts[:, 1, 4]
        self.assertTrue((dying[14:first] == State.STABLE).all())
        self.assertTrue((dying[first + 15:end] == State.TRANSIENT).all())
        self.assertTrue((dying[end + 20:] == State.STABLE).all())
        self.assertTrue((experts[14:, 0] == State.STABLE).all())
        self.assertTrue((counts[-1000:, 1, 4] == 0).all())


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
        self.assertEqual((detector.info.next_step, detector.info.gaps), (5200, 5000))
        self.assertEqual((detector.layer_states.tolist(), detector.layer_since.tolist()), ([1] * LAYERS, [5199] * LAYERS))
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
            with self.assertRaises(moepredict.Error):
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
            "horizon": 1000, "tolerance": 0.1, "expert_tolerance": 0.2, "growth": 0.3, "drift_window": 100, "block": 20,
            "dwell": 100, "windows": (10, 100, 0, 0)})
        self.assertEqual(detector.info._asdict(), {
            "method": None, "layers": 3, "experts": 8, "history": 101, "steps": 330, "next_step": 330, "min_steps": 200,
            "fitted_step": None, "empty_layers": 0, "gaps": 0})
        self.assertEqual((detector.layers, detector.experts), (3, 8))
        self.assertEqual(repr(detector), "<moepredict.Detector 3 x 8, 330 steps>")

    def test_keywords(self):
        values = {"horizon": 500, "tolerance": 0.2, "expert_tolerance": 0.5, "growth": 0.0, "drift_window": 60, "block": 30,
                  "dwell": 1, "windows": (7, 0, 1024, 7)}
        self.assertEqual(make(**values).config._asdict(), values)
        for windows, expected in (((10,), (10, 0, 0, 0)), (10, (10, 0, 0, 0)), ((), (0, 0, 0, 0)),
                                  (np.array([5, 6]), (5, 6, 0, 0))):
            self.assertEqual(make(windows=windows).config.windows, expected)

    def test_bad_configurations(self):
        for kind, words, config in (
                (TypeError, "'window'.*horizon, tolerance", {"window": 3}),
                (TypeError, "'method'", {"method": 0}),
                (TypeError, "reserved", {"reserved": 0}),
                (TypeError, "struct_size", {"struct_size": 8}),
                (ValueError, "horizon", {"horizon": 0}),
                (TypeError, "horizon = 10.0", {"horizon": 10.0}),
                (ValueError, "tolerance", {"tolerance": 0.0}),
                (ValueError, "tolerance", {"tolerance": math.nan}),
                (ValueError, "expert_tolerance", {"expert_tolerance": -1}),
                (ValueError, "growth", {"growth": 1.5}),
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
        tests = [test for test in doctest.DocTestFinder(recurse=False).find(Detector, "Detector", globs={}) if test.examples]
        self.assertEqual(len(tests), 1)
        self.assertEqual(doctest.DocTestRunner().run(tests[0]).failed, 0)


class Metrics(unittest.TestCase):
    def test_keys_are_fixed_and_values_are_the_detectors(self):
        detector = make()
        before = detector.metrics()
        detector.push(COUNTS, step=2)
        after = detector.metrics()
        measured = [f"{name}_{kind}" for name in ("drift", "noise", "dispersion") for kind in ("mean", "min", "max")]
        for metrics in (before, after):
            self.assertEqual(list(metrics), ["stable_layers", "stable_experts", "changes", *measured, "steps", "gaps",
                                             "empty_layers"])
            self.assertTrue(all(type(value) is float for value in metrics.values()))
        self.assertTrue(all(math.isnan(before[name]) for name in measured))
        self.assertEqual([before[name] for name in ("stable_layers", "stable_experts", "changes", "steps")], [0] * 4)
        self.assertEqual([after[name] for name in measured],
                         [getattr(getattr(detector, f"layer_{name}"), kind)() for name in ("drift", "noise", "dispersion")
                          for kind in ("mean", "min", "max")])
        self.assertEqual([after[name] for name in ("stable_layers", "stable_experts", "changes", "steps", "gaps")],
                         [1, (detector.expert_states == 2).mean(), 2 * LAYERS, 330, 2])

    def test_what_is_not_known_of_a_layer_is_left_out(self):
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
        for steps in (0, 5, 130, 210, 303):
            original = make(COUNTS[:steps])
            copies = {"clone": original.clone(), "copy": copy.copy(original), "deepcopy": copy.deepcopy([original])[0],
                      "pickle": pickle.loads(pickle.dumps(original)), "load": Detector.load(original.save()),
                      "load a view": Detector.load(memoryview(bytearray(original.save())), threads=2)}
            before, whole = original.save(), make(COUNTS)
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
        self.assertEqual(len(properties), 12)
        for use in (lambda: detector.push(COUNTS), lambda: detector.push(COUNTS, step=999), detector.mean, detector.variance,
                    detector.range, detector.layer_mean, detector.layer_variance, detector.layer_range, detector.metrics,
                    lambda: detector.info, lambda: detector.config, detector.clone, detector.save,
                    lambda: pickle.dumps(detector), lambda: copy.copy(detector),
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
