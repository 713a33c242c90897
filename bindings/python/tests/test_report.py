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

import numpy as np
from matplotlib.image import imread

import moepredict
from moepredict import _figures, report

ROOT = pathlib.Path(__file__).resolve().parents[3]
TRACE = ROOT / "examples" / "data" / "small16-seed1.npy"
PICTURES = {"shares", "variance", "range", "error-1000", "error-2000", "imbalance"}


class Page(html.parser.HTMLParser):
    """What a page holds: its pictures, its links to elsewhere, the text of its tables' cells."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.elsewhere, self.cells, self.open = [], [], [], []
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


def assert_drawn(test, png):
    pixels = imread(io.BytesIO(png))[:, :, :3]
    test.assertGreaterEqual(pixels.shape[0], 300)
    test.assertGreaterEqual(pixels.shape[1], 900)
    colours = np.unique((pixels.reshape(-1, 3) * 15).astype(int), axis=0)
    test.assertGreater(len(colours), 5)
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
            result = moepredict.backtest(row["method"], TRACE, horizon=row["horizon"])
            late = result.origins >= 5000
            for field in ("error", "floor", "error_of_mean", "floor_of_mean", "paper_error"):
                self.assertAlmostEqual(row[field], getattr(result, field)[late].mean(), places=12)
                self.assertIn(f"{100 * row[field]:.2f} %", self.page.cells)
        self.assertEqual({row["horizon"] for row in self.rows}, {1000, 2000})

    @unittest.skipUnless("MOEPREDICT_BROWSER" in os.environ, "tests/run.sh --browser")
    def test_a_browser_renders_the_page(self):
        picture = self.folder / "page.png"
        subprocess.run([os.environ["MOEPREDICT_BROWSER"], "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        f"--user-data-dir={self.folder / 'profile'}", "--window-size=1200,4000",
                        f"--screenshot={picture}", (self.folder / "out" / "index.html").as_uri()],
                       check=True, capture_output=True, timeout=120)
        assert_drawn(self, picture.read_bytes())

    def test_progress_grows_to_1(self):
        self.assertEqual(self.fractions, sorted(self.fractions))
        self.assertEqual(self.fractions[-1], 1)

    def test_moving_statistics_are_numpys(self):
        shares = report.shares_of(np.load(TRACE))[:1500]
        variance, spread = _figures.moving(shares, 100)
        self.assertEqual(len(variance), len(np.arange(99, 1500, 1)))
        np.testing.assert_allclose(variance[400], shares[400:500].var(0))
        np.testing.assert_allclose(spread[400], np.ptp(shares[400:500], axis=0))


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
        self.assertEqual([row["horizon"] for row in rows], [1000])
        self.assertEqual(names, PICTURES - {"error-2000"})

    def test_a_short_trace_with_dead_experts_and_empty_steps(self):
        counts = np.random.default_rng(2).poisson(20, (150, 2, 5)).astype(float)
        counts[:, 0, 3] = 0
        counts[40:60, 1] = 0
        counts[:2] = 0
        rows, names = self.drawn(counts)
        self.assertEqual(rows, [])
        self.assertEqual(names, {"shares", "variance", "range", "imbalance"})

    def test_one_expert_few_steps_and_dead_layers(self):
        self.assertEqual(self.drawn(np.full((1400, 1, 1), 7))[1], PICTURES - {"error-2000"})
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
        rows = json.loads(self.run_it("backtest", TRACE, "--sw-avg-window", 300, "--every", 500, "--json"))
        result = moepredict.backtest("sw_avg", TRACE, every=500, sw_avg_window=300)
        self.assertEqual([row["layer"] for row in rows], [0, 1, 2, 3, 4, 5, "all"])
        self.assertAlmostEqual(rows[-1]["error"], result.error.mean(), places=12)
        self.assertIn(f"{100 * rows[2]['error_of_mean']:.2f} %",
                      self.run_it("backtest", TRACE, "--sw-avg-window", 300, "--every", 500))

    def test_info_tells_of_the_library_and_of_a_trace(self):
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

    def test_what_is_wrong_is_told_with_exit_codes(self):
        self.assertIn("No such file", self.run_it("backtest", "/nonexistent.npy", code=1))
        self.assertIn("no origin", self.run_it("backtest", TRACE, "--horizon", 20000, code=1))
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
