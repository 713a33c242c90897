# SPDX-License-Identifier: BSD-3-Clause
"""Policies replayed along a run, against NumPy on the maps that they had; the command and its picture."""
import io
import json
import os
import unittest
from unittest import mock

import numpy as np
from matplotlib.image import imread

import moepredict
from commands import ENVIRONMENT, InAFolder
from moepredict import Planner, Predictor, _output, _plan_figures, _plan_report, _plan_run
from reference import shares

COUNTS, _ = moepredict.simulate(1400, layers=2, experts=8, assignments=2000, shifts=[(1000, 0.5)], seed=4)
COSTS = {"slot_cost": 0.4, "layer_cost": 0.3, "plan_cost": 0.2}
SETTING = {"ranks": 4, "first": 500, "every": 200, "eplb_every": 400, **COSTS}
PLANNED = ["sw_avg, mean", "auto, mean", "auto, scenarios", "true mean"]
EQUAL = moepredict.rebalance_experts(np.ones((2, 8)), 12, 1, 1, 4)[0]


def peaks(of, loads):
    """The largest of four rank loads over the mean, by step and layer."""
    found = np.empty(loads.shape[:2])
    for layer, experts in enumerate(of):
        parts = loads[:, layer] / np.bincount(experts, minlength=8)
        found[:, layer] = 4 * parts[:, experts].reshape(len(loads), 4, 3).sum(2).max(1)
    return found


def moves(old, new):
    """Slots by layer that receive an expert of which their rank has no copy yet, or too few."""
    held = np.array([[[np.bincount(rank, minlength=8) for rank in layer.reshape(4, 3)] for layer in of]
                     for of in (old, new)])
    return np.maximum(held[1] - held[0], 0).sum((1, 2))


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fractions = []
        cls.replays = {replay.policy: replay for replay in
                       moepredict.replay_plans(COUNTS, **SETTING, progress=cls.fractions.append)}

    def test_policies_plan_at_their_steps(self):
        self.assertEqual(list(self.replays), ["never", "EPLB", *PLANNED])
        for policy, origins in (("never", [500]), ("EPLB", [500, 900, 1300]),
                                *((policy, [500, 700, 900, 1100, 1300]) for policy in PLANNED)):
            replay = self.replays[policy]
            self.assertEqual(replay.origins.tolist(), origins)
            self.assertEqual((replay.maps.shape, replay.peak.shape), ((len(origins), 2, 12), (900, 2)))
        np.testing.assert_array_equal(self.replays["never"].maps[0], EQUAL)

    def test_loads_moves_and_costs_are_those_of_the_maps(self):
        for policy, replay in self.replays.items():
            with self.subTest(policy):
                ends = [*replay.origins[1:], 1400]
                peak = np.concatenate([peaks(of, shares(COUNTS[first:end]))
                                       for first, end, of in zip(replay.origins, ends, replay.maps)])
                moved = np.array([moves(old, new) for old, new in zip([EQUAL, *replay.maps], replay.maps)])
                np.testing.assert_allclose(replay.peak, peak, rtol=1e-6)
                np.testing.assert_array_equal(replay.moves, moved)
                self.assertAlmostEqual(replay.step, peak.mean(), places=6)
                self.assertAlmostEqual(replay.p95, np.quantile(peak, 0.95), places=6)
                self.assertAlmostEqual(replay.slots_moved, 1000 * moved.sum() / 1800, places=9)
                self.assertAlmostEqual(replay.part_moved, 1000 * moved.sum() / 1800 / 12, places=9)
                cost = 0.4 * moved.sum() + 0.3 * (moved > 0).sum() + 0.2 * (moved > 0).any(1).sum()
                self.assertAlmostEqual(replay.net, peak.mean() + cost / 1800, places=6)

    def test_realised_gains_compare_the_old_map_with_the_new_until_the_next_plan(self):
        for policy in PLANNED:
            replay, gains = self.replays[policy], []
            for first, end, old, new in zip(replay.origins, [*replay.origins[1:], 1400], [EQUAL, *replay.maps],
                                            replay.maps):
                loads = shares(COUNTS[first:end])
                gains.append((peaks(old, loads) - peaks(new, loads)).mean(0)[moves(old, new) > 0])
            self.assertAlmostEqual(replay.realised_gain, np.concatenate(gains).mean(), places=6)
        for policy in ("never", "EPLB"):
            self.assertTrue(np.isnan([self.replays[policy].predicted_gain, self.replays[policy].realised_gain]).all())

    def test_maps_are_those_of_eplb_and_of_the_planner(self):
        current, gains = {policy: EQUAL for policy in PLANNED}, {policy: [] for policy in PLANNED}
        with Planner(layers=2, experts=8) as planner, Predictor(layers=2, experts=8) as predictor:
            for i, step in enumerate(range(500, 1400, 200)):
                for handle in (planner, predictor):
                    handle.push(COUNTS[handle.info.steps:step])
                if i % 2 == 0:
                    expected, _, _ = moepredict.rebalance_experts(COUNTS[max(0, step - 1000):step].sum(0), 12, 1, 1, 4)
                    np.testing.assert_array_equal(self.replays["EPLB"].maps[i // 2], expected)
                auto = predictor.predict(1000)
                recent, to_come = shares(COUNTS[step - 200:step]).mean(0), shares(COUNTS[step:]).mean(0)
                for policy, forecast in zip(PLANNED, (recent, auto, auto, to_come)):
                    method = "scenarios" if policy.endswith("scenarios") else "mean"
                    plan = planner.plan(slots=12, ranks=4, forecast=forecast, current=current[policy], horizon=1000,
                                        method=method, **COSTS)
                    np.testing.assert_array_equal(self.replays[policy].maps[i], plan.map, f"{policy}, step {step}")
                    current[policy] = plan.map
                    gains[policy] += (plan.stay - plan.go)[plan.advice].tolist()
        for policy, found in gains.items():
            self.assertAlmostEqual(self.replays[policy].predicted_gain, np.mean(found), places=6)

    def test_progress_grows_to_1(self):
        self.assertEqual((self.fractions, self.fractions[-1]), (sorted(self.fractions), 1))

    def test_the_planners_beat_what_never_moves(self):
        setting = {**SETTING, **dict.fromkeys(COSTS, 0)}
        free = {replay.policy: replay for replay in moepredict.replay_plans(COUNTS, **setting)}
        for policy in PLANNED:
            self.assertLess(free[policy].net, free["never"].net - 0.01)


class Options(unittest.TestCase):
    def found(self, **options):
        return {replay.policy: replay for replay in moepredict.replay_plans(COUNTS, **{**SETTING, **options})}

    def test_another_predictor_forecasts_with_its_model_and_without_its_history(self):
        with Predictor("sw_avg", layers=2, experts=8, sw_avg_window=50) as predictor:
            predictor.push(COUNTS[:300])
            before = predictor.save()
            found = self.found(predictor=predictor)
            self.assertEqual(predictor.save(), before)
        self.assertEqual(list(found), ["never", "EPLB", "sw_avg, mean", "sw_avg, scenarios", "true mean"])

    def test_another_method_stands_beside_mean(self):
        self.assertEqual(list(self.found(method="risk"))[3:], ["auto, mean", "auto, risk", "true mean"])
        self.assertEqual(list(self.found(method="mean"))[3:], ["auto, mean", "true mean"])

    def test_horizon_and_gain_steps_reach_the_plans(self):
        horizons = []

        def plan(handle, **options):
            horizons.append(options.pop("horizon"))
            return self.plan(handle, horizon=200, **options)

        self.plan = Planner.plan
        with mock.patch.object(Planner, "plan", plan), \
                mock.patch.object(Predictor, "predict", side_effect=Predictor.predict, autospec=True) as predict:
            self.found(horizon=77, gain_steps=33)
        self.assertEqual((set(horizons), {call.args[1] for call in predict.call_args_list}), ({33}, {77}))

    def test_slots_are_a_quarter_more_than_experts_by_default(self):
        for experts, ranks, slots in ((16, 8, 24), (16, 4, 20), (256, 32, 320), (4, 8, 8), (3, 2, 4), (1, 4, 4),
                                      (8, 1, 8)):
            self.assertEqual(_plan_run.default_slots(experts, ranks), slots)
        self.assertEqual(self.found(slots=8)["EPLB"].maps.shape, (3, 2, 8))

    def test_a_report_takes_fewer_ranks_where_experts_are_few(self):
        self.assertEqual([_plan_report.ranks_for(experts) for experts in (64, 8, 7, 4, 3, 2, 1)], [8, 8, 4, 4, 2, 2, 1])

    def test_bad_ones_are_named(self):
        for kind, words, options in ((ValueError, "ranks = 0", {"ranks": 0}), (ValueError, "every = 0", {"every": 0}),
                                     (ValueError, "first = 0", {"first": 0}), (TypeError, "first", {"first": 1.5}),
                                     (ValueError, "slots = 7: must be 8", {"slots": 7}),
                                     (ValueError, "slots", {"slots": 10}), (ValueError, "horizon", {"horizon": 0}),
                                     (ValueError, "slot_cost", {"slot_cost": -1}),
                                     (ValueError, "method", {"method": "x"}),
                                     (moepredict.TooFewSteps, "1400 steps, .* begin at step 1400", {"first": 1400})):
            with self.subTest(str(options)), self.assertRaisesRegex(kind, words):
                self.found(**options)

    def test_empty_steps_and_layers_and_huge_counts_are_replayed(self):
        counts = COUNTS.astype(float)
        counts[600:650] = 0
        counts[:, 1] = 0
        for scale in (1, 1e300, 1e-300):
            for replay in moepredict.replay_plans(counts * scale, **SETTING):
                self.assertTrue(np.isfinite(replay.peak).all())


class Command(InAFolder):
    ARGUMENTS = ["--ranks", "4", "--first", "500", "--every", "200", "--eplb-every", "400", "--slot-cost", "0.4",
                 "--layer-cost", "0.3", "--plan-cost", "0.2"]

    def setUp(self):
        super().setUp()
        np.save(self.trace, COUNTS)

    def test_json_has_the_numbers_and_the_table_shows_them(self):
        rows = json.loads(self.run_it("plan", self.trace, *self.ARGUMENTS, "--json").stdout)
        expected = moepredict.replay_plans(COUNTS, **SETTING)
        self.assertEqual([list(row) for row in rows], [list(moepredict.PlanReplay._fields[:8])] * 6)
        for row, replay in zip(rows, expected):
            self.assertEqual(row, {name: value if isinstance(value, str) or np.isfinite(value) else None
                                   for name, value in zip(row, replay)})
        table = self.run_it("plan", self.trace, *self.ARGUMENTS).stdout.decode().splitlines()
        self.assertEqual(len(table), 7)
        for name in ("policy", "step", "p95", "slots moved", "part moved", "net", "predicted gain", "realised gain"):
            self.assertIn(name, table[0])
        for line, row in zip(table[1:], rows):
            for text in (row["policy"], f"{row['step']:.4f}", f"{row['p95']:.4f}", f"{row['slots_moved']:.2f}",
                         f"{100 * row['part_moved']:.2f} %", f"{row['net']:.4f}"):
                self.assertIn(text, line)
        self.assertEqual(table[1].split()[-2:], ["-", "-"])

    def test_options_have_the_functions_defaults(self):
        found = self.run_it("plan", self.trace, "--ranks", "2").stdout.decode()
        expected = moepredict.replay_plans(COUNTS, ranks=2)
        self.assertEqual(found, _output.as_table(_plan_report.rows_of(expected)) + "\n")

    def test_out_is_a_folder_with_the_picture(self):
        folder = self.folder / "new" / "out"
        self.run_it("plan", self.trace, *self.ARGUMENTS, "--out", folder,
                    env={**ENVIRONMENT, "MPLBACKEND": "nonsense"})
        self.assertEqual(os.listdir(folder), ["plan.png"])
        pixels = imread(io.BytesIO((folder / "plan.png").read_bytes()))
        self.assertEqual(pixels.shape[:2], (620, 1100))

    def test_errors_are_one_line_with_a_code(self):
        for code, words, arguments in ((1, b"too few steps", ["--first", "1400"]), (2, b"ranks", ["--ranks", "0"]),
                                       (2, b"slots", ["--slots", "9"]), (1, b"File exists", ["--out", self.trace])):
            run = self.run_it("plan", self.trace, *arguments, code=code)
            self.assertEqual((run.stderr.count(b"\n"), run.stdout), (1, b""))
            self.assertIn(words, run.stderr)


class Picture(unittest.TestCase):
    def test_lines_are_means_of_100_steps_and_moves_so_far(self):
        replays = moepredict.replay_plans(COUNTS[:1350], **SETTING)
        loads, moved = _plan_figures.plan(replays).axes
        for replay, line, steps in zip(replays, loads.lines, moved.lines):
            self.assertEqual(line.get_label(), replay.policy)
            x, y = line.get_data()
            self.assertEqual(x.tolist(), [*range(550, 1300, 100), 1325])
            np.testing.assert_allclose(y[[0, 3, 8]], [replay.peak[:100].mean(), replay.peak[300:400].mean(),
                                                      replay.peak[800:].mean()])
            x, y = steps.get_data()
            self.assertEqual((list(x), y[-1]), ([*replay.origins, 1350], replay.moves.sum() / 2))
            self.assertEqual(y[0], replay.moves[0].sum() / 2)
        self.assertEqual(len({line.get_color() for line in loads.lines[:6]}), 6)


if __name__ == "__main__":
    unittest.main()
