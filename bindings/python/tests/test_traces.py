# SPDX-License-Identifier: BSD-3-Clause
"""Files that are damaged or no traces. Every command and the API report them in one line that names the file."""
import contextlib
import io
import os
import pathlib
import random
import tempfile
import unittest
import warnings
from unittest import mock

import numpy as np

import moepredict
from moepredict import __main__, report

GOOD = np.random.default_rng(0).multinomial(512, np.ones(4) / 4, size=(700, 2)).astype(np.int32)


def npy(array, **kind):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **kind)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


WHOLE = npy(GOOD)
DESCRIBED = b"{'descr': '<i4', 'fortran_order': False, 'shape': (700, 2, 4), }"
ROOM = b" " * 20  # behind it


def described(header):
    """The good file, with another description."""
    assert DESCRIBED + ROOM in WHOLE and len(header) <= len(DESCRIBED + ROOM)
    return WHOLE.replace(DESCRIBED + ROOM, header.ljust(len(DESCRIBED + ROOM)))


DAMAGES = {  # the file, and the words of its error
    "empty": (b"", "empty file"),
    "text": (b"1 2 3\n", "no .npy file"),
    "magic alone": (WHOLE[:6], "ends within its header"),
    "cut before the header's length": (WHOLE[:8], "ends within its header"),
    "cut in the header": (WHOLE[:40], "ends within its header"),
    "cut after the header": (WHOLE[:128], "ends within its counts"),
    "cut by a byte": (WHOLE[:-1], "ends within its counts"),
    "version 9": (WHOLE[:6] + b"\x09" + WHOLE[7:], "version"),
    "version 2 with a giant header": (WHOLE[:6] + b"\x02\x00\xff\xff\xff\x7f" + WHOLE[12:], "longer than"),
    "archive": (npz(counts=GOOD), "archive"),
    "archive that is cut": (npz(counts=GOOD)[:1000], "archive"),
    "objects": (npy(np.array([{}]), allow_pickle=True), "Python objects"),
    "records": (npy(np.zeros(3, [("a", "<i4"), ("b", "<i4")])), "dtype"),
    "words": (npy(np.array([[["a", "b"]]])), "dtype"),
    "complex": (npy(GOOD.astype(complex)), "complex"),
    "big-endian": (npy(GOOD.astype(">i4")), ">i4"),
    "two axes": (npy(GOOD[0]), "shape"),
    "four axes": (npy(GOOD[None]), "shape"),
    "no axis": (npy(np.int32(3)), "shape"),
    "an axis of no length": (npy(GOOD[:, :0]), "axis"),
    "no step": (npy(GOOD[:0]), "axis"),
    "no end of the dictionary": (described(DESCRIBED[:-3]), "header is damaged"),
    "a negative length": (described(DESCRIBED.replace(b"700", b"-70")), "header is damaged"),
    "a fraction": (described(DESCRIBED.replace(b"700", b"7e9")), "header is damaged"),
    "a huge shape": (described(DESCRIBED.replace(b"700, 2", b"4000000000, 4000000000")), "ends within its counts"),
    "a length of many digits": (described(DESCRIBED.replace(b"700", b"9" * 22)), "header is damaged"),
    "another key": (described(DESCRIBED.replace(b"descr", b"dtype")), "header is damaged"),
    "a key twice": (described(b"{'descr':'<i4','descr':'<i4','fortran_order':False,'shape':(7,)}"),
                    "header is damaged"),
    "JSON": (described(b'{"descr":"<i4","fortran_order":false,"shape":[700, 2, 4]}'), "header is damaged"),
    "an expression": (described(b"{'descr': '<i4', 'fortran_order': 1 < 0, 'shape': (700, 2, 4)}"),
                      "header is damaged"),
    "an unknown dtype": (described(DESCRIBED.replace(b"<i4", b"<i3")), "i3"),
    "a line break in its dtype": (described(DESCRIBED.replace(b"<i4", b"<\n4")), "dtype"),
    "a negative count": (npy(-GOOD), "count is negative"),
    "a count that is no number": (npy(GOOD * np.float32(np.nan)), "not a number"),
}


class Damaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.good = cls.folder / "good.npy"
        cls.good.write_bytes(WHOLE)
        cls.files = {}
        for name, (content, words) in DAMAGES.items():
            path = cls.folder / f"{name}.npy"
            path.write_bytes(content)
            cls.files[path] = words
        os.mkfifo(cls.folder / "pipe.npy")
        (cls.folder / "loop.npy").symlink_to("loop.npy")
        cls.files.update({cls.folder: "a folder", cls.folder / "pipe.npy": "no regular file",
                          cls.folder / "loop.npy": "symbolic links", cls.folder / "none.npy": "No such file",
                          pathlib.Path("/dev/zero"): "no regular file",
                          pathlib.Path("/proc/self/mem"): "Input/output error"})

    def command(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                mock.patch("sys.argv", ["moepredict", *map(str, arguments)]):
            code = __main__.main()
        return code, out.getvalue(), err.getvalue()

    def test_every_command_reports_every_damage_in_one_line_and_exits_with_2(self):
        for file, words in self.files.items():
            for arguments in (["info", file], ["info", file, "--json"], ["backtest", file], ["plan", file],
                              ["backtest", self.good, "--method", "lstm", "--horizon", 100, "--train", file],
                              ["report", file, "--out", self.folder / "out"],
                              ["report", self.good, "--out", self.folder / "out", "--train", file],
                              ["simulate", "--out", self.folder / "made.npy", "--assignments", 64, "--like", file],
                              ["simulate", "--out", self.folder / "made.npy", "--assignments", 64, "--join", 2,
                               "--like", self.good, file]):
                with self.subTest(file.name, command=arguments[0]):
                    code, out, err = self.command(*arguments)
                    self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
                    self.assertTrue(err.startswith(f"moepredict: {file}: "), err)
                    self.assertIn(words, err)
        self.assertFalse((self.folder / "out").exists() or (self.folder / "made.npy").exists())

    def test_python_raises_a_value_error_that_names_the_file(self):
        predictor = moepredict.Predictor("lstm", layers=2, experts=4)
        for file, words in self.files.items():
            calls = [lambda: moepredict.backtest("sw_avg", file, horizon=100), lambda: predictor.fit_trace(str(file)),
                     lambda: report.report(file, self.folder / "out"), lambda: moepredict.resample(file, 64),
                     lambda: moepredict.join_experts([file, self.good], 2)]
            for call in calls if "count" not in file.name else calls[2:3]:  # one word on bad counts is enough
                with self.subTest(file.name):
                    with self.assertRaisesRegex(ValueError, words) as caught:
                        call()
                    self.assertIn(f"{file}: ", str(caught.exception))

    def test_a_file_that_the_system_refuses_is_an_oserror_too(self):
        with self.assertRaises(FileNotFoundError):
            moepredict.backtest("sw_avg", self.folder / "none.npy")
        with self.assertRaises(OSError) as caught:
            moepredict.backtest("sw_avg", "/proc/self/mem")
        self.assertEqual(str(caught.exception), "/proc/self/mem: Input/output error")

    def test_any_change_of_any_byte_of_the_header_is_read_or_refused(self):
        file, rng, read = self.folder / "changed.npy", random.Random(1), 0
        header = WHOLE.index(b"\n") + 1
        for _ in range(3000):
            changed = bytearray(WHOLE[:-rng.choice([1, 4])] if rng.random() < 0.1 else WHOLE)
            for _ in range(rng.choice([1, 1, 2, 5])):
                changed[rng.randrange(header)] = rng.choice([rng.randrange(256),
                                                             rng.choice(b"'\"(){}[],: -0123456789<>TF\\")])
            file.write_bytes(changed)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    moepredict.join_experts(file, 1)
                    read += 1
                except ValueError as error:
                    self.assertTrue(str(error).startswith(f"{file}: ") or "negative or infinite" in str(error), error)
                    self.assertNotIn("\n", str(error))
        self.assertGreater(read, 0)

    def test_good_files_of_any_kind_are_read(self):
        kinds = [described(b'{"shape":(700,2,4,),"fortran_order":False,"descr":"<i4"}'),
                 described(b"\n{ 'fortran_order' : False,'descr' :'<i4' , 'shape':( 700, 2,4)}"),
                 described(DESCRIBED.replace(b"700, 2, 4", b"700L, 2L, 4L")),  # as Python 2 wrote it
                 npy(np.asfortranarray(GOOD)), npy(GOOD, version=(2, 0)), npy(GOOD, version=(3, 0)), WHOLE + b"more",
                 npy(GOOD.astype(np.float64))]
        for content in kinds:
            (self.folder / "kind.npy").write_bytes(content)
            np.testing.assert_array_equal(moepredict.join_experts(self.folder / "kind.npy", 1),
                                          moepredict.join_experts(GOOD, 1))


if __name__ == "__main__":
    unittest.main()
