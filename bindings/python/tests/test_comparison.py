# SPDX-License-Identifier: BSD-3-Clause
"""The methods compared with each other, in backtests and reports."""
import contextlib
import io
import json
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import numpy as np

import moepredict
from moepredict import Predictor, __main__, _comparison, _in_sample
from reference import ROOT

DATA = ROOT / "examples" / "data"
SEED1, SEED2 = (np.load(DATA / f"small16-seed{seed}.npy") for seed in (1, 2))
COMPARED = ["auto", "sw_avg", "arima", "lstm", "lstm, joint", _comparison.BEST]
OTHER = SEED2[:1500, :3]  # another run, so short that training takes little time
RUN = np.random.default_rng(5).poisson(60, (1300, 2, 8)).astype(np.int32)


class Comparisons(unittest.TestCase):
    def command(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), mock.patch("sys.argv", ["moepredict", *map(str, arguments)]):
            self.assertEqual(__main__.main(), 0)
        return out.getvalue()

    def test_a_backtest_is_trained_on_other_runs_or_has_the_shipped_weights(self):
        with tempfile.TemporaryDirectory() as folder:
            run, other, third = (pathlib.Path(folder) / f"{name}.npy" for name in ("run", "other", "third"))
            for file, counts in ((run, SEED1[:2000]), (other, OTHER), (third, RUN)):
                np.save(file, counts)
            for name in ("auto", "lstm"):
                with self.subTest(name):
                    command = "backtest", run, "--method", name, "--json"
                    shipped = json.loads(self.command(*command))
                    trained = json.loads(self.command(*command, "--train", other, "--train", third))
                    predictor = Predictor(name, layers=6, experts=16)
                    predictor.fit_traces([OTHER, RUN])
                    for rows, method in ((trained, predictor), (shipped, name)):
                        expected = moepredict.backtest(method, SEED1[:2000])
                        self.assertAlmostEqual(rows[-1]["error_of_mean"], expected.error_of_mean.mean(), places=12)
                    self.assertNotEqual(trained, shipped)

    def test_a_comparison_says_what_the_network_has_learned_from(self):
        for counts, train, words in ((SEED2[4000:5300], [], "made from this very run among others: .*in-sample"),
                                     (SEED1[:1300].astype(float), [], "in-sample"),
                                     (RUN, [], "ships, made from other runs"),
                                     (SEED1[:1300], [OTHER], "auto and lstm were trained on another run[.]")):
            found = _comparison.compare(counts, train, lambda fraction: None)
            self.assertRegex(_comparison.in_words(found), words)
            self.assertEqual([name for name, _ in found.backtests], COMPARED)
            self.assertEqual(set(COMPARED), {*moepredict.methods(), "lstm, joint", _comparison.BEST})
            rows = _comparison.table(found, 0)
            self.assertEqual({row["method"] for row in rows if row["in_sample"]},
                             {"auto", "lstm"} if "in-sample" in words else set())

    def test_the_best_window_in_hindsight_is_the_best_of_all_tried(self):
        found = _comparison.compare(SEED1[:2600], [], lambda fraction: None)
        for horizon in (1000, 2000):
            of_windows = {w: moepredict.backtest("sw_avg", SEED1[:2600], horizon=horizon, sw_avg_window=w).error_of_mean
                          for w in (1, 10, 30, 100, 200, 300, 500, 1000)}
            best = min(of_windows, key=lambda w: of_windows[w].mean())
            self.assertEqual(found.windows[horizon], best)
            np.testing.assert_array_equal(found.backtests[_comparison.BEST, horizon].error_of_mean, of_windows[best])
            self.assertIn(f" {best:,} steps for the next {horizon:,}", _comparison.best_window_in_words(found))

    def test_a_run_is_recognised_by_any_excerpt(self):
        expected = _in_sample.samples(SEED1) | _in_sample.samples(SEED2)
        self.assertEqual((_in_sample.SHIPPED, len(expected)), (expected, 20))
        self.assertTrue(_in_sample.shares_steps(SEED1[3500:4800].astype(np.float32), _in_sample.SHIPPED))
        self.assertFalse(_in_sample.shares_steps(np.load(DATA / "mid32-seed5.npy"), _in_sample.SHIPPED))
        self.assertFalse(_in_sample.shares_steps(np.zeros((9, 2, 3)), _in_sample.samples(np.zeros((9, 2, 3)))))

    def test_a_row_without_an_error_has_a_reason_on_page_and_terminal(self):
        noise = np.random.default_rng(1).multinomial(512, np.ones(4) / 4, size=(2500, 1)).astype(np.int32)
        with tempfile.TemporaryDirectory() as folder:
            trace, out = pathlib.Path(folder) / "trace.npy", pathlib.Path(folder) / "out"
            np.save(trace, noise)
            text = self.command("report", trace, "--out", out)
            page = (out / "index.html").read_text(encoding="utf-8")
        expected = [f"{name}, next 2,000 steps: the run has no 2,000 steps after a forecast from step 1,250 on"
                    for name in COMPARED]
        expected.insert(0, "lstm, joint, next 1,000 steps: no fit within the run was better than uniform loads")
        self.assertEqual(text.splitlines()[-len(expected):], expected)
        for reason in expected:
            self.assertIn(f"<p>{reason}.</p>", page)
        self.assertNotIn("reason", text)  # no column of its own

    def test_too_many_series_for_the_joint_form_leave_it_out(self):
        found = _comparison.compare(np.ones((1300, 2, 1025), np.int32), [], lambda fraction: None)
        self.assertNotIn("lstm, joint", {name for name, _ in found.backtests})
        self.assertIn("left out", _comparison.in_words(found))

    def test_a_large_joint_form_is_fitted_once(self):
        counts = np.tile(SEED1[:3300], (1, 3, 1))
        found = _comparison.compare(counts, [], lambda fraction: None)
        self.assertIn("once, at step 2,300", _comparison.in_words(found))
        result = found.backtests["lstm, joint", 1000]
        self.assertEqual(result.origins.tolist(), [2300])
        with Predictor("lstm", layers=18, experts=16, lstm_scope="joint") as predictor:
            predictor.push(counts[:2300])
            predictor.fit()
            came = (counts[2300:] / counts[2300:].sum(2, keepdims=True)).mean(0)
            error, *_ = moepredict.forecast_error(predictor.predict(1000), came)
        np.testing.assert_allclose(result.error_of_mean[0], error, rtol=1e-6)

    def test_a_report_is_trained_on_other_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            trace, other, out = (pathlib.Path(folder) / name for name in ("trace.npy", "other.npy", "out"))
            np.save(trace, RUN)
            np.save(other, OTHER)
            rows = json.loads(self.command("report", trace, "--out", out, "--train", other, "--json"))
            page = (out / "index.html").read_text(encoding="utf-8")
        self.assertEqual([row["method"] for row in rows], COMPARED)
        self.assertIn("auto and lstm were trained on another run", page)
        self.assertIn("<td>lstm</td>", re.sub(r'src="[^"]*"', "", page))
