# SPDX-License-Identifier: BSD-3-Clause
"""Compares the detector's states with the rule in plain NumPy and with runs whose truth is known; its statistics."""
import math
import re
import unittest

import numpy as np

import moepredict
from moepredict import Detector, State
from detectors import COUNTS, DATA, EXPERTS, LAYERS, TRACE, follow, make
from reference import ROOT, detect, shares


class Rule(unittest.TestCase):
    """States after every block are those of the rule, and drifts but for rounding."""

    def same(self, counts, **config):
        found, expected = follow(counts, **config), detect(shares(counts), **config)
        for (states, drifts), (expected_states, squares) in zip(found, expected):
            np.testing.assert_array_equal(states, expected_states)
            self.assertEqual([drift is None for drift in drifts], [square is None for square in squares])
            for drift, square in zip(drifts, squares):
                if drift is not None:
                    np.testing.assert_allclose(drift**2, np.maximum(square, 0), rtol=1e-5,
                                               atol=1e-7 * counts.shape[2])  # means are multiples of 2^-26
        return [states for states, _ in found]

    def leaves(self, states):
        self.assertTrue(((states[1:] == 1) & (states[:-1] == 2)).any())

    def test_on_simulated_runs(self):
        counts, _ = moepredict.simulate(4000, 4, 16, shifts=[(2500, 0.3)], exchanges=[(1, 2, 5, 3200, 3700)],
                                        dying=[(2, 3, 2000)], overdispersion=3.0, seed=5)
        for growth in (-1, 0.3):
            for states in self.same(counts, growth=growth):
                self.assertEqual(set(np.unique(states)), {0, 1, 2})
                self.leaves(states)

    def test_on_recorded_runs(self):
        for run in ("small16-seed1", "curriculum16-s16", "fine128-s17"):
            with self.subTest(run):
                _, experts = self.same(np.load(DATA / f"{run}.npy"))
                self.leaves(experts)
        self.same(TRACE, growth=0.3)

    def test_where_noise_is_large(self):
        counts, _ = moepredict.simulate(6000, 6, 16, 512, drift=0.3, overdispersion=3.0, seed=7)
        for growth in (-1, 0.3):
            self.leaves(self.same(counts, growth=growth)[0])

    def test_at_horizons_of_any_number_of_periods(self):
        for horizon in (50, 300, 500, 600, 2000, 3000, 10000):
            with self.subTest(horizon=horizon):
                self.same(TRACE, horizon=horizon)

    def test_with_another_configuration(self):
        counts, _ = moepredict.simulate(2000, 2, 8, shifts=[(1200, 0.3)], seed=6)
        for growth in (-1, 0.0, 0.5, 0.8):
            self.same(counts, growth=growth)
            self.same(counts, horizon=300, tolerance=0.05, expert_tolerance=0.07, growth=growth, drift_window=60,
                      block=10, dwell=45)
        self.same(counts, drift_window=40, block=20)  # learns from 18 spans of 20 periods
        self.same(counts, growth=0.3, horizon=50)
        self.same(counts, growth=0.3, horizon=10000)

    def test_where_a_layer_or_an_expert_goes_on_in_one_direction(self):
        counts, _ = moepredict.simulate(5000, 4, 16, shifts=[(2000, 0.6)], shift_ramp=1000, fluctuation=0.0, seed=9)
        for growth in (-1, 0.3):
            for states in self.same(counts, growth=growth):
                self.leaves(states[100:])

    def test_on_the_widest_swings_over_the_longest_halves(self):
        whole = np.random.default_rng(10).integers(0, 2, (1700, 1, 1))
        self.same(np.concatenate([whole, 1 - whole], axis=2), drift_window=512, block=1)


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
                    np.testing.assert_allclose(detector.range(window), np.ptp(part, axis=0), rtol=1e-9,
                                               atol=2 * quantum)
                    off = np.abs(detector.variance(window) - variance)
                    self.assertTrue((off <= 1e-9 * variance + 2 * quantum * np.sqrt(variance) + quantum**2).all())
                    np.testing.assert_allclose(detector.layer_mean(window), detector.mean(window).mean(1), rtol=1e-14)
                    np.testing.assert_allclose(detector.layer_variance(window), detector.variance(window).mean(1),
                                               rtol=1e-14)
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

    def test_counts_that_are_no_tokens_have_noise_but_no_dispersion(self):
        of_tokens, of_fractions = make(COUNTS), make(COUNTS / 4096)
        self.assertEqual(of_fractions.noise.tobytes(), of_tokens.noise.tobytes())
        self.assertEqual(of_fractions.layer_noise.tobytes(), of_tokens.layer_noise.tobytes())
        self.assertTrue(np.isfinite(of_tokens.dispersion).all() and np.isfinite(of_tokens.layer_dispersion).all())
        self.assertTrue(np.isnan(of_fractions.dispersion).all() and np.isnan(of_fractions.layer_dispersion).all())
        self.assertEqual(make(COUNTS.astype(float)).dispersion.tobytes(), of_tokens.dispersion.tobytes())

    def test_a_layers_drift_is_not_known_in_warmup_and_is_then(self):
        names = ("drift", "noise", "dispersion", "layer_drift", "layer_noise", "layer_dispersion")
        for steps in (0, 1, 199):
            detector = make(COUNTS[:steps])
            for name in names:
                with self.subTest(name, steps=steps), \
                        self.assertRaisesRegex(moepredict.Error, "WARMUP takes 200") as caught:
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

    def test_shapes_dtypes_and_how_a_constant_load_becomes_stable(self):
        detector = make()
        for steps, state, since, changes in ((0, 0, 0, 0), (199, 0, 0, 0), (200, 1, 199, 1), (279, 1, 199, 1),
                                             (280, 2, 279, 2), (330, 2, 279, 2)):
            detector.push(COUNTS[detector.info.steps:steps])
            for values, expected, dtype in ((detector.layer_states, state, np.int32),
                                            (detector.layer_since, since, np.uint64),
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
    """States of runs whose truth is known."""

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

    def test_noise_that_hides_what_is_tolerated_keeps_a_load_transient(self):
        counts, _ = moepredict.simulate(2000, 2, 128, 32, fluctuation=0.0, seed=4)
        moving, _ = moepredict.simulate(4000, 2, 128, 32, fluctuation=0.0, drift=0.8, seed=4)
        for config, part in (({"growth": 0.3}, counts), ({}, counts[:680]), ({}, moving)):  # 700: the first error
            detector = Detector(layers=2, experts=128, **config)
            detector.push(part)
            with self.subTest(config, steps=len(part)):
                self.assertEqual(detector.layer_states.tolist(), [State.TRANSIENT] * 2)
                self.assertEqual(detector.layer_changes.tolist(), [1] * 2)

    def test_errors_that_do_not_come_show_what_noise_hides(self):
        counts, _ = moepredict.simulate(2000, 2, 128, 32, fluctuation=0.0, seed=4)
        detector = Detector(layers=2, experts=128)
        detector.push(counts)
        self.assertEqual(detector.layer_states.tolist(), [State.STABLE] * 2)

    def test_a_dying_expert_moves_until_it_is_dead(self):
        counts, truth = moepredict.simulate(3000, 2, 16, fluctuation=0.0, dying=[(1, 4, 1500)], seed=3)
        experts = follow(counts)[1][0]
        first, end = truth["dying"][0]["first"] // 20, truth["dying"][0]["end"] // 20
        dying = experts[:, 1, 4]
        self.assertTrue((dying[14:first] == State.STABLE).all())
        self.assertTrue((dying[first + 15:end] == State.TRANSIENT).all())
        self.assertTrue((dying[end + 20:] == State.STABLE).all())
        self.assertTrue((experts[14:, 0] == State.STABLE).all())
        self.assertTrue((counts[-1000:, 1, 4] == 0).all())
