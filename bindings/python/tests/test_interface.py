# SPDX-License-Identifier: BSD-3-Clause
"""The interface without the C header: keywords and their defaults, typed records, documentation."""
import ctypes
import doctest
import inspect
import re
import typing
import unittest
from ctypes import c_double
from unittest import mock

import numpy as np
from numpy.typing import NDArray

import moepredict
from moepredict import Detector, Planner, Predictor, _structs, _values, evaluation
from moepredict._library import library
from reference import ROOT

NAMES = [name for name in moepredict.__all__ if callable(getattr(moepredict, name))]
PREDICTOR = _structs.PredictorConfig.names()
DETECTOR = _structs.DetectorConfig.names()
PLANNER = _structs.PlannerConfig.names()
OPTIONS = _structs.PlanOptions.names()


def keywords(function):
    """Names and defaults of the keywords that have one."""
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is not parameter.empty}


def library_defaults(method):
    config = _structs.PredictorConfig()
    library.moep_predictor_config_init(config, method)
    return _values.readable(config)


def hint_of(struct, name):
    """The type of a field in a signature."""
    if name == "method" or name in _structs.NAMES or name in ("arima_p", "arima_d", "arima_q"):
        return {int, str}
    kind = dict(struct.fields())[name]
    return {int, typing.Sequence[int]} if hasattr(kind, "_length_") else {float} if kind is c_double else {int}


def kinds(hint):
    return set(typing.get_args(hint)) if typing.get_origin(hint) is typing.Union else {hint}


class Keywords(unittest.TestCase):
    def test_of_a_predictor_are_the_structs_fields_in_order(self):
        self.assertEqual(list(keywords(Predictor)), [*PREDICTOR, "threads"])
        self.assertEqual(list(inspect.signature(Predictor).parameters)[:3], ["method", "layers", "experts"])

    def test_of_a_detector_are_the_structs_fields_in_order(self):
        self.assertEqual(list(keywords(Detector)), DETECTOR)

    def test_of_a_planner_are_the_structs_fields_in_order(self):
        self.assertEqual(list(keywords(Planner)), [*PLANNER, "threads"])

    def test_of_a_plan_are_the_options_fields_in_order(self):
        shown = [name for name in keywords(Planner.plan) if name in OPTIONS]
        self.assertEqual(shown, OPTIONS)

    def test_defaults_of_a_predictor_are_the_librarys_for_every_method(self):
        shown = keywords(Predictor)
        for number, method in enumerate(moepredict.methods()):
            expected = library_defaults(number)
            self.assertEqual(expected.pop("method"), method)
            for name, value in expected.items():
                with self.subTest(method, name=name):
                    self.assertEqual((shown[name], type(shown[name])), (value, type(value)))
        self.assertEqual((shown["method"], shown["threads"]), ("auto", 0))

    def test_defaults_of_a_detector_are_the_librarys(self):
        config = _structs.DetectorConfig()
        library.moep_detector_config_init(config)
        expected, shown = _values.readable(config), keywords(Detector)
        shown["windows"] += (0, 0)
        self.assertEqual({name: (value, type(value)) for name, value in shown.items()},
                         {name: (value, type(value)) for name, value in expected.items()})

    def test_defaults_of_a_planner_and_of_a_plan_are_the_librarys(self):
        config, options = _structs.PlannerConfig(), _structs.PlanOptions()
        library.moep_planner_config_init(config)
        library.moep_plan_options_init(options)
        expected = {**options.values(), "method": _structs.PLAN_METHODS[options.method]}
        self.assertEqual(keywords(Planner), {**config.values(), "threads": 0})
        shown = {name: value for name, value in keywords(Planner.plan).items() if name in OPTIONS}
        self.assertEqual({name: (value, type(value)) for name, value in shown.items()},
                         {name: (value, type(value)) for name, value in expected.items()})

    def test_types_are_those_of_the_fields(self):
        for function, struct in ((Predictor.__init__, _structs.PredictorConfig),
                                 (Detector.__init__, _structs.DetectorConfig),
                                 (Planner.__init__, _structs.PlannerConfig)):
            hints = typing.get_type_hints(function)
            for name in struct.names():
                with self.subTest(struct.__name__, name=name):
                    self.assertEqual(kinds(hints[name]), hint_of(struct, name))

    def test_every_keyword_reaches_the_library(self):
        other = {"method": "lstm", "sw_avg_window": 7, "history": 3000, "fit_budget": 2.5, "arima_p": "select",
                 "arima_d": 0, "arima_q": 3, "arima_order_scope": "per_series", "arima_bucket": 4, "arima_starts": 6,
                 "arima_scale": "log_ratios", "arima_mean": 0, "arima_root_limit": 0.5, "seed": 9,
                 "lstm_scope": "joint", "lstm_layers": 2, "lstm_hidden": 8}
        self.assertEqual(list(other), PREDICTOR)
        self.assertEqual(Predictor(layers=1, experts=2, **other).config._asdict(), other)
        other = {"horizon": 500, "tolerance": 0.2, "expert_tolerance": 0.3, "growth": 0.4, "drift_window": 90,
                 "block": 30, "dwell": 60, "windows": (5, 6, 7, 8)}
        self.assertEqual(Detector(layers=1, experts=2, **other).config._asdict(), other)
        other = {"span": 500, "scenarios": 60, "risk": 1.5}
        self.assertEqual(Planner(layers=1, experts=2, **other).config._asdict(), other)

    def test_every_option_of_a_plan_reaches_the_library(self):
        other = {"horizon": 7, "slot_cost": 0.5, "layer_cost": 1.5, "plan_cost": 2.5, "least_gain": 3.5,
                 "most_slots": 4, "method": "risk", "effort": 5, "scenarios": 6}
        self.assertEqual([*other, "layers"], OPTIONS)
        seen = []

        def plan(handle, layout, forecast, current, options, result):
            seen.append((layout.values(), {**options.values(), "method": _structs.PLAN_METHODS[options.method]},
                         ctypes.string_at(options.layers, 2)))

        with mock.patch.object(library, "moep_plan", plan), Planner(layers=2, experts=8) as planner:
            planner.plan(slots=16, ranks=4, groups=4, nodes=2, layers=[1], **other)
        (layout, options, layers), = seen
        self.assertEqual(layout, {"layers": 2, "experts": 8, "slots": 16, "ranks": 4, "groups": 4, "nodes": 2})
        del options["layers"]
        self.assertEqual((options, layers), (other, b"\0\1"))

    def test_a_backtest_has_them_all_and_passes_on_what_is_given(self):
        shown, own = keywords(moepredict.backtest), _structs.BacktestConfig.names()
        passed = [name for name in shown if name not in own and name != "progress"]
        self.assertEqual(passed, [*PREDICTOR[1:], "threads"])
        self.assertEqual({shown[name] for name in passed}, {None})
        hints = typing.get_type_hints(moepredict.backtest)
        for name in passed[:-1]:
            self.assertEqual(kinds(hints[name]), hint_of(_structs.PredictorConfig, name) | {type(None)}, name)
        trace = np.ones((1400, 1, 2), np.int32)
        for given in ({name: object() for name in passed}, {}):
            with mock.patch.object(evaluation, "Predictor", side_effect=InterruptedError) as predictor, \
                    self.assertRaises(InterruptedError):
                moepredict.backtest("lstm", trace, **given)
            predictor.assert_called_once_with("lstm", layers=1, experts=2, **given)


class Records(unittest.TestCase):
    def test_fields_are_the_structs(self):
        for record, struct, more in ((moepredict.Info, _structs.Info, []),
                                     (moepredict.PredictorConfig, _structs.PredictorConfig, []),
                                     (moepredict.DetectorConfig, _structs.DetectorConfig, []),
                                     (moepredict.PlannerConfig, _structs.PlannerConfig, []),
                                     (moepredict.LstmTraining, _structs.LstmTraining, []),
                                     (moepredict.AutoReport, _structs.AutoReport, ["candidates"]),
                                     (moepredict.Backtest, _structs.BacktestResult, ["origins"])):
            self.assertEqual(list(record._fields), more + struct.names())
        self.assertEqual(list(moepredict.Plan._fields), ["map", *_structs.PlanResult.names()[1:]])
        self.assertEqual(list(moepredict.ArimaModel._fields), ["order", *_structs.ArimaModel.names()[3:]])

    def test_values_have_the_types_that_the_fields_promise(self):
        counts, _ = moepredict.simulate(400, layers=1, experts=2)
        arima = Predictor("arima", layers=1, experts=2)
        arima.push(counts)
        arima.fit()
        detector, lstm = Detector(layers=1, experts=2), Predictor("lstm", layers=1, experts=2)
        auto, planner = Predictor(layers=1, experts=2), Planner(layers=1, experts=2)
        planner.push(counts)
        plan = planner.plan(slots=4, ranks=2)
        for record in (arima.info, detector.info, planner.info, arima.config, detector.config, planner.config,
                       arima.arima_model(0, 0), lstm.lstm_training, auto.auto_report, plan,
                       planner.predict_ranks(plan.map, 2), moepredict.backtest("sw_avg", counts, horizon=50),
                       moepredict.replay_plans(counts, ranks=2, first=300)[0]):
            for name, hint in typing.get_type_hints(type(record)).items():
                value = getattr(record, name)
                with self.subTest(type(record).__name__, name=name):
                    if isinstance(value, np.ndarray):
                        self.assertEqual(str(hint), str(NDArray[value.dtype.type]))
                    else:
                        self.assertIn(type(value), {typing.get_origin(kind) or kind for kind in kinds(hint)})


def documented():
    """Everything public: (its name, the object that has its documentation)."""
    for name in NAMES:
        thing = getattr(moepredict, name)
        yield name, thing
        for member in dir(thing) if inspect.isclass(thing) else []:
            value = inspect.getattr_static(thing, member)
            value = value.__func__ if isinstance(value, classmethod) else value
            source = getattr(value, "fget", value)
            if not member.startswith("_") and inspect.isfunction(source) and source.__module__.startswith("moepredict"):
                yield f"{name}.{member}", value


def parameters_of(thing):
    if hasattr(thing, "_fields"):
        return list(thing._fields)
    if isinstance(thing, property) or inspect.isclass(thing) and "__init__" not in vars(thing):
        return []
    return [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]


class Documentation(unittest.TestCase):
    def test_everything_public_is_covered(self):
        names = [name for name, _ in documented()]
        for name in ("Predictor.push", "Predictor.load", "Predictor.config", "Detector.layer_drift", "Detector.metrics",
                     "Planner.plan", "replay_plans", "backtest", "Backtest", "State", "Predictor.lstm_training",
                     "Detector.close"):
            self.assertIn(name, names)

    def test_every_public_name_has_a_text_that_names_every_parameter(self):
        for name, thing in documented():
            text = (thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__) or ""
            with self.subTest(name):
                self.assertGreater(len(text), 20)
                for parameter in parameters_of(thing):
                    self.assertRegex(text, rf"\b{parameter}\b")

    def test_what_is_returned_is_described(self):
        for name, thing in documented():
            if inspect.isfunction(thing) and typing.get_type_hints(thing).get("return", type(None)) is not type(None):
                with self.subTest(name):
                    self.assertRegex(thing.__doc__, r"\n *Returns\n|float64 \(")

    def test_defaults_are_written_as_they_are(self):
        for thing in (Predictor, Detector, Planner):
            for name, default in keywords(thing).items():
                line = re.search(rf"^    (?:\w+, )*{name}(?:, \w+)* : (.*)$", thing.__doc__, flags=re.M)
                with self.subTest(f"{thing.__name__}: {name}"):
                    written = re.search("default (.*)$", line[1])[1]
                    if name.startswith("arima_") and len(name) == 7:  # p, d, q share a line
                        written = written.split(", ")["pdq".index(name[-1])]
                    self.assertEqual(eval(written), default)

    def test_defaults_of_calls_are_written_as_they_are(self):
        for call in (Planner.plan, moepredict.replay_plans):
            for line in re.findall(r"^ +([\w, ]+) : .*default (.*)$", inspect.getdoc(call), flags=re.M):
                for name, written in zip(line[0].split(", "), re.split(", | and ", line[1])):
                    with self.subTest(f"{call.__name__}: {name}"):
                        self.assertEqual(eval(written), keywords(call)[name])

    def test_nothing_sends_the_reader_to_the_c_header(self):
        for name, thing in documented():
            self.assertNotRegex(thing.__doc__, r"moep_|moepredict\.h", name)

    def test_examples_are_true(self):
        found = 0
        for name, thing in documented():
            for test in doctest.DocTestFinder(recurse=False).find(thing, name, globs={"moepredict": moepredict}):
                found += bool(test.examples)
                self.assertEqual(doctest.DocTestRunner().run(test).failed, 0)
        self.assertGreaterEqual(found, 3)

    def test_lines_have_120_columns_at_most(self):
        files = [*(ROOT / "bindings" / "python").glob("*/*.py"), *(ROOT / "examples").glob("*.py")]
        self.assertGreater(len(files), 40)
        wide = [f"{file.name}:{number}" for file in files
                for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120]
        self.assertEqual(wide, [])
