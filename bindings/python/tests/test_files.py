# SPDX-License-Identifier: BSD-3-Clause
"""Files that the package writes: complete or the old ones, under any name, whatever the user's settings."""
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import stat
import unittest
from unittest import mock

import matplotlib
import numpy as np

from commands import COUNTS, ENVIRONMENT, InAFolder
from moepredict import _files, _text, report

LATIN = os.fsdecode(b"run-\xe9t\xe9")  # a name that is no UTF-8


def small_files_only():
    """A disk with little space left."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


class Writing(InAFolder):
    def test_all_old_files_stay_until_all_new_ones_are_whole(self):
        new = {self.folder / "a": b"new", self.folder / "b": b"new"}
        for path in new:
            path.write_bytes(b"old")
        before = self.contents()
        with self.assertRaises(FileNotFoundError) as caught:
            _files.write_files({**new, self.folder / "none" / "c": b"new"})
        self.assertEqual(caught.exception.filename, str(self.folder / "none" / "c"))
        with mock.patch("os.fsync", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            _files.write_files(new)
        self.assertEqual(self.contents(), before)
        _files.write_files(new)
        self.assertEqual(self.contents(), {**before, **new})

    def test_a_reader_finds_the_old_file_or_the_new_one(self):
        path = self.folder / "a"
        path.write_bytes(b"old")
        with open(path, "rb") as reader:
            _files.write_files({path: b"new"})
            self.assertEqual((reader.read(), path.read_bytes()), (b"old", b"new"))

    def test_permissions_are_the_old_files_or_what_the_umask_leaves(self):
        old, new = self.folder / "old", self.folder / "new"
        old.touch()
        old.chmod(0o604)
        umask = os.umask(0o027)
        self.addCleanup(os.umask, umask)
        _files.write_files({old: b"", new: COUNTS})
        self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in (old, new)], [0o604, 0o640])
        np.testing.assert_array_equal(np.load(new), COUNTS)

    def test_a_link_stays_one_and_a_device_is_not_replaced(self):
        target, link, full = (self.folder / name for name in ("target", "link", "full"))
        target.touch()
        link.symlink_to(target)
        full.symlink_to("/dev/full")
        _files.write_files({link: b"new", "/dev/null": b"new"})
        self.assertTrue(link.is_symlink() and stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertEqual(target.read_bytes(), b"new")
        for content in (b"new", COUNTS):
            with self.assertRaisesRegex(OSError, "No space left"):
                _files.write_files({full: content})

    def test_a_link_to_a_descriptor_to_nothing_or_to_itself_stays(self):
        link = self.folder / "link"
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        link.symlink_to(f"/proc/self/fd/{writer}")  # as /dev/stdout is
        _files.write_files({link: b"new"})
        os.close(writer)
        self.assertEqual(os.read(reader, 9), b"new")
        with open(self.folder / "file", "wb+") as file:
            os.unlink(file.name)
            other = pathlib.Path(file.name + " (deleted)")  # the name that /proc shows for the file now
            other.touch()
            _files.write_files({f"/proc/self/fd/{file.fileno()}": b"new"})
            self.assertEqual((file.read(), other.read_bytes()), (b"new", b""))
            other.unlink()
        for target in ("later", "link"):
            link.unlink()
            link.symlink_to(target)
            with contextlib.nullcontext() if target == "later" else self.assertRaisesRegex(OSError, "symbolic links"):
                _files.write_files({link: b"new"})
            self.assertEqual(os.readlink(link), target)
        self.assertEqual(self.contents().keys() - {self.trace}, {self.folder / "later"})
        self.assertEqual((self.folder / "later").read_bytes(), b"new")

    def test_a_name_may_be_as_long_as_a_name_can_be(self):
        path = self.folder / ("x" * 250 + ".npy")
        self.run_it("simulate", "--steps", "9", "--out", path)
        self.assertTrue(path.exists())

    def test_a_full_disk_leaves_the_old_files_and_none_beside(self):
        for command in (["report", self.trace, "--out", self.folder], ["simulate", "--out", self.folder / "made.npy"]):
            for name in ("index.html", "shares.png", "made.npy", "made.json"):
                (self.folder / name).write_bytes(b"old")
            before = self.contents()
            run = self.run_it(*command, code=1, preexec_fn=small_files_only)
            self.assertRegex(run.stderr, rb"\Amoepredict: [^\n]*: File too large\n\Z")
            self.assertEqual((self.contents(), run.stdout), (before, b""))

    def test_a_folder_that_cannot_be_written_to_is_reported_before_the_work(self):
        with mock.patch("moepredict.report.compare", side_effect=AssertionError("work")):
            for out in (self.trace, self.trace / "out"):
                with self.assertRaises(OSError):
                    report.report(self.trace, out)
        for out in (self.trace / "made.npy", self.folder / "none" / "made.npy"):
            run = self.run_it("simulate", "--steps", "99999999", "--out", out, code=1)
            self.assertIn(b": no", run.stderr)
        with mock.patch("os.access", return_value=False), \
                self.assertRaisesRegex(PermissionError, "cannot be written to"):
            _files.check_folder(self.folder)


class Names(InAFolder):
    def test_a_report_on_any_name_in_any_locale_is_whole(self):
        c_locale = {**ENVIRONMENT, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        np.save(self.trace, COUNTS[:20])
        for name, environment, title in ((LATIN, ENVIRONMENT, r"run-\xe9t\xe9.npy"), ("été", c_locale, "été.npy"),
                                         ("<a>&'\"\n\x01", ENVIRONMENT, r"&lt;a&gt;&amp;&#x27;&quot;\n\x01.npy")):
            with self.subTest(name):
                file, out = os.fsencode(self.folder / f"{name}.npy"), os.fsencode(self.folder / name)
                self.trace.rename(os.fsdecode(file))
                run = self.run_it("report", file, "--out", out, env=environment)
                os.rename(file, self.trace)
                self.assertTrue(run.stdout.startswith(out + b"/index.html; "), run)
                page = pathlib.Path(os.fsdecode(out), "index.html").read_text(encoding="utf-8")
                self.assertIn(f"<title>{title}</title>", page)
                self.assertTrue(page.endswith("</html>\n"))

    def test_every_other_command_takes_any_name(self):
        file = os.fsencode(self.folder / f"{LATIN}.npy")
        self.run_it("simulate", "--steps", "400", "--layers", "1", "--out", file, "--json")
        made = self.run_it("simulate", "--like", file, "--assignments", "64", "--out", file)
        self.assertIn(file, made.stdout)
        truth = json.loads(pathlib.Path(os.fsdecode(file)).with_suffix(".json").read_bytes())
        self.assertEqual(os.fsencode(truth["like"][0]), file)
        self.run_it("info", file)
        self.run_it("backtest", file, "--horizon", "50")
        os.unlink(file)
        for command in (["info", file], ["backtest", file], ["report", file, "--out", "out"]):
            self.assertIn(rb"run-\xe9t\xe9.npy: No such file", self.run_it(*command, code=2).stderr)

    def test_any_title_is_shown(self):
        for title in ("\udce9\ud800\x00 </title> a\r\nb\u2028c", "été 專家 \U0001f600", ""):
            report.report(COUNTS[:20], self.folder / "out", title=title)
            page = (self.folder / "out" / "index.html").read_text(encoding="utf-8")
            self.assertEqual(re.findall("<title>(.*)</title>", page), re.findall("<h1>(.*)</h1>", page))
        self.assertEqual([_text.shown(text) for text in ("\udce9\ud800\x00", "a\r\nb\u2028c", "é\u3000\xa0",
                                                         "\udcc3\udca9")],
                         [r"\xe9\ud800\x00", r"a\r\nb\u2028c", "é\u3000\xa0", "é"])


class Settings(InAFolder):
    def pictures(self, **settings):
        self.run_it("report", self.trace, "--out", "out", cwd=self.folder, **settings)
        return {path.name: path.read_bytes() for path in (self.folder / "out").iterdir()}

    def test_the_users_settings_do_not_reach_the_pictures(self):
        expected = self.pictures()
        (self.folder / "matplotlibrc").write_text(
            "text.usetex: True\nfont.family: monospace\nfont.size: 30\nsavefig.bbox: tight\nsavefig.facecolor: red\n"
            "axes.grid: True\nfigure.dpi: 10\nlines.linewidth: 9\naxes.prop_cycle: cycler('color', ['r'])\n"
            "backend: svg\nsavefig.format: pdf\nimage.cmap: hot\npath.simplify: False\n")
        self.assertEqual(self.pictures(env={**ENVIRONMENT, "MPLBACKEND": "nonsense"}), expected)

    def test_the_callers_settings_come_back_and_hold_meanwhile_for_the_caller(self):
        seen = []
        with matplotlib.rc_context({"font.size": 33, "text.usetex": True}):
            before = dict(matplotlib.rcParams)
            report.report(COUNTS, self.folder / "out", progress=lambda _: seen.append(matplotlib.rcParams["font.size"]))
            self.assertEqual(dict(matplotlib.rcParams), before)
        self.assertEqual(set(seen), {33})


if __name__ == "__main__":
    unittest.main()
