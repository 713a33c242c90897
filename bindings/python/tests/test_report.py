# SPDX-License-Identifier: BSD-3-Clause
"""The report and the command line."""
import base64
import html.parser
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.image import imread

import moepredict
from moepredict import Predictor, State, _auto_run, _comparison, _figures, _state_figures, _detector_run, report

ROOT = pathlib.Path(__file__).resolve().parents[3]
TRACE = ROOT / "examples" / "data" / "small16-seed1.npy"
PICTURES = {"shares", "states", "drift", "variance", "range", "error-1000", "error-2000", "weights", "imbalance",
            "plan"}


class Page(html.parser.HTMLParser):
    """The contents of a page: its pictures, its links to other pages, the text of its tables' cells, marked text."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.elsewhere, self.cells, self.marked, self.open = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        source = attributes.get("src", "")
        if source.startswith("data:image/png;base64,"):
            self.pictures.append((attributes.get("alt"), base64.b64decode(source.split(",", 1)[1])))
        elif source or "href" in attributes:
            self.elsewhere.append(source or attributes["href"])
        if tag not in ("img", "meta"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, text):
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += text
        if "mark" in self.open:
            self.marked.append(text)


def assert_drawn(test, png):
    pixels = imread(io.BytesIO(png))[:, :, :3]
    test.assertGreaterEqual(pixels.shape[0], 300)
    test.assertGreaterEqual(pixels.shape[1], 900)
    colours = (pixels.reshape(-1, 3) * 15).astype(int) @ (1, 16, 256)
    test.assertGreater(np.count_nonzero(np.bincount(colours)), 5)
    ink = (pixels < 0.95).any(2)
    test.assertGreater(ink.mean(), 0.01)
    thirds = np.array_split(ink, 3, axis=1)  # something in the left, the middle and the right
    test.assertTrue(all(part.any() for part in thirds))


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.fractions = []
        cls.rows = report.report(TRACE, cls.folder / "out", progress=cls.fractions.append)
        cls.page = Page((cls.folder / "out" / "index.html").read_text(encoding="utf-8"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_each_picture_is_a_file_and_embedded_and_drawn(self):
        files = {path.stem: path.read_bytes() for path in (self.folder / "out").glob("*.png")}
        self.assertEqual(set(files), PICTURES)
        self.assertEqual(sorted(png for _, png in self.page.pictures), sorted(files.values()))
        for png in files.values():
            assert_drawn(self, png)
        self.assertTrue(all(alt for alt, _ in self.page.pictures))

    def test_the_page_stands_alone_and_its_tags_close(self):
        self.assertEqual(self.page.elsewhere, [])
        self.assertEqual(self.page.open, [])

    def test_the_table_holds_the_backtests_means_of_the_later_half(self):
        for row in self.rows:
            settings = {"arima": {"refit_every": 10}, "lstm, joint": {"refit_every": 10, "lstm_scope": "joint"},
                        _comparison.BEST: {"sw_avg_window": 500}}
            method = "sw_avg" if row["method"] == _comparison.BEST else row["method"].split(",")[0]
            result = moepredict.backtest(method, TRACE, horizon=row["horizon"], **settings.get(row["method"], {}))
            late = result.origins >= 5000
            for field in ("error", "floor", "error_of_mean", "floor_of_mean", "paper_error"):
                self.assertAlmostEqual(row[field], getattr(result, field)[late].mean(), places=12)
                self.assertIn(f"{100 * row[field]:.2f} %", self.page.cells)
        self.assertEqual({row["horizon"] for row in self.rows}, {1000, 2000})

    def test_in_sample_errors_are_marked_in_table_and_captions_and_never_bold(self):
        text = (self.folder / "out" / "index.html").read_text(encoding="utf-8")
        # Two horizons in the table of errors, and two in two rows each in that of states.
        for name in ("auto", "lstm"):
            self.assertEqual(self.page.cells.count(f"{name} (in-sample)"), 6)
        self.assertEqual([("in-sample" in alt) for alt, _ in self.page.pictures].count(True), 2)
        errors = text.split("</table>")[0].split("\n")
        self.assertTrue(all("<b>" not in row for row in errors if "in-sample" in row))
        self.assertEqual(sum(row.count("<b>") for row in errors), 6)

    def test_the_best_window_in_hindsight_is_named_and_never_bold(self):
        text = (self.folder / "out" / "index.html").read_text(encoding="utf-8")
        self.assertIn("500 steps for the next 1,000 and 500 steps for the next 2,000", text)
        of_best = [row for row in text.split("</table>")[0].split("\n") if _comparison.BEST in row]
        self.assertEqual((len(of_best), "".join(of_best).count("<b>")), (2, 0))

    def test_the_section_on_placement_has_the_replays_in_numbers_and_the_picture(self):
        text = (self.folder / "out" / "index.html").read_text(encoding="utf-8")
        section = Page(text.split("<h2>Placement</h2>")[1].split("<h2>")[0])
        replays = moepredict.replay_plans(TRACE)
        names = [replay.policy + " (in-sample)" * replay.policy.startswith("auto") for replay in replays]
        self.assertEqual(section.cells[0::8], ["policy", *names])
        self.assertEqual(section.cells[1::8], ["step", *(f"{replay.step:.4f}" for replay in replays)])
        self.assertEqual(section.cells[5::8], ["net", *(f"{replay.net:.4f}" for replay in replays)])
        self.assertEqual([png for _, png in section.pictures], [(self.folder / "out" / "plan.png").read_bytes()])
        self.assertIn("on 8 ranks with 24 slots", text)

    @unittest.skipUnless("MOEPREDICT_BROWSER" in os.environ, "tests/run.sh --browser")
    def test_a_browser_renders_the_page(self):
        picture = self.folder / "page.png"
        subprocess.run([os.environ["MOEPREDICT_BROWSER"], "--headless", "--no-sandbox", "--disable-gpu",
                        "--no-first-run", "--disable-background-networking", "--disable-component-update",
                        "--disable-sync", f"--user-data-dir={self.folder / 'profile'}", "--window-size=1200,4000",
                        f"--screenshot={picture}", (self.folder / "out" / "index.html").as_uri()],
                       check=True, capture_output=True, timeout=120)
        assert_drawn(self, picture.read_bytes())

    def test_progress_grows_to_1(self):
        self.assertEqual(self.fractions, sorted(self.fractions))
        self.assertEqual(self.fractions[-1], 1)

    def test_the_table_by_state_holds_the_backtests_means(self):
        detector = moepredict.Detector(layers=6, experts=16)
        result, states, counts = moepredict.backtest("sw_avg", TRACE, horizon=1000), [], np.load(TRACE)
        for origin in result.origins:
            detector.push(counts[detector.info.steps:origin])
            states.append(detector.layer_states)
        stable = np.array(states) == State.STABLE
        self.assertTrue(0 < stable.sum() < stable.size)
        for chosen in (stable, ~stable):
            self.assertIn(str(chosen.sum()), self.page.cells)
            for field in ("error", "floor", "error_of_mean", "floor_of_mean"):
                self.assertIn(f"{100 * getattr(result, field)[chosen].mean():.2f} %", self.page.cells)

    def test_the_table_of_layers_holds_what_the_detector_says(self):
        detector, counts = moepredict.Detector(layers=6, experts=16), np.load(TRACE)
        detector.push(counts[:3000])
        since = detector.layer_since  # of layers 1 to 5, whose first stable time lasts
        self.assertEqual(detector.layer_changes[2:].tolist(), [2] * 4)
        detector.push(counts[3000:])
        first = self.page.cells.index("dispersion") + 1
        rows = [self.page.cells[first + 8 * layer:first + 8 * layer + 8] for layer in range(6)]
        for layer, row in enumerate(rows):
            self.assertEqual([row[i] for i in (0, 1, 3, 5, 6, 7)], [
                str(layer), State(detector.layer_states[layer]).name, str(detector.layer_changes[layer]),
                f"{detector.layer_drift[layer]:.3f}", f"{detector.layer_noise[layer]:,.0f}",
                f"{detector.layer_dispersion[layer]:.2f}"])
        for layer in range(2, 6):
            self.assertEqual(rows[layer][2], str(since[layer]))
            # of the blocks, the one at whose end it became STABLE included
            self.assertEqual(rows[layer][4], f"{(10020 - since[layer] - 1) / 100:.0f} %")


class States(unittest.TestCase):
    """The detector's states along a run, and their pictures."""

    @classmethod
    def setUpClass(cls):
        cls.counts = np.load(TRACE)[:2500]
        cls.detected = _detector_run.run_detector(cls.counts, (10, 100), lambda fraction: None)

    def test_states_and_drift_are_the_detectors(self):
        detector = moepredict.Detector(layers=6, experts=16)
        for block, end in enumerate(self.detected.ends):
            detector.push(self.counts[end - 20:end])
            np.testing.assert_array_equal(self.detected.states[block], detector.layer_states)
            np.testing.assert_array_equal(self.detected.stable_experts[block], (detector.expert_states == 2).mean(1))
            if end >= 200:
                np.testing.assert_array_equal(self.detected.drift[block], detector.layer_drift)
        self.assertTrue(np.isnan(self.detected.drift[:9]).all())
        np.testing.assert_array_equal(self.detected.changes, detector.layer_changes)
        np.testing.assert_array_equal(self.detected.noise, detector.layer_noise)

    def test_variance_and_range_are_numpys(self):
        shares = report.shares_of(self.counts).astype(float)
        self.assertEqual(self.detected.points.tolist(), list(range(2, 2501, 2)))
        for point in (49, 50, 600, 1249):
            part = shares[2 * point + 2 - 100:2 * point + 2]
            np.testing.assert_allclose(self.detected.variance[100][point], part.var(0), rtol=1e-5)
            np.testing.assert_allclose(self.detected.range[100][point], np.ptp(part, axis=0), rtol=1e-5)

    def test_realised_drift_is_the_mean_error_less_the_noise(self):
        shares = report.shares_of(self.counts).astype(float)
        expected = np.full((125, 6), np.nan)
        for t in range(200, 1501, 20):
            blocks = shares[t - 200:t].reshape(10, 20, 6, 16).mean(1)
            noise = (np.diff(blocks, axis=0)**2).mean(0) / 2
            off = shares[t - 100:t].mean(0) - shares[t:t + 1000].mean(0)
            expected[t // 20 - 1] = 16 * (off**2 - noise * 20 * (1 / 100 + 1 / 1000)).sum(1)
        found = _detector_run.realised_drift(report.shares_of(self.counts), self.detected.config)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        for i in (9, 15, 40, 74):  # smoothed by a centred mean over 20 blocks
            np.testing.assert_allclose(found[i], np.nanmean(expected[max(i - 10, 0):i + 10], axis=0), rtol=1e-5)

    def test_octiles_and_the_means_by_state_are_of_all_blocks_and_layers(self):
        realised = _detector_run.realised_drift(report.shares_of(self.counts), self.detected.config)
        rows, known = np.array(_detector_run.octiles(self.detected, realised)), np.isfinite(realised)
        self.assertEqual(rows.shape, (8, 2))
        self.assertTrue((np.diff(rows[:, 0]) >= 0).all())
        largest = np.sort(self.detected.drift[known])[-(known.sum() // 8):]
        self.assertAlmostEqual(rows[-1, 0], np.sqrt((largest**2).mean()), 12)
        by_state = _detector_run.realised_by_state(self.detected, realised)
        self.assertTrue(np.isnan(by_state[State.WARMUP]))
        chosen = known & (self.detected.states == State.STABLE)
        self.assertAlmostEqual(by_state[State.STABLE], np.sqrt(realised[chosen].mean()), 12)
        self.assertLess(by_state[State.STABLE], by_state[State.TRANSIENT])

    def test_octiles_far_from_the_prediction_are_marked(self):
        rows = [(0.1, 0.124), (0.1, 0.126), (0.1, 0.076), (0.1, 0.074), (0.01, 0.0149), (0.01, 0.0161), (0, 0.004),
                (0, 0.006)]
        with mock.patch.object(report, "octiles", return_value=rows):
            page = Page(report._drift_html(self.detected, np.full((125, 6), 0.01)))
        self.assertEqual(page.cells, ["predicted", *(f"{predicted:.3f}" for predicted, _ in rows),
                                      "realised", *(f"{realised:.3f}" for _, realised in rows)])
        self.assertEqual(page.marked, ["0.126", "0.074", "0.016", "0.006"])

    def colour(self, figure, axis, x, y):
        """The colour of the pixel at data x and the fraction y of the axis' height."""
        column, row = axis.get_xaxis_transform().transform((x, y)).astype(int)
        return to_hex(self.pixels[id(figure)][-row - 1, column] / 255).upper()

    def draw(self, figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        self.pixels = {id(figure): np.asarray(canvas.buffer_rgba())[:, :, :3]}
        return figure

    def with_states(self, layers):
        """Layer i is TRANSIENT after 1,000 steps, STABLE after 1,100 + 100 i, at the end of the block."""
        states = np.zeros((125, layers), np.int8)
        states[49:] = State.TRANSIENT
        for layer in range(layers):
            states[54 + 5 * layer:, layer] = State.STABLE
        return self.detected._replace(states=states, stable_experts=(states == 2).astype(float), drift=states / 10)

    def test_bands_lie_where_the_states_were(self):
        detected = self.with_states(3)
        figure = _state_figures.draw_bands(_figures.imbalance(report.shares_of(self.counts)[:, :3]), detected)
        self.draw(figure)
        for layer, axis in enumerate(figure.axes[:3]):
            for x, state in ((30, 0), (980, 0), (1020, 1), (1080 + 100 * layer, 1), (1120 + 100 * layer, 2), (2480, 2)):
                self.assertEqual(self.colour(figure, axis, x, 0.9), _state_figures.STATE_COLOURS[state])

    def test_bands_of_all_layers_say_how_many(self):
        detected = self.with_states(14)
        figure = self.draw(_state_figures.draw_bands(
            _figures.imbalance(np.full((2500, 14, 4), 0.25, np.float32)), detected))
        axis = figure.axes[len(_figures.groups(14)) - 1]
        self.assertIn("all 14 layers", axis.get_title())
        for y, state in ((0.05, 2), (0.45, 2), (0.55, 1), (0.95, 1)):  # after 1,750 steps 7 of 14 are STABLE
            self.assertEqual(self.colour(figure, axis, 1750, y), _state_figures.STATE_COLOURS[state])
        self.assertEqual(self.colour(figure, axis, 500, 0.9), _state_figures.STATE_COLOURS[State.WARMUP])

    def test_the_picture_of_states_has_a_row_per_layer(self):
        figure = self.draw(_state_figures.states(self.with_states(4)))
        for layer in range(4):
            y = 1 - (layer + 0.5) / 4
            for x, state in ((500, 0), (1050, 1), (1070 + 100 * layer, 1), (1130 + 100 * layer, 2), (2400, 2)):
                self.assertEqual(self.colour(figure, figure.axes[0], x, y), _state_figures.STATE_COLOURS[state])
            self.assertNotEqual(self.colour(figure, figure.axes[1], 1070 + 100 * layer, y),
                                self.colour(figure, figure.axes[1], 1130 + 100 * layer, y))


class Weights(unittest.TestCase):
    """The weights of auto's candidates along a run, and their picture."""

    @classmethod
    def setUpClass(cls):
        cls.counts = np.load(ROOT / "examples" / "data" / "early16-s12.npy")[3000:4530]  # jumps in step 1,000
        with Predictor(layers=4, experts=16) as prototype:
            cls.run_of_it = _auto_run.run_auto(prototype, cls.counts)

    def test_weights_are_autos_and_jumps_where_the_load_jumped(self):
        found = self.run_of_it
        self.assertEqual(found.points.tolist(), list(range(50, 1501, 50)))
        with Predictor(layers=4, experts=16) as predictor:
            for point, weights in zip(found.points, found.weights):
                predictor.push(self.counts[point - 50:point])
                np.testing.assert_array_equal(weights, predictor.auto_report.weights)
        self.assertEqual(found.jumps, ((1000,),) * 4)

    def test_the_weights_are_those_of_a_trained_network_and_of_the_run_alone(self):
        with Predictor(layers=4, experts=16) as prototype:
            prototype.fit_traces([np.load(TRACE)[:1500, :2]])
            trained = _auto_run.run_auto(prototype, self.counts)
            self.assertGreater(abs(trained.weights - self.run_of_it.weights).max(), 0.01)
            prototype.push(self.counts)
            np.testing.assert_array_equal(_auto_run.run_auto(prototype, self.counts).weights, trained.weights)

    def test_a_long_run_has_fewer_points(self):
        with Predictor(layers=1, experts=2) as prototype:
            points = _auto_run.run_auto(prototype, np.ones((50100, 1, 2), np.int32)).points
        self.assertEqual((points[0], len(points), set(np.diff(points))), (50, 501, {100}))

    def test_each_area_is_as_high_as_the_weight(self):
        for layers, panel in ((4, 2), (14, 11)):  # the last panel of 14 layers shows the mean of all
            weights = np.resize(self.run_of_it.weights, (30, layers, 10))
            figure = _figures.weights(self.run_of_it._replace(weights=weights, jumps=((1000,),) + ((),) * (layers - 1)))
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            pixels, axis = np.asarray(canvas.buffer_rgba())[:, :, :3], figure.axes[panel]
            shown = weights[:, 2] if layers == 4 else weights.mean(1)
            for point in (5, 12, 25):
                tops = np.cumsum(shown[point])
                for area in np.flatnonzero(shown[point] > 0.03):
                    x, y = self.run_of_it.points[point] + 25, tops[area] - shown[point][area] / 2
                    column, row = axis.transData.transform((x, y)).astype(int)
                    self.assertEqual(to_hex(pixels[-row - 1, column] / 255),
                                     to_hex(_figures._colours_of(self.run_of_it.candidates)[area]))
            self.assertEqual([len(each.lines) for each in figure.axes[:3]], [1, 0, 0])
            self.assertEqual([text.get_text() for text in figure.axes[-1].get_yticklabels()],
                             list(self.run_of_it.candidates))

    def test_candidates_have_different_colours(self):
        colours = [to_hex(colour) for colour in _figures._colours_of(self.run_of_it.candidates)]
        self.assertEqual(len(set(colours)), len(self.run_of_it.candidates))


class Traces(unittest.TestCase):
    """Reports on traces of other shapes."""

    def drawn(self, counts):
        with tempfile.TemporaryDirectory() as folder:
            rows = report.report(counts, folder)
            for path in pathlib.Path(folder).glob("*.png"):
                assert_drawn(self, path.read_bytes())
            return rows, {path.stem for path in pathlib.Path(folder).glob("*.png")}

    def test_many_layers_and_experts_are_aggregated(self):
        counts = np.random.default_rng(1).integers(10, 40, (1300, 64, 80), np.int32)
        rows, names = self.drawn(counts)
        self.assertEqual({row["horizon"] for row in rows}, {1000})
        self.assertEqual(names, PICTURES - {"error-2000"})

    def test_a_short_trace_with_dead_experts_and_empty_steps(self):
        counts = np.random.default_rng(2).poisson(20, (150, 2, 5)).astype(float)
        counts[:, 0, 3] = 0
        counts[40:60, 1] = 0
        counts[:2] = 0
        rows, names = self.drawn(counts)
        self.assertEqual(rows, [])
        self.assertEqual(names, {"shares", "variance", "range", "imbalance"})

    def test_states_need_the_steps_of_warmup_and_no_more(self):
        counts = np.random.default_rng(5).poisson(90, (299, 2, 4)).astype(np.int32)
        for steps, more in ((199, set()), (200, {"states", "drift"}), (299, {"states", "drift"})):
            with self.subTest(steps=steps):
                self.assertEqual(self.drawn(counts[:steps])[1], {"shares", "variance", "range", "imbalance"} | more)

    def test_one_expert_few_steps_and_dead_layers(self):
        self.assertEqual(self.drawn(np.full((1400, 1, 1), 7))[1], PICTURES - {"error-2000", "plan"})
        self.assertEqual(self.drawn(np.ones((5, 2, 3), np.int32))[1], {"shares", "imbalance"})
        rows, _ = self.drawn(np.zeros((1400, 2, 3), np.int32))
        self.assertTrue(np.isnan(rows[0]["error"]))

    def test_a_bad_count_is_named_and_nothing_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            for bad in (-1, np.nan):
                counts = np.ones((150, 2, 3))
                counts[20, 1, 2] = bad
                with self.assertRaisesRegex(ValueError, "step 20 .*layer 1, expert 2"):
                    report.report(counts, pathlib.Path(folder) / "out")
                self.assertFalse((pathlib.Path(folder) / "out").exists())

    def test_pyplot_is_left_alone(self):
        code = ("import sys, numpy, tempfile; from moepredict.report import report; "
                "report(numpy.ones((120, 1, 2)), tempfile.mkdtemp()); sys.exit('matplotlib.pyplot' in sys.modules)")
        environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(moepredict.__file__).parents[1])}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)

    def test_layers_shown_are_the_first_the_last_and_some_between(self):
        self.assertEqual(_figures.shown(6), [0, 1, 2, 3, 4, 5])
        layers = _figures.shown(64)
        self.assertEqual((layers[0], layers[-1], len(layers)), (0, 63, 12))
        self.assertEqual(_figures.groups(64)[-1], ("all 64 layers", list(range(64))))


class CommandLine(unittest.TestCase):
    def run_it(self, *arguments, code=0):
        environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(moepredict.__file__).parents[1])}
        run = subprocess.run([sys.executable, "-m", "moepredict", *map(str, arguments)], capture_output=True, text=True,
                             env=environment, timeout=300)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def test_backtest_prints_and_gives_json(self):
        words = "--method", "sw_avg", "--sw-avg-window", 300, "--every", 500
        rows = json.loads(self.run_it("backtest", TRACE, *words, "--json"))
        result = moepredict.backtest("sw_avg", TRACE, every=500, sw_avg_window=300)
        self.assertEqual([row["layer"] for row in rows], [0, 1, 2, 3, 4, 5, "all"])
        self.assertAlmostEqual(rows[-1]["error"], result.error.mean(), places=12)
        self.assertIn(f"{100 * rows[2]['error_of_mean']:.2f} %",
                      self.run_it("backtest", TRACE, *words))

    def test_info_describes_the_library_and_a_trace(self):
        self.assertEqual(json.loads(self.run_it("info", "--json"))["methods"], moepredict.methods())
        facts = json.loads(self.run_it("info", TRACE, "--json"))
        self.assertEqual((facts["steps"], facts["layers"], facts["experts"]), (10000, 6, 16))
        self.assertIn("assignments mean", self.run_it("info", TRACE))

    def test_report_names_its_page(self):
        with tempfile.TemporaryDirectory() as folder:
            counts = np.random.default_rng(3).poisson(50, (300, 2, 4)).astype(np.int64)
            np.save(pathlib.Path(folder) / "trace.npy", counts)
            out = self.run_it("report", pathlib.Path(folder) / "trace.npy", "--out", pathlib.Path(folder) / "out")
            self.assertIn("index.html", out)
            self.assertIn("trace.npy", (pathlib.Path(folder) / "out" / "index.html").read_text(encoding="utf-8"))

    def test_errors_have_exit_codes(self):
        self.assertIn("No such file", self.run_it("backtest", "/nonexistent.npy", code=2))
        self.assertIn("no origin", self.run_it("backtest", TRACE, "--horizon", 20000, code=1))
        for words in (["--horizon", 0], ["--every", 0], ["--first", -1], ["--sw-avg-window", "abc"],
                      ["--arima-p", "zzz"]):
            self.assertEqual(self.run_it("backtest", TRACE, *words, code=2).count("\n"), 1, words)
        self.assertIn("invalid choice", self.run_it("backtest", TRACE, "--method", "psychic", code=2))
        self.assertIn("COMMAND", self.run_it(code=2))

    def test_ctrl_c_ends_a_backtest(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / "long.npy"
            np.save(trace, np.random.default_rng(4).integers(10, 40, (9000, 16, 128), np.int32))
            environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(moepredict.__file__).parents[1])}
            run = subprocess.Popen([sys.executable, "-m", "moepredict", "backtest", str(trace), "--every", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            time.sleep(3)
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=60)
            self.assertEqual((run.returncode, out), (130, b""))

    def test_help_teaches(self):
        for words, arguments in (("report/index.html", ["--help"]), ("--sw-avg-window", ["backtest", "--help"]),
                                 ("stands alone", ["report", "--help"])):
            self.assertIn(words, self.run_it(*arguments))
