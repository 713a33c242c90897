# SPDX-License-Identifier: BSD-3-Clause
"""The planner as an object: push, plans, what ranks will carry, copies, close."""
import copy
import gc
import math
import pickle
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Detector, Planner, Predictor, _structs
from moepredict._library import library
from reference import ROOT, Tensor, shares

try:
    import torch
except ImportError:
    torch = None

LAYERS, EXPERTS, SLOTS, RANKS = 3, 8, 12, 4
RNG = np.random.default_rng(11)
COUNTS = np.stack([RNG.multinomial(2000, RNG.dirichlet(np.full(EXPERTS, 2)), 330) for _ in range(LAYERS)], 1)
UNIFORM = np.tile(np.arange(SLOTS) % EXPERTS, (LAYERS, 1))
NODES = np.tile([0, 1, 2, 3] * 2 + [4, 5, 6, 7] * 2, (LAYERS, 1))  # experts 0 to 3 on the first two ranks
FORECAST = shares(COUNTS).mean(0)


def make(counts=COUNTS, **config):
    planner = Planner(layers=LAYERS, experts=EXPERTS, **config)
    planner.push(counts)
    return planner


def plan(planner=None, **options):
    return (planner or make()).plan(**{"slots": SLOTS, "ranks": RANKS, "current": UNIFORM, **options})


def peaks(of, loads, ranks=RANKS):
    """The largest rank load over the mean rank load, by row and layer."""
    found = np.empty(loads.shape[:2])
    for layer, experts in enumerate(of):
        copies = np.bincount(experts, minlength=loads.shape[2])
        by_rank = (loads[:, layer] / copies)[:, experts].reshape(len(loads), ranks, -1).sum(2)
        found[:, layer] = by_rank.max(1) * ranks
    return found


def moved(old, new, ranks=RANKS):
    """Slots that receive an expert of which their rank has no copy yet, or too few."""
    by_rank = [[np.bincount(rank, minlength=EXPERTS) for rank in experts.reshape(ranks, -1)] for experts in (old, new)]
    return int(np.maximum(np.subtract(by_rank[1], by_rank[0]), 0).sum())


class Same(unittest.TestCase):
    def assert_same(self, one, other):
        one, other = ([np.asarray(value).tobytes() for value in values] for values in (one, other))
        self.assertEqual(one, other)


class Push(Same):
    def test_one_step_or_many_and_every_dtype(self):
        single = Planner(layers=LAYERS, experts=EXPERTS)
        for step in COUNTS:
            single.push(step)
        self.assertEqual(single.save(), make().save())
        for counts in (*(COUNTS.astype(dtype) for dtype in (np.int32, np.int64, np.uint32, np.uint64)), Tensor(COUNTS),
                       np.asfortranarray(COUNTS)):
            self.assertEqual(make(counts).save(), make().save())

    def test_a_step_number_with_the_first_step(self):
        planner = Planner(layers=LAYERS, experts=EXPERTS)
        planner.push(COUNTS[:200], step=5000)
        planner.push(COUNTS[200], step=5210)
        self.assertEqual((planner.info.next_step, planner.info.gaps, planner.info.steps), (5211, 10, 201))
        with self.assertRaisesRegex(ValueError, "step 5199"):
            planner.push(COUNTS[200], step=5199)

    def test_bad_counts_are_refused_and_nothing_is_recorded(self):
        planner = make()
        before = planner.save()
        bad = COUNTS.astype(float)
        bad[4, 2, 6] = -1
        for kind, words, counts in ((ValueError, "step 4 .*layer 2, expert 6", bad), (TypeError, "not list", [1]),
                                    (ValueError, r"expected \(3, 8\)", COUNTS[:, :2])):
            with self.assertRaisesRegex(kind, words):
                planner.push(counts)
        self.assertEqual(planner.save(), before)


class Configuration(unittest.TestCase):
    def test_info_config_and_repr(self):
        planner = make(span=500, scenarios=20, risk=1)
        self.assertEqual(planner.config, moepredict.PlannerConfig(500, 20, 1.0))
        info = planner.info
        self.assertEqual((info.method, info.layers, info.experts, info.steps, info.next_step, info.fitted_step),
                         (None, 3, 8, 330, 330, None))
        self.assertEqual(repr(planner), "<moepredict.Planner 3 x 8, 330 steps>")

    def test_bad_configurations(self):
        for kind, words, config in ((ValueError, "span", {"span": 19}), (ValueError, "scenarios", {"scenarios": 1}),
                                    (ValueError, "scenarios", {"scenarios": 1001}), (ValueError, "risk", {"risk": -1}),
                                    (ValueError, "risk", {"risk": math.nan}), (TypeError, "span = 2.5", {"span": 2.5}),
                                    (TypeError, "risk = None", {"risk": None}), (TypeError, "horizon", {"horizon": 9}),
                                    (ValueError, "layers = 0", {"layers": 0})):
            with self.subTest(str(config)), self.assertRaisesRegex(kind, words):
                Planner(**{"layers": LAYERS, "experts": EXPERTS, **config})


class Plans(Same):
    """What holds for every plan, whatever the method."""

    CASES = [{"method": method, **more} for method in ("scenarios", "risk", "mean")
             for more in ({}, {"slot_cost": 5.0, "layer_cost": 3.0, "horizon": 250}, {"most_slots": 3},
                          {"slots": 8, "current": UNIFORM[:, :8]}, {"forecast": FORECAST},
                          {"groups": 2, "nodes": 2, "slots": 16, "current": NODES})]

    def assert_placed(self, found, ranks=RANKS):
        for experts in found.map:
            self.assertEqual(set(experts), set(range(EXPERTS)))
            for rank in experts.reshape(ranks, -1):
                self.assertEqual(len(set(rank)), len(rank))

    def test_every_expert_is_placed_and_no_rank_has_it_twice(self):
        for case in self.CASES:
            with self.subTest(str(case)):
                found = plan(**case)
                self.assertEqual(found.map.dtype, np.int64)
                self.assert_placed(found)
                if case.get("groups"):
                    self.assertTrue(((found.map < 4) == (np.arange(16) < 8)).all())

    def test_a_layer_that_stays_keeps_its_map_and_one_that_moves_counts_its_moves(self):
        for case in self.CASES:
            current, found = case.get("current", UNIFORM), plan(**case)
            for layer in range(LAYERS):
                with self.subTest(str(case), layer=layer):
                    self.assertEqual(found.moved[layer], moved(current[layer], found.map[layer]))
                    self.assertEqual(bool(found.advice[layer]), bool(found.moved[layer]))
                    if not found.advice[layer]:
                        self.assertEqual(found.map[layer].tolist(), current[layer].tolist())
                        self.assertEqual(found.go[layer], found.stay[layer])
                    self.assertLessEqual(found.moved[layer], case.get("most_slots", SLOTS))

    def test_the_gain_is_what_the_options_say(self):
        some = 0
        for case in self.CASES:
            found = plan(plan_cost=1.5, **case)
            horizon, slot, layer = (case.get(name, default) for name, default in
                                    (("horizon", 1000), ("slot_cost", 0), ("layer_cost", 0)))
            gains = (horizon * (found.stay - found.go) - slot * found.moved - layer)[found.advice]
            self.assertTrue((gains > 0).all(), case)
            self.assertAlmostEqual(found.net_gain, gains.sum() - 1.5 if gains.size else 0, places=6)
            some += gains.size
        self.assertGreater(some, 10)

    def test_costs_above_the_gain_keep_everything(self):
        for costs in ({"slot_cost": 1e9}, {"layer_cost": 1e9}, {"plan_cost": 1e9}, {"least_gain": 1e9}):
            found = plan(**costs)
            self.assertEqual((found.advice.any(), found.net_gain, found.map.tolist()), (False, 0, UNIFORM.tolist()))

    def test_stay_and_go_without_a_scatter_are_the_peaks_of_the_forecast(self):
        planner = Planner(layers=LAYERS, experts=EXPERTS)
        planner.push(np.tile(COUNTS[0], (300, 1, 1)))
        for method in _structs.PLAN_METHODS:
            found = plan(planner, forecast=FORECAST, method=method)
            np.testing.assert_allclose(found.stay, peaks(UNIFORM, FORECAST[None])[0], rtol=1e-6)
            np.testing.assert_allclose(found.go, peaks(found.map, FORECAST[None])[0], rtol=1e-6)
            self.assertTrue((found.go < found.stay)[found.advice].all())

    def test_from_scratch_everything_moves_without_costs(self):
        found = plan(current=None, slot_cost=1e9, plan_cost=1e9)
        self.assertTrue(np.isnan(found.stay).all() and found.advice.all())
        self.assertEqual((found.moved.tolist(), found.net_gain), ([SLOTS] * LAYERS, 0))
        self.assertTrue((found.go < plan().stay).all())
        self.assert_placed(found)

    def test_a_map_with_empty_slots_and_missing_experts_is_filled(self):
        current = UNIFORM.copy()
        current[1, 4:] = -1
        found = plan(current=current, slot_cost=1e9)
        self.assertEqual(found.advice.tolist(), [False, True, False])
        self.assertEqual(np.isnan(found.stay).tolist(), [False, True, False])
        self.assert_placed(found)

    def test_only_the_layers_asked_for_are_planned(self):
        whole = plan()
        for layers in ([2, 0], np.array([True, False, True]), (0, 2, 2), Tensor(np.array([0, 2]))):
            some = plan(layers=layers)
            self.assertEqual(np.isnan(some.stay).tolist(), [False, True, False])
            self.assertEqual((some.moved[1], bool(some.advice[1])), (0, False))
            for name in ("map", "stay", "go", "moved", "advice"):
                np.testing.assert_array_equal(getattr(some, name)[[0, 2]], getattr(whole, name)[[0, 2]])
            np.testing.assert_array_equal(some.map[1], UNIFORM[1])
        self.assertEqual(plan(layers=[]).map.tolist(), UNIFORM.tolist())
        self.assert_same(plan(layers=range(LAYERS)), whole)
        self.assert_same(plan(layers=np.ones(LAYERS, bool)), whole)

    def test_a_plan_searches_on_half_of_the_kept_steps_at_most(self):
        planner = make(span=1000)
        self.assert_same(plan(planner, scenarios=17), plan(planner, scenarios=2**32 - 1))  # 33 of 330 are kept
        self.assertNotEqual(plan(planner, scenarios=1).map.tolist(), plan(planner).map.tolist())

    def test_it_is_the_plan_that_the_library_makes(self):
        planner = make()
        found, experts = plan(planner, slot_cost=0.2, method="risk"), np.empty((LAYERS, SLOTS), np.int64)
        stay, go, moves = np.empty(LAYERS), np.empty(LAYERS), np.empty(LAYERS, np.uint64)
        advice = np.empty(LAYERS, np.uint8)
        options = _structs.PlanOptions()
        library.moep_plan_options_init(options)
        options.slot_cost, options.method = 0.2, 1
        result = _structs.PlanResult(phy2log=experts.ctypes.data, stay=stay.ctypes.data, go=go.ctypes.data,
                                     moved=moves.ctypes.data, advice=advice.ctypes.data)
        current = UNIFORM.astype(np.int64)
        library.moep_plan(planner._handle, _structs.Layout(layers=LAYERS, experts=EXPERTS, slots=SLOTS, ranks=RANKS),
                          None, current.ctypes.data, options, result)
        self.assert_same(found, (experts, stay, go, moves, advice, result.net_gain))

    def test_any_array_and_any_number_of_threads_give_the_same_plan(self):
        expected = plan(forecast=FORECAST.astype(np.float32))
        forecasts = [FORECAST.astype(np.float32), Tensor(FORECAST.astype(np.float32)),
                     np.asfortranarray(FORECAST.astype(np.float32)), FORECAST.astype(np.float32).tolist()]
        maps = [UNIFORM.astype(np.int32), Tensor(UNIFORM), np.asfortranarray(UNIFORM), UNIFORM.tolist()]
        for forecast, current in zip(forecasts, maps):
            self.assert_same(plan(forecast=forecast, current=current), expected)
        self.assert_same(plan(make(threads=3), forecast=forecasts[0], method=0), expected)

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_tensors_of_torch_give_the_same_plan(self):
        planner = make()
        expected = plan(planner, forecast=FORECAST)
        found = plan(planner, forecast=torch.tensor(FORECAST, requires_grad=True), current=torch.tensor(UNIFORM),
                     layers=torch.tensor([True] * LAYERS))
        self.assert_same(found, expected)
        self.assert_same(planner.predict_ranks(torch.from_numpy(found.map), RANKS, torch.tensor(FORECAST)),
                         planner.predict_ranks(found.map, RANKS, FORECAST))

    def test_bad_arguments_are_named_and_change_nothing(self):
        planner = make()
        before = planner.save()
        bad = FORECAST.copy()
        bad[1, 3] = math.nan
        beyond = UNIFORM.copy()
        beyond[2, 5] = EXPERTS
        for kind, words, options in (
                (ValueError, "slots", {"slots": 10, "current": None}), (ValueError, "ranks", {"ranks": 0}),
                (ValueError, "slots", {"slots": 4, "current": None}), (TypeError, "slots = 12.0", {"slots": 12.0}),
                (ValueError, "slots", {"slots": 36, "current": None}),
                (ValueError, r"forecast has shape \(8,\): .*layers, experts\) = \(3, 8\)", {"forecast": FORECAST[0]}),
                (TypeError, "forecast has dtype complex128", {"forecast": FORECAST * 1j}),
                (TypeError, "forecast is a MaskedArray", {"forecast": np.ma.masked_array(FORECAST)}),
                (ValueError, "forecast: values are on .*CPU tensor", {"forecast": Tensor(FORECAST, device="cuda")}),
                (ValueError, "layer 1, expert 3", {"forecast": bad}),
                (ValueError, r"current has shape \(3, 8\): .*\(3, 12\)", {"current": UNIFORM[:, :8]}),
                (TypeError, "current has dtype float64: expected whole numbers", {"current": UNIFORM.astype(float)}),
                (ValueError, "layer 2, slot 5", {"current": beyond}),
                (ValueError, "method = 'best': expected 'scenarios' or 'risk'", {"method": "best"}),
                (ValueError, "method", {"method": 3}), (ValueError, "horizon", {"horizon": 0}),
                (ValueError, "slot_cost", {"slot_cost": -1}), (ValueError, "layer_cost", {"layer_cost": math.inf}),
                (ValueError, "plan_cost", {"plan_cost": math.nan}), (ValueError, "least_gain", {"least_gain": -1}),
                (ValueError, "slot_cost = 'a lot'", {"slot_cost": "a lot"}),
                (ValueError, "effort", {"effort": 0}), (ValueError, "scenarios", {"scenarios": 0}),
                (ValueError, "current", {"layers": [0], "current": None}),
                (ValueError, "groups", {"groups": 3, "nodes": 2}),
                (ValueError, "layers: no layer 3, there are 3", {"layers": [3]}),
                (ValueError, "layers: no layer -1", {"layers": [-1]}),
                (ValueError, r"layers has shape \(2,\)", {"layers": [True, False]}),
                (TypeError, "layers has dtype float64", {"layers": [0.5]}),
                (TypeError, "reserved", {"reserved": 0})):
            with self.subTest(str(options)), self.assertRaisesRegex(kind, words):
                plan(planner, **options)
        self.assertEqual(planner.save(), before)

    def test_without_a_step_it_needs_a_forecast(self):
        with Planner(layers=LAYERS, experts=EXPERTS) as planner:
            for call in (lambda: plan(planner), lambda: planner.predict_ranks(UNIFORM, RANKS)):
                with self.assertRaises(moepredict.TooFewSteps):
                    call()
            found = plan(planner, forecast=FORECAST)
            np.testing.assert_allclose(found.stay, peaks(UNIFORM, FORECAST[None])[0], rtol=1e-6)


class Ranks(Same):
    def test_are_those_of_the_kept_steps_under_the_map(self):
        planner, kept = make(span=20, scenarios=20), shares(COUNTS[-20:])
        found = planner.predict_ranks(UNIFORM, RANKS, kept.mean(0), (0.9, 0.1, 0.5))
        of_steps = peaks(UNIFORM, kept)
        np.testing.assert_allclose(found.peak, of_steps.mean(0), rtol=1e-6)
        np.testing.assert_allclose(found.loads.sum(1), 1, rtol=1e-7)
        np.testing.assert_allclose(found.loads.max(1) * RANKS, peaks(UNIFORM, kept.mean(0)[None])[0], rtol=1e-6)
        self.assertEqual((found.quantiles.shape, found.rank_quantiles.shape), ((3, LAYERS), (3, LAYERS, RANKS)))
        for level, quantile in zip((0.9, 0.1, 0.5), found.quantiles):
            for method, compare in (("lower", np.greater_equal), ("higher", np.less_equal)):
                limit = np.quantile(of_steps, level, axis=0, method=method)
                self.assertTrue(compare(quantile, limit * (1 - 1e-6 if method == "lower" else 1 + 1e-6)).all(), level)
        self.assertTrue((found.rank_quantiles[0] > found.rank_quantiles[1]).all())
        self.assertTrue((found.rank_quantiles[0].max(1) * RANKS <= found.quantiles[0] * (1 + 1e-9)).all())

    def test_a_forecast_shifts_them(self):
        shifted = FORECAST[::-1]
        found = make().predict_ranks(UNIFORM, RANKS, shifted)
        np.testing.assert_allclose(found.loads.max(1) * RANKS, peaks(UNIFORM, shifted[None])[0], rtol=0.02)

    def test_the_default_forecast_is_the_mean_of_the_last_fifth_of_the_span(self):
        planner = make(COUNTS[:300], span=1000)
        for own, given in zip(planner.predict_ranks(UNIFORM, RANKS),
                              planner.predict_ranks(UNIFORM, RANKS, shares(COUNTS[100:300]).mean(0))):
            np.testing.assert_allclose(own, given, rtol=1e-6)

    def test_one_level_has_no_axis_and_none_has_empty_arrays(self):
        planner = make()
        one, several = (planner.predict_ranks(UNIFORM, RANKS, quantile=level) for level in (0.9, [0.9]))
        self.assert_same(one, several)
        self.assertEqual((one.quantiles.shape, one.rank_quantiles.shape), ((LAYERS,), (LAYERS, RANKS)))
        none = planner.predict_ranks(UNIFORM, RANKS)
        self.assertEqual((none.quantiles.shape, none.rank_quantiles.shape), ((0, LAYERS), (0, LAYERS, RANKS)))
        self.assert_same(none[:2], one[:2])

    def test_bad_arguments_are_named(self):
        planner, missing = make(), np.where(UNIFORM == 3, 2, UNIFORM)
        for kind, words, arguments in ((ValueError, r"map has shape \(12,\)", (UNIFORM[0], RANKS)),
                                       (ValueError, r"map has shape \(\)", (7, RANKS)),
                                       (TypeError, "map has dtype float64", (UNIFORM * 1.0, RANKS)),
                                       (ValueError, "expert 3", (missing, RANKS)), (ValueError, "", (UNIFORM, 5)),
                                       (ValueError, "forecast", (UNIFORM, RANKS, -FORECAST)),
                                       *((ValueError, "probabilit", (UNIFORM, RANKS, None, level))
                                         for level in (0, 1, math.nan, [0.5, 2]))):
            with self.subTest(str(arguments)), self.assertRaisesRegex(kind, words):
                planner.predict_ranks(*arguments)


class Copies(Same):
    def test_all_go_on_with_the_same_bytes(self):
        for steps in (0, 7, 215):
            original, whole = make(COUNTS[:steps]), make()
            for name, planner in {"clone": original.clone(), "copy": copy.copy(original),
                                  "deepcopy": copy.deepcopy([original])[0],
                                  "pickle": pickle.loads(pickle.dumps(original)),
                                  "load": Planner.load(memoryview(original.save()), threads=2)}.items():
                with self.subTest(name, steps=steps):
                    self.assertEqual((planner.info, planner.config), (original.info, original.config))
                    planner.push(COUNTS[steps:])
                    self.assertEqual(planner.save(), whole.save())
                    self.assert_same(plan(planner), plan(whole))
            other = Planner(layers=LAYERS, experts=EXPERTS, span=40, scenarios=7)
            other.load_state_dict(original.state_dict())
            self.assertEqual((other.save(), other.config), (original.save(), original.config))

    def test_damaged_bytes_and_another_kinds(self):
        state = make().save()
        for damaged in (b"", state[:-1], state[:50] + b"?" + state[51:]):
            with self.assertRaises(moepredict.Error) as caught:
                Planner.load(damaged)
            self.assertEqual(caught.exception.name, "corrupt")
        with Predictor(layers=LAYERS, experts=EXPERTS) as predictor:
            for load, other in ((Planner.load, predictor.save()), (Predictor.load, state), (Detector.load, state)):
                with self.assertRaises(moepredict.Error) as caught:
                    load(other)
                self.assertEqual(caught.exception.name, "incompatible")

    def test_a_state_of_another_shape_is_refused(self):
        with Planner(layers=1, experts=2) as other, self.assertRaisesRegex(ValueError, "shape .*planner's"):
            other.load_state_dict(make().state_dict())


class End(unittest.TestCase):
    def test_close_frees_once_and_nothing_works_afterwards(self):
        gc.collect()
        with mock.patch.object(library, "moep_planner_destroy", wraps=library.moep_planner_destroy) as destroy:
            with make() as planner:
                pass
            planner.close()
            self.assertEqual((destroy.call_count, repr(planner)), (1, "<moepredict.Planner, closed>"))
            for use in (lambda: planner.push(COUNTS), lambda: plan(planner), planner.save, planner.clone,
                        lambda: planner.predict_ranks(UNIFORM, RANKS), lambda: planner.info, lambda: planner.config):
                with self.assertRaisesRegex(ValueError, "closed"):
                    use()
            made = make()
            del made
            gc.collect()
            self.assertEqual(destroy.call_count, 2)


class Trace(unittest.TestCase):
    def test_on_a_recorded_run_scenarios_lower_the_peak_of_the_steps_to_come(self):
        counts = np.load(ROOT / "examples" / "data" / "small16-seed1.npy", mmap_mode="r")[4000:5250]
        current = np.tile(np.arange(24) % 16, (6, 1))
        with Planner(layers=6, experts=16) as planner:
            planner.push(np.asarray(counts[:1000]))
            found = planner.plan(slots=24, ranks=8, current=current)
            forecast = planner.predict_ranks(found.map, 8)
        to_come = shares(counts[1000:])
        before, after = peaks(current, to_come, 8).mean(), peaks(found.map, to_come, 8).mean()
        self.assertLess(after, 1 + (before - 1) / 3)
        self.assertAlmostEqual(found.go.mean(), after, delta=0.03)
        self.assertAlmostEqual(forecast.peak.mean(), after, delta=0.03)


if __name__ == "__main__":
    unittest.main()
