# SPDX-License-Identifier: BSD-3-Clause
"""AUTO in Python: the default, its report, its part of the metrics."""
import re
import unittest

import numpy as np

import moepredict
from moepredict import Predictor
from reference import ROOT

LAYERS, EXPERTS = 3, 8
COUNTS, _ = moepredict.simulate(600, layers=LAYERS, experts=EXPERTS, seed=3)


def make(counts=COUNTS, **config):
    predictor = Predictor(layers=LAYERS, experts=EXPERTS, **config)
    predictor.push(counts)
    return predictor


class Report(unittest.TestCase):
    def test_weights_are_parts_of_one_for_each_candidate(self):
        report = make().auto_report
        self.assertEqual(report.weights.shape, (LAYERS, len(report.candidates)))
        np.testing.assert_allclose(report.weights.sum(1), 1, rtol=1e-14)
        self.assertTrue((report.weights >= 0).all())

    def test_candidates_have_the_librarys_names(self):
        names = make(COUNTS[:1]).auto_report.candidates
        text = (ROOT / "lib" / "methods" / "auto" / "candidates.c").read_text()
        self.assertEqual(list(names), re.findall(r'^    "(.*)",$', text, flags=re.M))
        self.assertEqual(len(set(names)), len(names))

    def test_jumps_and_errors_are_by_layer(self):
        report = make().auto_report
        self.assertEqual((report.expected_error.shape, report.coverage.shape), ((LAYERS,), (LAYERS, 2)))
        self.assertEqual(report.since_jump.tolist(), [600] * LAYERS)
        jumped = make()
        block = COUNTS[-50:].copy()
        block[:, 1, :4] *= 3
        jumped.push(block)
        self.assertEqual(jumped.auto_report.since_jump.tolist(), [650, 50, 650])

    def test_the_report_is_that_of_the_forecast(self):
        # Of the eight windows all but two have the same mean before step 100, and the network has no weight yet.
        predictor, shares = make(COUNTS[:50]), COUNTS[:50] / COUNTS[:50].sum(2, keepdims=True)
        uniform = predictor.auto_report.weights[:, [-1]]
        expected = (1 - uniform) * shares.mean(0) + uniform / EXPERTS
        np.testing.assert_allclose(predictor.predict(1000), expected, atol=1e-7)

    def test_other_methods_have_none(self):
        with Predictor("arima", layers=1, experts=2) as other:
            with self.assertRaisesRegex(moepredict.Error, "the method is arima, not auto") as caught:
                other.auto_report
        self.assertEqual(caught.exception.name, "unsupported")

    def test_after_close_there_is_none(self):
        predictor = make()
        predictor.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            predictor.auto_report


class Default(unittest.TestCase):
    def test_it_is_the_method_of_a_predictor_that_names_none(self):
        self.assertEqual(make().info.method, "auto")

    def test_it_forecasts_from_the_first_step_on_without_a_fit(self):
        predictor = make(COUNTS[:1])
        np.testing.assert_allclose(predictor.predict(1000, 100).sum(2), 1)
        predictor.fit()
        self.assertIsNone(predictor.info.fitted_step)

    def test_its_expected_errors_are_metrics(self):
        predictor = make(COUNTS[:300])
        errors, found = predictor.auto_report.expected_error, predictor.metrics()
        for kind in ("mean", "min", "max"):
            self.assertIs(type(found[f"expected_error_{kind}"]), float)
            np.testing.assert_equal(found[f"expected_error_{kind}"], getattr(errors, kind)())

    def test_a_backtest_takes_its_name(self):
        result = moepredict.backtest("auto", COUNTS, horizon=100)
        self.assertEqual(result.error_of_mean.shape, (3, LAYERS))
        self.assertTrue(np.isfinite(result.error_of_mean).all())
