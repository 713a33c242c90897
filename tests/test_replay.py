# SPDX-License-Identifier: BSD-3-Clause
"""The output of replay is what NumPy computes from the definitions; and replay refuses bad input.

usage: test_replay.py REPLAY SOURCE_ROOT. Prints TAP.
"""
import csv
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

import numpy as np

REPLAY, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
DATA = ROOT / "examples" / "data"
sys.path.insert(0, str(ROOT / "bindings" / "python" / "tests"))
from reference import detect  # the detector's rule, in NumPy

STATES = ["warmup", "transient", "stable"]
COLUMNS = ["error", "floor", "error_of_mean", "floor_of_mean", "paper_error", "left_out", "total_variation"]


# ---- the definitions, in NumPy ----

def past_shares(counts):
    """float64 (steps, layers, experts). A layer without tokens repeats its last shares; before any: uniform."""
    shares = np.empty(counts.shape)
    last = np.full(counts.shape[1:], 1 / counts.shape[2])
    for step, row in enumerate(counts.astype(float)):
        total = row.sum(1, keepdims=True)
        last = np.divide(row, total, out=last.copy(), where=total > 0)
        shares[step] = last
    return shares


def sw_avg(past, window, horizon):
    """The paper's recursion: append the mean of the last window steps repeatedly."""
    window = min(window, len(past))
    path = np.concatenate([past[-window:], np.empty((horizon, *past.shape[1:]))])
    for step in range(horizon):
        path[window + step] = path[step:window + step].mean(0)
    path = path[window:]
    return path / path.sum(2, keepdims=True)


def scores(forecast, counts, stride, tokens):
    """The scores of one layer: forecast (horizon, experts) by steps, counts (horizon, experts)."""
    horizon, experts = counts.shape
    rows = [forecast[i:i + stride].mean(0, keepdims=True).repeat(len(forecast[i:i + stride]), 0)
            for i in range(0, horizon, stride)]
    counts = counts.astype(float)
    routed = counts.sum(1) > 0
    if not routed.any():
        return [np.nan] * 5 + [0, np.nan]
    rows, counts = np.concatenate(rows)[routed], counts[routed]
    actual = counts / counts.sum(1, keepdims=True)
    least = 0.1 / experts
    realised, predicted = actual.mean(0), rows.mean(0)
    loaded = actual > 0
    ratio = np.abs(rows - actual) / np.where(loaded, actual, np.inf)
    p = np.maximum(realised, least)
    assignments = counts.sum() if tokens else np.nan
    return [
        (np.abs(rows - actual) / np.maximum(actual, least)).mean(),
        (np.abs(realised - actual) / np.maximum(actual, least)).mean(),
        (np.abs(predicted - realised) / np.maximum(realised, least)).mean(),
        np.sqrt(2 / np.pi) * np.sqrt((1 - p) / (p * assignments)).mean(),
        (ratio.sum(1) / loaded.sum(1)).mean(),
        (~loaded).sum(),
        np.abs(predicted - realised).sum() / 2,
    ]


def expected(counts, window, horizon, stride, first, every, kept_as=np.float64):
    """Scores {(origin, layer): scores} from the definitions."""
    shares, tokens = past_shares(counts).astype(kept_as).astype(float), (counts == np.floor(counts)).all()
    result = {}
    for origin in range(first, len(counts) - horizon + 1, every):
        forecast = sw_avg(shares[:origin], window, horizon)
        for layer in range(counts.shape[1]):
            result[origin, layer] = scores(forecast[:, layer], counts[origin:origin + horizon, layer], stride, tokens)
    return result


# ---- replay ----

def replay(*arguments, code=0):
    run = subprocess.run([REPLAY, *map(str, arguments)], capture_output=True, text=True, timeout=600)
    assert run.returncode == code, f"{arguments}: exit code {run.returncode}\n{run.stdout}{run.stderr}"
    return run.stdout if code == 0 else run.stderr


def printed(path, **options):
    """Scores {(origin, layer): scores} that replay --csv - prints."""
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    rows = list(csv.DictReader(replay(*arguments, "--csv", "-", path).splitlines()))
    return {(int(r["origin"]), int(r["layer"])): [float(r[c]) for c in COLUMNS] for r in rows}


def tables(*arguments):
    """The words of each table's rows, without heads and preceding text."""
    _, *parts = replay(*arguments).strip().split("\n\n")
    return [[line.replace("%", "").split() for line in part.splitlines()[1:]] for part in parts]


def deviation(a, b):
    """The largest relative difference; numbers below 1e-15 count as equal."""
    off = np.abs(a - b)
    return np.nanmax(np.where(off > 1e-15, off, 0) / np.maximum(np.abs(b), 1e-15))


def assert_agrees(path, counts, **options):
    """Compare row by row with a NumPy computation in which shares are float32, as in the library, and compare the mean
    with one that does not round."""
    ours = printed(path, method="sw_avg", **options)
    rounded, exact = expected(counts, **options, kept_as=np.float32), expected(counts, **options)
    assert ours.keys() == rounded.keys() and ours
    a, b, c = (np.array([r[k] for k in sorted(ours)], float) for r in (ours, rounded, exact))
    assert (np.isnan(a) == np.isnan(b)).all()
    row, mean = deviation(a, b), deviation(np.nanmean(a, 0), np.nanmean(c, 0))
    print(f"# {path.name} {options}: rows {row:.1e}, means {mean:.1e}")
    assert row <= 1e-7 and mean <= 1e-7, f"{options}: rows off by {row:.1e}, means by {mean:.1e}"


def difficult_trace(dtype, seed=3):
    """Totals that are no power of two, dead experts, layers and whole steps without a token."""
    random = np.random.default_rng(seed)
    load = np.exp(np.cumsum(random.normal(0, 0.05, (400, 3, 7)), 0)) * 300
    counts = random.poisson(load)
    counts[:, 0, 2] = 0
    counts[:, 1, 1:] = 0
    counts[200:260, 2] = 0
    counts[50:55] = 0
    counts[:3] = 0
    return counts.astype(dtype)


def saved(folder, name, array):
    path = pathlib.Path(folder) / name
    np.save(path, array)
    return path


# ---- the tests ----

def the_bundled_trace_agrees_with_numpy():
    path = DATA / "small16-seed1.npy"
    counts = np.load(path)
    for window in (1, 10, 200, 1000):
        assert_agrees(path, counts, window=window, horizon=1000, stride=1000, first=300, every=700)
    assert_agrees(path, counts, window=100, horizon=2000, stride=1, first=300, every=3000)


def a_difficult_trace_of_any_dtype_agrees_with_numpy():
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("int32", "int64", "uint32", "uint64", "float32", "float64"):
            counts = difficult_trace(dtype)
            path = saved(folder, dtype + ".npy", counts)
            assert_agrees(path, counts, window=20, horizon=50, stride=50, first=1, every=17)
        path = saved(folder, "fractions.npy", counts * 1.5)  # no tokens, and so no floor of the mean
        assert_agrees(path, counts * 1.5, window=20, horizon=50, stride=50, first=1, every=17)
        path = saved(folder, "whole.npy", counts)
        for window, horizon, stride in ((1, 50, 1), (7, 60, 9), (150, 30, 30), (3, 61, 7)):
            assert_agrees(path, counts, window=window, horizon=horizon, stride=stride, first=10, every=33)


def the_table_holds_the_means_of_the_rows():
    path = DATA / "small16-seed2.npy"
    rows = printed(path, method="sw_avg", window=30, every=500)
    table = tables("--method", "sw_avg", "--window", 30, "--every", 500, path)[0]
    assert [row[0] for row in table] == ["0", "1", "2", "3", "4", "5", "all"], table
    for row in table:
        of_layer = np.array([v for (_, layer), v in rows.items() if row[0] in ("all", str(layer))])
        for column, text in enumerate(row[1:6]):
            assert abs(float(text) - 100 * of_layer[:, column].mean()) <= 0.00501, row
        assert int(row[6]) == of_layer[:, 5].sum(), row


def a_forecast_that_is_too_early_is_nan_and_not_in_the_means():
    with tempfile.TemporaryDirectory() as folder:
        counts = difficult_trace("int64")
        path = saved(folder, "trace.npy", counts)
        rows = printed(path, first=0, every=100, horizon=50)
        assert np.isnan(rows[0, 0][0]) and not np.isnan(rows[100, 0][0])
        table = tables("--first", 0, "--every", 100, "--horizon", 50, path)
        later = tables("--first", 100, "--every", 100, "--horizon", 50, path)
        assert table[0] == later[0]


def the_second_table_is_the_first_by_the_state_of_the_layer():
    path = DATA / "small16-seed1.npy"
    text = replay("--first", 100, "--csv", "-", path)
    rows = list(csv.DictReader(text.splitlines()))
    counts = np.load(path)
    (layers, drifts), (experts, _) = detect(past_shares(counts))
    for row in rows:
        block = int(row["origin"]) // 20
        assert row["state"] == STATES[layers[block - 1, int(row["layer"])]], row
    by_state, of_layers = tables("--first", 100, path)[1:]
    assert [row[0] for row in by_state] == STATES
    for row in by_state:
        of_state = [r for r in rows if r["state"] == row[0]]
        assert int(row[1]) == len(of_state) > 0, row
        for column, text in zip(COLUMNS[:5], row[2:]):
            assert abs(float(text) - 100 * np.mean([float(r[column]) for r in of_state])) <= 0.00501, (row, column)
    for layer, row in enumerate(of_layers):
        stable = (layers == 2)[:, layer]
        assert row[0] == str(layer) and row[1] == STATES[layers[-1, layer]], row
        assert abs(float(row[4]) - 100 * (20 * stable[:-1].sum() + stable[-1]) / len(counts)) <= 0.0501, row
        assert int(row[5]) == (experts[-1, layer] == 2).sum() and row[6:8] == ["of", "16"], row
        assert abs(float(row[8]) - 100 * np.sqrt(max(drifts[-1][layer], 0))) <= 0.0501, row
        changes = np.flatnonzero(np.diff(layers[:, layer], prepend=0))
        assert int(row[2]) == 20 * changes[-1] + 19 and int(row[3]) == len(changes), row


def a_run_too_short_for_a_detector_is_all_warmup():
    with tempfile.TemporaryDirectory() as folder:
        path = saved(folder, "trace.npy", difficult_trace("int32")[:150])
        _, by_state, of_layers = tables("--first", 50, "--every", 50, "--horizon", 50, path)
        assert [row[:2] for row in by_state] == [["warmup", "6"]]
        assert [row[1] for row in of_layers] == ["warmup"] * 3 and of_layers[0][8:] == ["-"] * 3, of_layers


def csv_goes_to_a_file():
    with tempfile.TemporaryDirectory() as folder:
        path, file = DATA / "small16-seed1.npy", pathlib.Path(folder) / "rows.csv"
        output = replay("--every", 3000, "--csv", file, path)
        assert "error of mean" in output
        assert file.read_text() == replay("--every", 3000, "--csv", "-", path)
        assert "cannot write" in replay("--csv", pathlib.Path(folder) / "none" / "rows.csv", path, code=1)


def a_file_that_is_no_trace_is_refused_with_a_reason():
    with tempfile.TemporaryDirectory() as folder:
        good = difficult_trace("int32")
        whole = saved(folder, "good.npy", good).read_bytes()

        def refused(array, words):
            path = pathlib.Path(folder) / "bad.npy"
            path.write_bytes(array) if isinstance(array, bytes) else np.save(path, array)
            assert words in (said := replay(path, code=1)), said
            assert said.count("\n") == 1 and said.startswith(f"replay: {path}: "), said

        refused(np.asfortranarray(good), "Fortran order")
        refused(good.astype("int16"), "dtype '<i2'")
        refused(good.astype(">i4"), "dtype '>i4'")
        refused(good.astype(complex), "dtype '<c16'")
        refused(np.zeros(3, [("a", "<i4"), ("b", "<i4")]), "dtype")
        refused(good[0], "three axes")
        refused(good[None], "three axes")
        refused(np.int32(3), "three axes")
        refused(good[:0], "empty")
        refused(-good, "count is negative")
        refused(good * np.float32(np.nan), "count is not a number")
        refused(b"origin,layer\n", "no .npy file")
        refused(b"", "no .npy file")
        refused(whole[:9], "no .npy file")
        refused(whole[:40], "ends within its header")
        refused(whole[:-1], "ends within its counts")
        refused(whole[:6] + b"\x09" + whole[7:], "version")
        refused(whole.replace(b"(400, 3, 7)", b"(4e9, 3, 7)"), "three axes")
        refused(whole.replace(b"(400, 3, 7), }" + 15 * b" ", b"(4" + 15 * b"0" + b"00, 3, 7), }"), "too large")
        refused(whole.replace(b"(400, 3, 7)", b"(401, 3, 7)"), "ends within its counts")
        refused(whole.replace(b"(400, 3, 7)", b"(-40, 3, 7)"), "three axes")
        refused(whole.replace(b"(400, 3, 7), }  ", b"(400LL, 3, 7), }"), "three axes")
        refused(whole.replace(b"(400, 3, 7), }", b"(400, 3, 7)   "), "header is damaged")
        refused(whole.replace(b"'<i4'", b"'<i\n'"), "header is damaged")
        refused(whole.replace(b"'<i4'", b"'<\xe94"), "header is damaged")
        refused(whole.replace(b"'<i4'", b"4 <i4"), "header is damaged")
        refused(whole.replace(b"'descr'", b"'shape'"), "header is damaged")
        refused(whole.replace(b"'descr'", b"'dtype'"), "header is damaged")
        refused(whole.replace(b"7), }  ", b"7), } 1"), "header is damaged")
        damaged = (b'"fortran_order": true ', b"'fortran_order': falsE", b"'fortran_order': Falsy",
                   b"'fortran_order': '  ' ", b"'fortran_order': (3, )")
        for word, message in (*((word, "header is damaged") for word in damaged),
                           (b'"fortran_order": True ', "Fortran order")):
            refused(whole.replace(b"'fortran_order': False", word), message)
        assert "cannot read it: Is a directory" in replay(folder, code=1)
        assert "cannot open" in replay(pathlib.Path(folder) / "missing.npy", code=1)
        assert "no origin" in replay("--first", 390, pathlib.Path(folder) / "good.npy", code=1)


def newer_npy_headers_are_read():
    with tempfile.TemporaryDirectory() as folder:
        counts = difficult_trace("int32")
        path = pathlib.Path(folder) / "v2.npy"
        with open(path, "wb") as file:
            np.lib.format.write_array(file, counts, version=(2, 0))
        assert_agrees(path, counts, window=20, horizon=50, stride=50, first=1, every=50)


def a_header_is_read_however_python_may_write_it():
    with tempfile.TemporaryDirectory() as folder:
        whole = saved(folder, "trace.npy", difficult_trace("int32")).read_bytes()
        usual = b"{'descr': '<i4', 'fortran_order': False, 'shape': (400, 3, 7), }"
        options = "--first", 100, "--horizon", 50
        expected = replay(*options, pathlib.Path(folder) / "trace.npy")
        for other in (b'{"shape":(400,3,7,),"fortran_order":False,"descr":"<i4"}',
                      b"\n{ 'fortran_order' : False,'descr' :'<i4' , 'shape':( 400, 3,7)}",
                      b"{'descr': '<i4', 'fortran_order': False, 'shape': (400L, 3L, 7L)}"):
            assert usual in whole
            (pathlib.Path(folder) / "trace.npy").write_bytes(whole.replace(usual + 4 * b" ", other.ljust(len(usual) + 4)))
            assert replay(*options, pathlib.Path(folder) / "trace.npy") == expected, other


def a_full_disk_is_reported_and_leaves_the_old_file():
    path = DATA / "small16-seed1.npy"
    with open("/dev/full", "w") as full:
        for arguments in (["--help"], ["--every", "3000", path], ["--every", "3000", "--csv", "-", path]):
            run = subprocess.run([REPLAY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
            assert run.returncode == 1 and "No space left" in run.stderr and run.stderr.count("\n") == 1, run
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "rows.csv"
        file.write_text("old")
        file.chmod(0o640)

        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        run = subprocess.run([REPLAY, "--csv", file, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, preexec_fn=no_room, timeout=600)
        assert run.returncode == 1 and run.stderr == f"replay: cannot write {file}: File too large\n", run
        assert file.read_text() == "old" and os.listdir(folder) == ["rows.csv"], os.listdir(folder)
        replay("--every", 3000, "--csv", file, path)
        assert file.read_text().startswith("origin,") and file.stat().st_mode & 0o777 == 0o640
        assert os.listdir(folder) == ["rows.csv"], os.listdir(folder)
        link = pathlib.Path(folder) / "link.csv"
        link.symlink_to("rows.csv")
        file.write_text("old")
        replay("--every", 3000, "--csv", link, path)
        assert link.is_symlink() and file.read_text().startswith("origin,")
        replay("--every", 3000, "--csv", "/dev/null", path)
        assert not os.path.isfile("/dev/null")
        assert "No space left" in replay("--csv", "/dev/full", path, code=1)


def a_link_stays_and_what_it_leads_to_is_written():
    path, rows = DATA / "small16-seed1.npy", replay("--every", 3000, "--csv", "-", DATA / "small16-seed1.npy")
    with tempfile.TemporaryDirectory() as folder:
        link = pathlib.Path(folder) / "link.csv"
        link.symlink_to("/proc/self/fd/1")  # as /dev/stdout is; here it is a pipe
        assert replay("--every", 3000, "--csv", link, path).count(rows) == 1
        assert os.listdir(folder) == ["link.csv"] and os.readlink(link) == "/proc/self/fd/1", os.listdir(folder)
        link.unlink()
        link.symlink_to("later.csv")
        replay("--every", 3000, "--csv", link, path)
        assert os.readlink(link) == "later.csv" and (link.parent / "later.csv").read_text() == rows
        assert sorted(os.listdir(folder)) == ["later.csv", "link.csv"], os.listdir(folder)
        link.unlink()
        link.symlink_to("link.csv")
        assert "Too many levels" in replay("--csv", link, path, code=1) and os.readlink(link) == "link.csv"


def a_descriptor_of_the_caller_is_written():
    path, rows = DATA / "small16-seed1.npy", replay("--every", 3000, "--csv", "-", DATA / "small16-seed1.npy")

    def into(number):
        subprocess.run([REPLAY, "--every", "3000", "--csv", f"/proc/self/fd/{number}", path], check=True, pass_fds=[number],
                       stdout=subprocess.DEVNULL, timeout=600)

    reader, writer = os.pipe()  # as a shell's >(command) is
    into(writer)
    os.close(writer)
    with open(reader) as file:
        assert file.read() == rows
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder) / "file", "w+") as file:
        os.unlink(file.name)
        other = pathlib.Path(file.name + " (deleted)")  # what /proc says that the file is called now
        for there in (False, True):
            into(file.fileno())
            assert file.read() == rows and other.exists() == there
            file.seek(0)
            other.touch()
        assert other.read_text() == ""


def a_file_whose_folder_takes_no_new_one_is_written_itself():
    replay("--every", 3000, "--csv", "/proc/self/comm", DATA / "small16-seed1.npy")  # its own name, till it ends
    assert "cannot write" in replay("--csv", "/proc/self/none", DATA / "small16-seed1.npy", code=1)


def a_new_csv_file_has_the_permissions_that_the_umask_leaves():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / ("r" * 251 + ".csv")  # as long as a name can be
        subprocess.run(["sh", "-c", 'umask 027; "$0" "$@"', REPLAY, "--every", "3000", "--csv", file,
                        DATA / "small16-seed1.npy"], check=True, stdout=subprocess.DEVNULL, timeout=600)
        assert file.stat().st_mode & 0o777 == 0o640, oct(file.stat().st_mode)


def a_reader_that_stops_ends_it_quietly():
    run = subprocess.Popen([REPLAY, "--csv", "-", DATA / "small16-seed1.npy"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    run.stdout.close()
    assert run.stderr.read() == b"" and run.wait(timeout=600) == -signal.SIGPIPE, run.returncode


def rows_of_dashes_have_a_reason():
    with tempfile.TemporaryDirectory() as folder:
        counts = np.random.default_rng(0).multinomial(4096, np.ones(8) / 8, size=(1500, 1)).astype(np.int32)
        path = saved(folder, "trace.npy", counts)
        for words, arguments in (("no fit was better", ["--method", "lstm", "--scope", "joint", "--hidden", 8]),
                                 ("lstm forecasts from 100", ["--method", "lstm", "--first", 50, "--every", 2000]),
                                 ("has a token", [saved(folder, "zeros.npy", counts * 0)])):
            arguments = [*map(str, arguments), *([] if len(arguments) == 1 else [path])]
            run = subprocess.run([REPLAY, *arguments], capture_output=True, text=True, timeout=600)
            assert run.returncode == 0 and words in run.stderr and run.stderr.count("\n") == 1, run
        assert replay("--every", 500, path) and not subprocess.run([REPLAY, path], capture_output=True).stderr


def auto_is_what_a_replay_forecasts_with():
    path = DATA / "wsd8-s14.npy"
    output = replay("--every", 2000, path)
    assert output == replay("--method", "auto", "--every", 2000, path)
    assert output.splitlines()[1].startswith("auto, the library's weights: "), output
    trained = replay("--every", 2000, "--train", DATA / "ramp8-s21.npy", path)
    assert "auto, trained on ramp8-s21.npy: " in trained
    assert trained.splitlines()[3:] != output.splitlines()[3:]


def an_option_of_another_method_is_refused():
    path = DATA / "small16-seed1.npy"
    for method, options in (("auto", ("window", "order", "bucket", "scope", "layers", "hidden")),
                            ("sw_avg", ("order", "train", "seed")), ("arima", ("window", "train", "seed")),
                            ("lstm", ("window", "order"))):
        for option in options:
            value = {"order": "1,1,1", "scope": "joint", "train": path}.get(option, 1)
            said = replay("--method", method, f"--{option}", value, path, code=2)
            assert f"--{option} is not an option of {method}" in said, said


def a_wrong_option_is_refused_and_help_teaches():
    path = DATA / "small16-seed1.npy"
    for arguments in (["--method", "sw_avg", "--window", "0", path], ["--method", "sw_avg", "--window", "-1", path],
                      ["--horizon", "x", path], ["--every", "0", path],
                      ["--method", "psychic", path], ["--nonsense", path], [], [path, path]):
        replay(*arguments, code=2)
    text = replay("--help")
    for word in ("--method", "--window", "--train", "--horizon", "--stride", "--first", "--every", "--csv", "auto",
                 "sw_avg", "Example"):
        assert word in text, word


TESTS = [
    the_bundled_trace_agrees_with_numpy,
    a_difficult_trace_of_any_dtype_agrees_with_numpy,
    the_table_holds_the_means_of_the_rows,
    a_forecast_that_is_too_early_is_nan_and_not_in_the_means,
    the_second_table_is_the_first_by_the_state_of_the_layer,
    a_run_too_short_for_a_detector_is_all_warmup,
    csv_goes_to_a_file,
    a_file_that_is_no_trace_is_refused_with_a_reason,
    newer_npy_headers_are_read,
    a_header_is_read_however_python_may_write_it,
    a_full_disk_is_reported_and_leaves_the_old_file,
    a_link_stays_and_what_it_leads_to_is_written,
    a_descriptor_of_the_caller_is_written,
    a_file_whose_folder_takes_no_new_one_is_written_itself,
    a_new_csv_file_has_the_permissions_that_the_umask_leaves,
    a_reader_that_stops_ends_it_quietly,
    rows_of_dashes_have_a_reason,
    auto_is_what_a_replay_forecasts_with,
    an_option_of_another_method_is_refused,
    a_wrong_option_is_refused_and_help_teaches,
]

print(f"1..{len(TESTS)}")
failed = 0
for number, test in enumerate(TESTS, 1):
    try:
        test()
        print(f"ok {number} - {test.__name__}", flush=True)
    except Exception as error:  # whatever went wrong, the others still run
        failed += 1
        print(f"not ok {number} - {test.__name__}")
        print(*(f"# {line}" for line in f"{type(error).__name__}: {error}".splitlines()), sep="\n", flush=True)
sys.exit(failed > 0)
