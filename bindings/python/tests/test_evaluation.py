# SPDX-License-Identifier: BSD-3-Clause
"""Compares backtests and errors with the same sums in NumPy."""
import math
import pathlib
import tempfile
import unittest
from unittest import mock

import numpy as np

import moepredict
from reference import ROOT, Tensor, shares, sw_avg

FILE = ROOT / "examples" / "data" / "small16-seed1.npy"
TRACE = np.load(FILE)
QUICK = {"horizon": 50, "first": 30, "every": 2500, "sw_avg_window": 20}


def ratio(forecast, actual):
    """moep_forecast_error's error, over the last axis."""
    return (abs(forecast - actual) / np.maximum(actual, 0.1 / actual.shape[-1])).mean(axis=-1)


def paper_ratio(forecast, actual):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nanmean(np.where(actual > 0, abs(forecast - actual) / actual, np.nan), axis=-1)


def evaluate(counts, origin, window, horizon, stride):
    """One origin's results (layers,), from the definitions of moep_backtest_result."""
    rows = sw_avg(counts[:origin], window, horizon, stride)
    forecast = rows[np.arange(horizon) // stride]
    ahead = counts[origin:origin + horizon]
    actual = shares(ahead)
    mean, realised = forecast.mean(axis=0), actual.mean(axis=0)
    p = np.maximum(realised, 0.1 / actual.shape[-1])
    tokens = ahead.sum(axis=(0, 2))[:, None]
    return {
        "error": ratio(forecast, actual).mean(axis=0),
        "error_of_mean": ratio(mean, realised),
        "paper_error": paper_ratio(forecast, actual).mean(axis=0),
        "total_variation": abs(mean - realised).sum(axis=-1) / 2,
        "floor": ratio(realised, actual).mean(axis=0),
        "floor_of_mean": math.sqrt(2 / math.pi) * np.sqrt((1 - p) / (p * tokens)).mean(axis=-1),
        "left_out": (ahead == 0).sum(axis=(0, 2)),
    }


class Backtest(unittest.TestCase):
    def assert_same(self, one, other):
        for name, a, b in zip(one._fields, one, other):
            self.assertEqual((name, a.dtype, a.shape, a.tobytes()), (name, b.dtype, b.shape, b.tobytes()))

    def test_file_array_memory_map_and_tensor_are_the_same(self):
        expected = moepredict.backtest("sw_avg", TRACE, **QUICK)
        for trace in (FILE, str(FILE), np.load(FILE, mmap_mode="r"), np.asfortranarray(TRACE), TRACE.astype(np.uint64),
                      Tensor(TRACE)):
            with self.subTest(type(trace).__name__):
                self.assert_same(moepredict.backtest("sw_avg", trace, **QUICK), expected)

    def test_a_predictor_is_the_same_as_its_method_and_is_left_alone(self):
        settings = {name: value for name, value in QUICK.items() if name != "sw_avg_window"}
        with moepredict.Predictor("sw_avg", layers=6, experts=16, sw_avg_window=20) as predictor:
            predictor.push(TRACE[5000:5100])
            before = predictor.save()
            result = moepredict.backtest(predictor, TRACE, **settings)
            self.assertEqual(predictor.save(), before)
        self.assert_same(result, moepredict.backtest("sw_avg", TRACE, **QUICK))

    def test_shapes_and_origins(self):
        result = moepredict.backtest("sw_avg", TRACE[:2000])
        self.assertEqual(result.origins.tolist(), [300, 400, 500, 600, 700, 800, 900, 1000])
        for name, values in result._asdict().items():
            if name != "origins":
                self.assertEqual((values.shape, values.dtype), ((8, 6), np.uint64 if name == "left_out" else float))

    def test_numbers_are_the_hand_written_ones(self):
        gaps = np.array(TRACE[:200])
        gaps[::3, :, 0] = 0  # an expert without tokens, now and then, for paper_error and left_out
        for counts, stride in ((TRACE[:2100], 50), (TRACE[:2100], 7), (TRACE[:2100], 1), (gaps, 13)):
            result = moepredict.backtest("sw_avg", counts, horizon=50, stride=stride, first=5, every=70,
                                         sw_avg_window=20)
            for i, origin in enumerate(result.origins[:4]):
                for name, expected in evaluate(counts, origin, 20, 50, stride).items():
                    with self.subTest(name, origin=origin, stride=stride, steps=len(counts)):
                        np.testing.assert_allclose(getattr(result, name)[i], expected, rtol=0, atol=1e-9)

    def test_no_stride_is_the_horizon(self):
        self.assert_same(moepredict.backtest("sw_avg", TRACE, **QUICK),
                         moepredict.backtest("sw_avg", TRACE, stride=50, **QUICK))

    def test_nan_where_there_is_no_forecast_yet(self):
        result = moepredict.backtest("sw_avg", TRACE[:100], horizon=50, first=0, every=50)
        self.assertEqual(np.isnan(result.error).all(axis=1).tolist(), [True, False])

    def test_assignments_give_fractions_a_floor(self):
        settings = {**QUICK, "every": 5000}
        floats = TRACE / 8192
        self.assertTrue(np.isnan(moepredict.backtest("sw_avg", floats, **settings).floor_of_mean).all())
        np.testing.assert_allclose(moepredict.backtest("sw_avg", floats, assignments=8192, **settings).floor_of_mean,
                                   moepredict.backtest("sw_avg", TRACE, **settings).floor_of_mean)

    def test_progress_is_reported_and_changes_nothing(self):
        fractions = []
        result = moepredict.backtest("sw_avg", TRACE, progress=fractions.append, **QUICK)
        self.assertEqual(fractions, sorted(fractions))
        self.assertEqual((len(fractions), fractions[-1]), (len(result.origins), 1.0))
        self.assert_same(result, moepredict.backtest("sw_avg", TRACE, **QUICK))

    def test_progress_cancels(self):
        def stop(fraction):
            fractions.append(fraction)
            return fraction >= 0.5

        def fail(fraction):
            fractions.append(fraction)
            raise KeyError("not for C")

        for progress, calls, raised in ((stop, 2, moepredict.Error), (fail, 1, KeyError)):
            fractions = []
            with self.subTest(progress.__name__), mock.patch("sys.unraisablehook") as passed_through_c:
                with self.assertRaises(raised) as caught:
                    moepredict.backtest("sw_avg", TRACE, progress=progress, **QUICK)
                passed_through_c.assert_not_called()
            self.assertEqual(len(fractions), calls)
            if raised is moepredict.Error:
                self.assertEqual((caught.exception.status, caught.exception.name), (-8, "cancelled"))

    def test_a_predictor_brings_its_own_configuration(self):
        with moepredict.Predictor(layers=6, experts=16) as predictor:
            with self.assertRaisesRegex(TypeError, "sw_avg_window"):
                moepredict.backtest(predictor, TRACE, sw_avg_window=20)
            predictor.close()
            with self.assertRaisesRegex(ValueError, "closed"):
                moepredict.backtest(predictor, TRACE)

    def test_bad_numbers(self):
        for name, values in {"horizon": [0, -1, 2**64], "stride": [0, -1], "every": [0, -1, 2**64 + 100],
                             "first": [-1, 2**64 + 300], "refit_every": [-1], "sw_avg_window": [0],
                             "assignments": [-1.0, math.nan, math.inf]}.items():
            for value in values:
                with self.subTest(name, value=value), self.assertRaisesRegex(ValueError, name):
                    moepredict.backtest("sw_avg", TRACE[:2000], **{name: value})
        with self.assertRaisesRegex(TypeError, "horizon = 10.5"):
            moepredict.backtest("sw_avg", TRACE, horizon=10.5)
        result = moepredict.backtest("sw_avg", TRACE[:2000], first=np.int64(300), horizon=np.uint32(1000))
        self.assertEqual(len(result.origins), 8)

    def test_bad_traces(self):
        with self.assertRaisesRegex(ValueError, r"\(6, 16\)"):
            moepredict.backtest("sw_avg", TRACE[0])
        with self.assertRaisesRegex(ValueError, r"\(0, 6, 16\)"):
            moepredict.backtest("sw_avg", TRACE[:0])
        with moepredict.Predictor(layers=6, experts=15) as predictor, self.assertRaisesRegex(ValueError, "experts"):
            moepredict.backtest(predictor, TRACE)
        with self.assertRaisesRegex(ValueError, "negative"):
            moepredict.backtest("sw_avg", -TRACE)
        with self.assertRaisesRegex(TypeError, "list"):
            moepredict.backtest("sw_avg", TRACE[:3].tolist())
        with self.assertRaises(moepredict.Error) as caught:
            moepredict.backtest("sw_avg", TRACE[:1299])
        self.assertEqual(caught.exception.status, -5)

    def test_bad_files(self):
        with tempfile.TemporaryDirectory() as folder:
            archive, text, objects = (pathlib.Path(folder, name) for name in ("a.npz", "a.txt", "a.npy"))
            np.savez(archive, TRACE[:2])
            text.write_text("1 2 3\n")
            np.save(objects, np.array([{}]), allow_pickle=True)
            for file, kind in ((archive, ValueError), (text, ValueError), (objects, ValueError),
                               (pathlib.Path(folder, "none.npy"), FileNotFoundError)):
                with self.subTest(file.name), self.assertRaises(kind):
                    moepredict.backtest("sw_avg", file)


class ForecastError(unittest.TestCase):
    def test_by_hand(self):
        forecast = [[0.5, 0.25, 0.25, 0.0], [0.25, 0.25, 0.25, 0.25]]
        actual = [[0.4, 0.5, 0.1, 0.0], [0.0, 0.01, 0.49, 0.5]]
        error, paper_error, left_out = moepredict.forecast_error(forecast, actual)
        np.testing.assert_allclose(error, [(0.1 / 0.4 + 0.25 / 0.5 + 0.15 / 0.1) / 4,
                                           (0.25 / 0.025 + 0.24 / 0.025 + 0.24 / 0.49 + 0.25 / 0.5) / 4])
        np.testing.assert_allclose(paper_error, [(0.1 / 0.4 + 0.25 / 0.5 + 0.15 / 0.1) / 3,
                                                 (0.24 / 0.01 + 0.24 / 0.49 + 0.25 / 0.5) / 3])
        self.assertEqual((left_out.tolist(), left_out.dtype), ([1, 1], np.uint64))

    def test_all_left_out(self):
        error, paper_error, left_out = moepredict.forecast_error(np.full((1, 2), 0.5), np.zeros((1, 2)))
        self.assertEqual((error.tolist(), left_out.tolist()), ([10.0], [2]))
        self.assertTrue(np.isnan(paper_error[0]))

    def test_bad_arguments(self):
        good = np.full((2, 4), 0.25)
        for forecast, actual in ((good, good[:1]), (good[0], good[0]), (good * np.nan, good), (good, -good)):
            with self.assertRaises(ValueError):
                moepredict.forecast_error(forecast, actual)
