# SPDX-License-Identifier: BSD-3-Clause
"""Simulated runs follow their truth, and recorded ones keep their loads at another batch size."""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import moepredict
from moepredict import expected_shares, join_experts, resample, simulate, smooth
from reference import ROOT, Tensor, shares

FILE = ROOT / "examples" / "data" / "small16-seed1.npy"
TRACE = np.load(FILE)
# Only a level for each expert; tests add the ingredients under test.
FLAT = {"steps": 400, "layers": 3, "experts": 8, "assignments": 4096, "fluctuation": 0}
EVERYTHING = {**FLAT, "seed": 5, "overdispersion": 2.5, "fluctuation": 0.4, "fluctuation_end": [300, 200, 100],
              "drift": 0.1, "shifts": [(150, 0.3), (250, 0.1)], "shift_ramp": 10, "exchanges": 4, "exchange_length": 40,
              "bursts": 6, "hotspot": 1.5, "hotspot_steps": 7, "dying": [(1, 7, 100)], "dying_length": 50}


def centred(loads):
    """Log loads of each layer and step around their mean, which normalisation does not change."""
    logs = np.log(loads)
    return logs - logs.mean(axis=-1, keepdims=True)


class Simulation(unittest.TestCase):
    def assert_same(self, one, other):
        self.assertEqual((one.dtype, one.shape, one.tobytes()), (other.dtype, other.shape, other.tobytes()))

    def test_every_layer_and_step_has_exactly_the_assignments(self):
        for extra in ({}, {"overdispersion": 3.0}, {"assignments": 5}, EVERYTHING):
            counts, _ = simulate(**{**FLAT, **extra})
            self.assertEqual((counts.dtype, counts.shape, counts.min() >= 0), (np.int32, (400, 3, 8), True))
            self.assertTrue((counts.sum(axis=2) == {**FLAT, **extra}["assignments"]).all())

    def test_counts_that_do_not_fit_are_wider(self):
        for assignments, dtype in ((2**31 - 1, np.int32), (2**31, np.int64), (2**40, np.int64)):
            counts, _ = simulate(**{**FLAT, "steps": 5, "assignments": assignments})
            self.assertEqual((counts.dtype, set(counts.sum(axis=2, dtype=np.int64).flat)), (dtype, {assignments}))

    def test_a_seed_gives_a_run_and_another_another(self):
        counts, truth = simulate(**EVERYTHING)
        again, truth_again = simulate(**EVERYTHING)
        self.assert_same(counts, again)
        self.assertEqual(truth, truth_again)
        for seed in (6, 2**64 - 1):
            self.assertNotEqual(simulate(**{**EVERYTHING, "seed": seed})[0].tobytes(), counts.tobytes())

    def test_the_truth_is_json_from_which_the_run_is_made_again(self):
        counts, truth = simulate(**EVERYTHING)
        read = json.loads(json.dumps(truth, allow_nan=False))
        self.assertEqual(read, truth)
        self.assert_same(simulate(**read["parameters"])[0], counts)
        self.assert_same(expected_shares(read), expected_shares(truth))
        self.assertEqual((truth["numpy"], truth["moepredict"]), (np.__version__, moepredict.__version__))

    def test_counts_are_samples_of_the_expected_shares(self):
        counts, truth = simulate(**{**EVERYTHING, "overdispersion": 1, "assignments": 2**19})
        expected = expected_shares(truth)
        np.testing.assert_allclose(expected.sum(axis=2), 1, rtol=0, atol=1e-12)
        alive = expected > 0
        score = ((shares(counts) - expected)[alive] / np.sqrt((expected * (1 - expected))[alive] / 2**19))
        self.assertLess(abs(score.mean()), 5 / math.sqrt(score.size))
        self.assertLess(abs(score.std() - 1), 5 / math.sqrt(score.size))

    def test_another_layer_or_ingredient_leaves_the_others_as_they_were(self):
        counts, truth = simulate(**FLAT)
        self.assert_same(simulate(**{**FLAT, "layers": 2})[0], counts[:, :2].copy())
        burst, burst_truth = simulate(**FLAT, bursts=[(1, 2, 50, 60)])
        outside = np.delete(np.arange(400), np.arange(50, 60))
        np.testing.assert_array_equal(expected_shares(burst_truth)[outside], expected_shares(truth)[outside])
        self.assert_same(burst[:, [0, 2]].copy(), counts[:, [0, 2]].copy())

    def test_variance_is_the_multinomial_times_the_overdispersion(self):
        for expected in (1.0, 2.0, 3.7, 400.0):
            counts, truth = simulate(5000, 2, 16, 8192, fluctuation=0, overdispersion=expected, seed=3)
            p = expected_shares(truth)[0]
            measured = (counts.var(axis=0) / (8192 * p * (1 - p))).mean()
            self.assertLess(abs(measured / expected - 1), 0.02)
            np.testing.assert_allclose(counts.mean(axis=0) / 8192, p, rtol=0,
                                       atol=5 * math.sqrt(expected / 5000 / 8192 / 16))

    def test_skew_is_the_standard_deviation_of_the_loads(self):
        _, truth = simulate(**FLAT, skew=0.4)
        logs = centred(expected_shares(truth)[0])
        np.testing.assert_allclose(np.sqrt((logs**2).mean(axis=1)), 0.4)
        self.assertGreater(abs(logs[0] - logs[1]).max(), 0.1)

    def test_layers_fluctuate_until_their_end_and_are_constant_from_there(self):
        ends = [300, 400, 50]
        _, truth = simulate(**{**FLAT, "fluctuation": 0.5, "fluctuation_end": ends})
        self.assertEqual(truth["settled"], [300, None, 50])
        expected = expected_shares(truth)
        for layer, end in enumerate(ends):
            moves = abs(np.diff(expected[:, layer], axis=0)).max(axis=1)
            self.assertTrue((moves[:end] > 0).all())
            self.assertTrue((moves[end:] == 0).all())

    def test_fluctuation_has_the_size_decay_and_requested_correlation(self):
        def logs_of(**how):
            _, truth = simulate(4000, 8, 64, seed=9, skew=0, fluctuation=0.3, fluctuation_end=4000, **how)
            return centred(expected_shares(truth)) / math.sqrt(63 / 64)

        steady = logs_of(fluctuation_decay=0)
        self.assertLess(abs(np.sqrt((steady**2).mean()) / 0.3 - 1), 0.03)
        for lag in (10, 30, 100, 300):
            measured = (steady[lag:] * steady[:-lag]).mean() / 0.09
            self.assertLess(abs(measured - 0.36 * math.exp(-lag / 30) - 0.64 * math.exp(-lag / 300)), 0.05)
        envelope = np.exp(-np.arange(4000) / 700)[:, None, None]
        np.testing.assert_allclose(logs_of(fluctuation_decay=700), steady * envelope, rtol=0, atol=1e-12)

    def test_by_default_the_first_layer_is_the_last_to_settle(self):
        counts, truth = simulate(seed=1)
        self.assertEqual(truth["settled"], sorted(truth["settled"], reverse=True))
        self.assertEqual((truth["settled"][0], truth["settled"][-1]), (4000, 600))
        for happened in ("shifts", "exchanges", "bursts", "dying"):
            self.assertEqual(truth[happened], [])
        deviation = 16 * np.array([shares(counts[first:first + 100]).std(axis=0).mean(axis=1) for first in (0, 9900)])
        self.assertTrue((deviation[0] > 3 * deviation[1]).all())

    def test_drift_grows_like_a_random_walk(self):
        _, truth = simulate(20000, 8, 32, fluctuation=0, drift=0.05)
        logs = centred(expected_shares(truth))
        for lag in (10, 100, 1000):
            rms = np.sqrt(((logs[lag:] - logs[:-lag])**2).mean() * 32 / 31)
            self.assertLess(abs(rms / (0.05 * math.sqrt(lag / 1000)) - 1), 0.08)

    def test_loads_before_and_after_a_shift_differ_by_its_size(self):
        _, truth = simulate(**FLAT, shifts=[(100, 0.3), (300, 0.05)])
        logs = centred(expected_shares(truth))
        for step, size in ((100, 0.3), (300, 0.05)):
            np.testing.assert_allclose(np.sqrt(((logs[step] - logs[step - 1])**2).mean(axis=1)), size)
        moves = abs(np.diff(logs, axis=0)).max(axis=(1, 2))
        self.assertEqual(np.flatnonzero(moves > 1e-9).tolist(), [99, 299])
        self.assertEqual(truth["shifts"], [{"first": 100, "end": 100, "size": 0.3},
                                           {"first": 300, "end": 300, "size": 0.05}])
        big, _ = simulate(**{**FLAT, "assignments": 2**24}, shifts=[(200, 0.3)])
        measured = np.diff(centred(np.stack([big[:200].mean(axis=0), big[200:].mean(axis=0)])), axis=0)[0]
        np.testing.assert_allclose(np.sqrt((measured**2).mean(axis=1)), 0.3, rtol=0.01)

    def test_a_ramp_takes_its_steps(self):
        _, truth = simulate(**FLAT, shifts=[(100, 0.6)], shift_ramp=200)
        logs = centred(expected_shares(truth))
        done = np.sqrt(((logs - logs[0])**2).mean(axis=2))
        np.testing.assert_allclose(done, np.repeat(np.interp(np.arange(400), [100, 300], [0, 0.6])[:, None], 3, axis=1),
                                   rtol=0, atol=1e-9)
        self.assertEqual(truth["shifts"], [{"first": 100, "end": 300, "size": 0.6}])

    def test_an_exchange_conserves_the_load_of_its_pair(self):
        _, before = simulate(**FLAT)
        _, truth = simulate(**FLAT, exchanges=[(1, 2, 5, 100, 150)], exchange_size=0.4)
        flat, expected = expected_shares(before), expected_shares(truth)
        np.testing.assert_allclose(expected[:, 1, [2, 5]].sum(axis=1), flat[:, 1, [2, 5]].sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(expected[100:150, 1, 5], 0.6 * flat[100:150, 1, 5], rtol=1e-12)
        changed = abs(expected - flat) > 1e-9
        self.assertEqual(changed.sum(), 2 * 50)
        self.assertTrue(changed[100:150, 1][:, [2, 5]].all())
        self.assertEqual(truth["exchanges"], [{"layer": 1, "experts": [2, 5], "first": 100, "end": 150, "size": 0.4}])

    def test_a_burst_multiplies_a_load_for_its_span(self):
        _, before = simulate(**FLAT)
        _, truth = simulate(**FLAT, bursts=[(2, 3, 50, 53)], burst_size=4)
        flat, expected = expected_shares(before)[:, 2], expected_shares(truth)[:, 2]
        odds = (expected[:, 3] / (1 - expected[:, 3])) / (flat[:, 3] / (1 - flat[:, 3]))
        np.testing.assert_allclose(odds, np.where((np.arange(400) >= 50) & (np.arange(400) < 53), 4, 1), rtol=1e-12)

    def test_events_drawn_at_random_are_as_many_and_as_long_as_requested(self):
        _, truth = simulate(**FLAT, exchanges=7, exchange_length=30, bursts=9, burst_length=400)
        self.assertEqual([event["end"] - event["first"] for event in truth["exchanges"]], [30] * 7)
        self.assertEqual([(event["first"], event["end"]) for event in truth["bursts"]], [(0, 400)] * 9)
        firsts = [event["first"] for event in truth["exchanges"]]
        self.assertEqual(firsts, sorted(firsts))
        self.assertGreater(len(set(firsts)), 1)
        self.assertTrue(all(one != other for one, other in (event["experts"] for event in truth["exchanges"])))

    def test_the_hotspot_visits_every_expert_in_turn(self):
        _, truth = simulate(**FLAT, skew=0, hotspot=3, hotspot_steps=10)
        self.assertEqual(truth["hotspot"], {"factor": 3.0, "steps": 10, "period": 80})
        expected = expected_shares(truth)
        for layer in range(3):
            self.assertEqual(expected[:, layer].argmax(axis=1).tolist(), (np.arange(400) // 10 % 8).tolist())
        np.testing.assert_allclose(expected.max(axis=2), 3 / 10, rtol=1e-12)

    def test_a_dying_expert_has_no_token_from_its_end_on(self):
        for overdispersion, assignments in ((1, 2**20), (4, 2**20), (1, 2**53)):
            for expert in (0, 7):  # the last one takes what multinomial sampling leaves over: a little of very many
                counts, truth = simulate(**{**FLAT, "overdispersion": overdispersion, "assignments": assignments},
                                         dying=[(2, expert, 100)], dying_length=80)
                event, = truth["dying"]
                self.assertEqual(event, {"layer": 2, "expert": expert, "first": 100, "end": 180})
                self.assertTrue((counts[180:, 2, expert] == 0).all())
                self.assertTrue((counts[:179, 2, expert] > 0).all())
                self.assertTrue((np.delete(counts, expert, axis=2) > 0).all() and (counts[:, :2] > 0).all())
        loads = expected_shares(truth)[:, 2]
        ratio = loads[:, 7] / loads[:, 0]
        np.testing.assert_allclose(ratio / ratio[0], np.interp(np.arange(400), [100, 180], [1, 0]), rtol=0, atol=1e-12)

    def test_any_size_of_an_event_leaves_shares(self):
        spans = [(0, 0, 10, 20), (0, 0, 12, 30), (0, 1, 1, 50)]
        for events in ({"bursts": spans, "burst_size": 1e308, "hotspot": 1e308},
                       {"bursts": spans, "burst_size": 1e-308}, {"hotspot": 1.7e308}, {"skew": 1e6},
                       {"shifts": [(5, 1e6), (9, 1e6)]}, {"drift": 1e6},
                       {"fluctuation": 1e6, "fluctuation_decay": 1e-320}):
            with self.subTest(events), np.errstate(over="raise", invalid="raise", divide="raise"):
                counts, truth = simulate(60, 2, 4, 64, **events)
                self.assertEqual(set(counts.sum(axis=2).flat), {64})
                np.testing.assert_allclose(expected_shares(truth).sum(axis=2), 1)
        counts, _ = simulate(60, 1, 4, 64, bursts=spans, burst_size=1e308)
        self.assertEqual(counts[12:20, 0, 0].tolist(), [64] * 8)  # two of them, against one

    def test_bad_arguments_are_refused_in_words(self):
        for name, values in {
                "steps": [0, -1], "layers": [0], "experts": [0, 1], "assignments": [0, 2**54], "seed": [-1],
                "skew": [-0.1, math.nan], "overdispersion": [0.5, math.inf, 4096 / 8 + 1],
                "fluctuation": [-1, math.inf],
                "fluctuation_end": [-1, [1, 2]], "fluctuation_decay": [-1.0, [1.0, 2.0], math.nan], "drift": [-1],
                "shifts": [[(400, 0.1)], [(-1, 0.1)], [(1, -0.1)], [(1,)], [3]], "shift_ramp": [-1],
                "exchanges": [-1, [(0, 1, 2, 3)], [(3, 0, 1, 0, 5)], [(0, 8, 1, 0, 5)], [(0, 1, 1, 0, 5)],
                              [(0, 0, 1, 5, 5)], [(0, 0, 1, 5, 401)], 1],
                "exchange_size": [-0.1, 1.1], "exchange_length": [0],
                "bursts": [-1, [(0, 0, 5, 4)], [(0, 8, 1, 2)]], "burst_size": [0, -1], "burst_length": [0],
                "hotspot": [0, -2, math.nan], "hotspot_steps": [0],
                "dying": [[(0, 0, 400)], [(0, 0, 1), (0, 0, 2)], [(1, expert, 1) for expert in range(8)]],
                "dying_length": [0]}.items():
            for value in values:
                with self.subTest(name, value=value), self.assertRaisesRegex(ValueError, name):
                    simulate(**{**FLAT, name: value})
        for name, value in {"steps": 1.5, "skew": "much", "shifts": 5, "exchanges": 1.5, "dying": 3}.items():
            with self.subTest(name, value=value), self.assertRaisesRegex(TypeError, name):
                simulate(**{**FLAT, name: value})


class Smoothing(unittest.TestCase):
    def test_a_line_stays_that_line_to_both_ends(self):
        for steps in (21, 25, 40, 41, 333, 1000):
            time = np.arange(steps)[:, None] / steps
            line = np.array([0.1, 0.2, 0.3, 0.4]) + time * np.array([0.2, 0.1, -0.1, -0.2])
            for bandwidth in (40, 77.5, 100, 5000):
                with self.subTest(steps=steps, bandwidth=bandwidth):
                    np.testing.assert_allclose(smooth(line, bandwidth), line, rtol=0, atol=1e-12)

    def test_it_is_the_weighted_least_squares_line_at_every_block_and_end(self):
        series = shares(TRACE[:215, 0])
        result = smooth(series, 90)
        starts = np.arange(0, 215, 20)
        means = np.array([series[start:start + 20].mean(axis=0) for start in starts])
        sizes = np.array([20] * 10 + [15])
        centres = starts + (sizes - 1) / 2
        fits = []
        points = [0, *centres, 214]
        for point in points:
            away = abs(centres - point) / 90
            weights = np.sqrt(sizes * np.where(away < 1, (1 - away**3)**3, 0))[:, None]
            design = np.stack([np.ones(11), centres - point], axis=1)
            fits.append(np.linalg.lstsq(weights * design, weights * means, rcond=None)[0][0])
        expected = np.stack([np.interp(np.arange(215), points, fit) for fit in np.transpose(fits)], axis=1)
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)

    def test_layers_are_smoothed_each_by_itself(self):
        both = smooth(shares(TRACE[:500]), 100)
        np.testing.assert_array_equal(both[:, 4], smooth(shares(TRACE[:500, 4]), 100))

    def test_the_ends_do_not_see_each_other(self):
        series = shares(TRACE[:600, 0])
        other = series.copy()
        other[-100:] = 1 / 16
        np.testing.assert_array_equal(smooth(series, 100)[:380], smooth(other, 100)[:380])

    def test_results_are_shares_and_none_is_nothing(self):
        series = np.zeros((100, 4))
        series[:50, 0] = series[50:, 1] = 1
        result = smooth(series, 40)
        np.testing.assert_allclose(result.sum(axis=1), 1, rtol=0, atol=1e-12)
        self.assertGreaterEqual(result.min(), 0.02 / 4 / 1.1)

    def test_a_run_of_one_block_is_its_mean(self):
        for steps in (1, 7, 20):
            np.testing.assert_allclose(smooth(shares(TRACE[:steps, 0])),
                                       np.tile(shares(TRACE[:steps, 0]).mean(axis=0), (steps, 1)), rtol=1e-12)

    def test_bad_arguments(self):
        good = np.full((50, 4), 0.25)
        for bandwidth in (39, 0, -100, math.nan, math.inf):
            with self.assertRaisesRegex(ValueError, "bandwidth"):
                smooth(good, bandwidth)
        for series in (good[0], good[:0], good * math.nan):
            with self.assertRaisesRegex(ValueError, "shares"):
                smooth(series)


class Resampling(unittest.TestCase):
    def test_totals_are_exact_and_the_seed_decides(self):
        for assignments, thin in ((1024, False), (1024, True), (2**19, False), (2**31, False)):
            one = resample(TRACE[:300], assignments, seed=2, thin=thin)
            self.assertEqual(set(one.sum(axis=2, dtype=np.int64).flat), {assignments})
            self.assertEqual((one.dtype, one.shape), (np.int64 if assignments == 2**31 else np.int32, (300, 6, 16)))
            self.assertEqual(one.tobytes(), resample(TRACE[:300], assignments, seed=2, thin=thin).tobytes())
            self.assertNotEqual(one.tobytes(), resample(TRACE[:300], assignments, seed=3, thin=thin).tobytes())

    def test_mean_loads_stay(self):
        recorded = shares(TRACE).mean(axis=0)
        for assignments, thin, bound in ((1024, True, 2e-4), (1024, False, 4e-4), (2**19, False, 2e-4)):
            self.assertLess(abs(shares(resample(TRACE, assignments, thin=thin)).mean(axis=0) - recorded).max(), bound)

    def test_noise_falls_with_the_batch_size(self):
        def noise(assignments):
            steps = np.diff(shares(resample(TRACE[8000:], assignments, bandwidth=400)), axis=0)
            return (steps**2).mean() / 2

        p = shares(TRACE[8000:]).mean(axis=0)
        for assignments in (512, 8192, 131072):
            self.assertLess(abs(noise(assignments) * assignments / (p * (1 - p)).mean() - 1), 0.03)

    def test_thinning_takes_only_tokens_that_were_there(self):
        for assignments in (1, 1024, 8191):
            thinned = resample(TRACE[:500], assignments, thin=True)
            self.assertEqual(set(thinned.sum(axis=2).flat), {assignments})
            self.assertTrue(((thinned >= 0) & (thinned <= TRACE[:500])).all())
        np.testing.assert_array_equal(resample(TRACE[:500], 8192, thin=True), TRACE[:500])

    def test_thinning_is_hypergeometric(self):
        urn = np.array([500, 0, 300, 150, 50])
        thinned = resample(np.tile(urn, (20000, 1, 1)), 200, thin=True)[:, 0]
        p = urn / 1000
        np.testing.assert_allclose(thinned.mean(axis=0), 200 * p, rtol=0, atol=0.25)
        covariance = 200 * (1000 - 200) / (1000 - 1) * (np.diag(p) - np.outer(p, p))
        np.testing.assert_allclose(np.cov(thinned.T), covariance, rtol=0, atol=1.5)

    def test_every_form_of_a_trace_gives_the_same(self):
        expected = resample(TRACE, 2048)
        for trace in (FILE, str(FILE), Tensor(TRACE), TRACE.astype(float), np.asfortranarray(TRACE)):
            np.testing.assert_array_equal(resample(trace, 2048), expected)
        np.testing.assert_array_equal(resample(TRACE[:300].astype(np.float32), 2048, thin=True),
                                      resample(TRACE[:300], 2048, thin=True))

    def test_a_step_without_tokens_repeats_the_shares_before(self):
        empty = np.array(TRACE[:100])
        empty[[0, 1, 50], 2] = 0
        filled = empty / np.maximum(empty.sum(axis=2, keepdims=True), 1)
        filled[:2, 2], filled[50, 2] = 1 / 16, filled[49, 2]
        np.testing.assert_array_equal(resample(empty, 4096), resample(filled, 4096))

    def test_bad_arguments(self):
        with self.assertRaisesRegex(ValueError, "step 0, layer 0 has 8192 tokens"):
            resample(TRACE[:50], 8193, thin=True)
        with self.assertRaisesRegex(ValueError, "fractions"):
            resample(shares(TRACE[:50]), 10, thin=True)
        with self.assertRaisesRegex(ValueError, "the most that can be thinned"):
            resample(TRACE[:50].astype(np.int64) * 2**20, 10, thin=True)
        with self.assertRaisesRegex(ValueError, "negative"):
            resample(-TRACE[:50], 10)
        with self.assertRaisesRegex(ValueError, "infinite"):
            resample(TRACE[:50] * math.nan, 10)
        for name, value in {"assignments": 0, "seed": -1, "bandwidth": 10}.items():
            with self.assertRaisesRegex(ValueError, name):
                resample(TRACE[:50], **{"assignments": 10, name: value})
        with self.assertRaisesRegex(ValueError, "inf tokens"), np.errstate(all="raise"):
            resample(np.full((9, 1, 4), 1e308), 10, thin=True)

    def test_a_bandwidth_beyond_the_run_is_a_line(self):
        with np.errstate(all="raise"):
            wide, wider = (smooth(shares(TRACE[:100]), bandwidth) for bandwidth in (1e6, 1e308))
        np.testing.assert_allclose(wide, wider, rtol=1e-9)


class Joining(unittest.TestCase):
    def test_experts_stand_side_by_side_and_sum_to_one(self):
        joined = join_experts(TRACE[:100], 3)
        self.assertEqual((joined.shape, joined.dtype), ((100, 2, 48), float))
        np.testing.assert_allclose(joined.sum(axis=2), 1, rtol=0, atol=1e-12)
        np.testing.assert_allclose(joined[:, 1, 16:32], shares(TRACE[:100])[:, 4] / 3, rtol=1e-12)

    def test_each_layer_weighs_the_same_whatever_its_tokens(self):
        heavy = np.array(TRACE[:100])
        heavy[:, 1] *= 8
        np.testing.assert_allclose(join_experts(heavy, [[0, 1]]), join_experts(TRACE[:100], [[0, 1]]), rtol=1e-12)

    def test_layers_of_several_traces_make_the_papers_128_experts(self):
        joined = join_experts([TRACE[:200], FILE], [[1, 2, 3, 4, 5, 7, 8, 9]])
        self.assertEqual(joined.shape, (200, 1, 128))
        np.testing.assert_allclose(joined[:, 0, -16:], shares(TRACE[:200])[:, 3] / 8, rtol=1e-12)
        counts = resample(joined, 2**19)
        self.assertEqual((counts.shape, set(counts.sum(axis=2).flat)), ((200, 1, 128), {2**19}))
        self.assertEqual(join_experts([TRACE[:200], FILE], 8).shape, (200, 1, 128))

    def test_bad_groups(self):
        for groups in (0, 7, [], [[]], [[0, 1], [2]], [[6]], [[-1]]):
            with self.subTest(groups=groups), self.assertRaisesRegex(ValueError, "groups"):
                join_experts(TRACE[:10], groups)
        with self.assertRaisesRegex(ValueError, "experts"):
            join_experts([TRACE[:10], TRACE[:10, :, :8]], 2)


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name) / "run.npy"

    def run_it(self, *arguments, out=None, code=0):
        environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(moepredict.__file__).parents[1])}
        run = subprocess.run([sys.executable, "-m", "moepredict", "simulate", "--out", out or self.out,
                              *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=300)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def written(self):
        return np.load(self.out), json.loads(self.out.with_suffix(".json").read_text(encoding="utf-8"))

    def test_it_writes_the_counts_and_the_truth_of_simulate(self):
        output = self.run_it("--steps", 300, "--layers", 2, "--experts", 4, "--assignments", 512, "--seed", 7,
                           "--overdispersion", 1.5, "--fluctuation-end", 200, "--fluctuation-decay", 0, 50.5,
                           "--shift", 100, 0.3, "--shift", 200, 0.1, "--exchange", 0, 1, 2, 10, 20, "--bursts", 3,
                           "--dying", 1, 3, 50, "--dying-length", 9)
        counts, truth = self.written()
        expected, expected_truth = simulate(
            300, 2, 4, 512, seed=7, overdispersion=1.5, fluctuation_end=200, fluctuation_decay=[0, 50.5],
            shifts=[(100, 0.3), (200, 0.1)], exchanges=[(0, 1, 2, 10, 20)], bursts=3, dying=[(1, 3, 50)],
            dying_length=9)
        self.assertEqual((counts.dtype, counts.tobytes(), truth), (expected.dtype, expected.tobytes(), expected_truth))
        self.assertIn("300 steps, 2 layers, 4 experts", output)
        self.assertIn("run.json", output)

    def test_json_is_for_machines(self):
        facts = json.loads(self.run_it("--steps", 50, "--seed", 3, "--json"))
        self.assertEqual(facts, {"counts": str(self.out), "truth": str(self.out.with_suffix(".json")), "steps": 50,
                                 "layers": 6, "experts": 16, "dtype": "int32", "assignments": 8192})
        self.assertEqual(self.written()[0].tobytes(), simulate(50, seed=3)[0].tobytes())

    def test_like_another_run(self):
        self.run_it("--like", FILE, "--assignments", 2**19, "--bandwidth", 400, "--seed", 2)
        counts, truth = self.written()
        self.assertEqual(counts.tobytes(), resample(TRACE, 2**19, bandwidth=400, seed=2).tobytes())
        self.assertEqual((truth["like"], truth["join"], truth["parameters"]),
                         ([str(FILE)], None, {"assignments": 2**19, "bandwidth": 400, "seed": 2, "thin": False}))
        self.run_it("--like", FILE, "--assignments", 1024, "--thin")
        self.assertEqual(self.written()[0].tobytes(), resample(TRACE, 1024, thin=True).tobytes())
        self.run_it("--like", FILE, FILE, "--assignments", 4096, "--join", 8)
        self.assertEqual(self.written()[0].tobytes(), resample(join_experts([TRACE, TRACE], 8), 4096).tobytes())

    def test_errors_are_reported_and_nothing_is_written(self):
        for words, arguments in (("needs --assignments", ["--like", FILE]), ("--thin needs --like", ["--thin"]),
                                 ("--steps does not go with", ["--like", FILE, "--assignments", 9, "--steps", 5]),
                                 ("need --join", ["--like", FILE, FILE, "--assignments", 9]),
                                 ("overdispersion", ["--overdispersion", 0.5]), ("step", ["--shift", 1.5, 0.3])):
            self.assertIn(words, self.run_it(*arguments, code=2))
        self.assertIn("No such file", self.run_it("--like", "/nonexistent.npy", "--assignments", 9, code=2))
        self.assertIn("ends in .npy", self.run_it(out=self.out.with_suffix(".json"), code=2))
        for arguments in (["--steps", "many"], ["--bursts", 3, "--burst", 0, 0, 1, 2], ["--shift", 5]):
            self.run_it(*arguments, code=2)
        self.assertEqual(list(self.out.parent.iterdir()), [])

    def test_help_teaches(self):
        output = " ".join(self.run_it("--help").split())
        for words in ("--overdispersion", "LAYER EXPERT OTHER FIRST END", "40 % of the run", "default 8192"):
            self.assertIn(words, output)
