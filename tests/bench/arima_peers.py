# SPDX-License-Identifier: BSD-3-Clause
"""Compares the time and likelihood of fits with those of R, gretl and statsmodels, on share-like series of 1,000
observations, on one thread, in processor time. "Gap" is the distance of the exact log-likelihood from the best found by
any program, or by ours with 64 starts. statsmodels' filter, run to the end, evaluates the coefficients of all programs.

Peers receive the series divided by the standard deviation of their differences: they are best with these."""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import pathlib
import resource
import subprocess
import tempfile
import time
import warnings
from typing import NamedTuple

import numpy as np
from statsmodels.tsa.statespace.sarimax import SARIMAX

import moepredict

HERE = pathlib.Path(__file__).resolve().parent
ORDERS, OBSERVATIONS, GROUP, GROUPS, MANY_GROUPS, PASSES = ((1, 1, 1), (2, 1, 2), (5, 1, 5)), 1000, 16, 2, 16, 5
STARTS = {"ours, 1 start": 1, "ours, 2 starts": 2, "ours, default starts": 5}
REFERENCE_STARTS = 64


class Fit(NamedTuple):
    ms: float
    converged: bool
    phi: np.ndarray  # None: there is no result
    theta: np.ndarray


# ---- series --------------------------------------------------------------------------------------------------------

def integrated(random):
    """ARIMA(2, 1, 1) around a share of 1/64 to 1/256."""
    level, phi, theta = 1 / random.uniform(64, 256), random.uniform(0.3, 0.7), -random.uniform(0.3, 0.7)
    errors = random.normal(size=OBSERVATIONS) * level * 0.01
    differences = np.zeros(OBSERVATIONS)
    for t in range(OBSERVATIONS):
        past = [differences[t - 1] if t > 0 else 0, differences[t - 2] if t > 1 else 0]
        differences[t] = phi * past[0] - 0.2 * past[1] + errors[t] + theta * (errors[t - 1] if t > 0 else 0)
    return np.clip(level + np.cumsum(differences), level / 20, 1 / 20)


def stationary(random):
    """A share whose logit is an autoregression, counted among 8,192 to 131,072 tokens."""
    phi, tokens = random.uniform(0.9, 0.995), int(8192 * 2**random.uniform(0, 4))
    x, logit = 0, np.empty(OBSERVATIONS)
    for t, error in enumerate(random.normal(size=OBSERVATIONS)):
        x = phi * x + 0.3 * np.sqrt(1 - phi**2) * error
        logit[t] = x
    share = 1 / (1 + random.uniform(63, 255) * np.exp(-logit))
    return random.binomial(tokens, share) / tokens


def make_groups(count):
    """[count, OBSERVATIONS, GROUP]: in each group as many of both kinds; rounded as the library keeps shares."""
    random = np.random.default_rng(20240416)
    return np.array([np.transpose([(integrated, stationary)[s % 2](random) for s in range(GROUP)])
                     for _ in range(count)]).astype(np.float32).astype(float)


def as_counts(groups):
    """Groups are layers; one more expert takes the rest of each step."""
    rest = 1 - groups.sum(axis=2, keepdims=True)
    return np.ascontiguousarray(np.concatenate([groups, rest], axis=2).transpose(1, 0, 2))


# ---- fits ----------------------------------------------------------------------------------------------------------

def fit_ours(counts, order, starts):
    """The predictor, fitted, and the ms a series took."""
    predictor = moepredict.Predictor("arima", layers=counts.shape[1], experts=counts.shape[2], history=OBSERVATIONS,
                                     arima_p=order[0], arima_d=order[1], arima_q=order[2], arima_bucket=1,
                                     arima_starts=starts)
    predictor.push(counts)
    start = time.thread_time()
    predictor.fit()
    return predictor, (time.thread_time() - start) * 1e3 / (counts.shape[1] * counts.shape[2])


def ours(counts, order, starts):
    """As Fits; the quickest of some passes."""
    predictor, ms = fit_ours(counts, order, starts)
    ms = min([ms] + [fit_ours(counts, order, starts)[1] for _ in range(PASSES - 1)])
    models = [predictor.arima_model(layer, expert) for layer in range(counts.shape[1]) for expert in range(GROUP)]
    return [Fit(ms, model.fallback == 0, model.phi, model.theta) for model in models]


def spent_by_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_lines(command, folder):
    """The lines of results that a program prints, and the processor time that it took in ms."""
    before = spent_by_children()
    output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    spent = (spent_by_children() - before) * 1e3
    return [line.split(";") for line in output.splitlines() if line.count(";") == 5], spent


def split(coefficients, order, sign=1):
    values = np.array(coefficients.split(), float)
    if len(values) != order[0] + order[2] or not np.isfinite(values).all():
        return None, None
    return values[:order[0]], sign * values[order[0]:]


def record(results, lines, factor=1):
    for peer, text, series, ms, code, coefficients in lines:
        order = tuple(map(int, text.split(",")))
        phi, theta = split(coefficients, order)
        results.setdefault((order, peer), {})[int(series)] = Fit(float(ms) * factor, code == "0", phi, theta)


GRETL = """set verbose off
open series.csv --quiet
loop i=0..{last}
  series y = s$i
{fit}endloop
"""
GRETL_FIT = """  set stopwatch
  catch arima {p} {d} {q} ; y --nc --quiet
  code = $error
  ms = 1000 * $stopwatch
  printf "gretl exact;{p},{d},{q};%d;%.6g;%d;", i, ms, code
  if code == 0
    matrix b = $coeff
    loop j=1..rows(b)
      printf "%.17g ", b[j]
    endloop
  endif
  printf "\\n"
"""


def gretl(folder, count, fit):
    (folder / "peers.inp").write_text(GRETL.format(last=count - 1, fit=fit))
    return run_lines(["gretlcli", "-b", "-q", "peers.inp"], folder)


def run_gretl(results, folder, count):
    """gretl measures elapsed time, which is scaled to the processor time of all fits together: that of the program less
    that of one without fits."""
    idle = min(gretl(folder, count, "")[1] for _ in range(PASSES))
    for p, d, q in ORDERS:
        lines, spent = gretl(folder, count, GRETL_FIT.format(p=p, d=d, q=q))
        record(results, lines, (spent - idle) / sum(float(line[3]) for line in lines))


def run_r(results, folder):
    texts = [",".join(map(str, order)) for order in ORDERS]
    record(results, run_lines(["Rscript", "--vanilla", HERE / "arima_peers.R", *texts], folder)[0])


def fit_statsmodels(series, order):
    start = time.thread_time()
    fitted = SARIMAX(series, order=order, trend="n").fit(disp=0)
    ms = (time.thread_time() - start) * 1e3
    return Fit(ms, fitted.mle_retvals["converged"], fitted.arparams, fitted.maparams)


# ---- likelihood ----------------------------------------------------------------------------------------------------

def exact_loglik(series, order, fit):
    """Of the differences, with sigma2 profiled out; -inf if phi is not stationary."""
    if fit.phi is None or (np.abs(np.roots(np.r_[1, -fit.phi])) >= 1).any():
        return -np.inf
    model = SARIMAX(np.diff(series, order[1]), order=(order[0], 0, order[2]), trend="n", concentrate_scale=True)
    model.ssm.tolerance = 0
    value = model.loglike(np.r_[fit.phi, fit.theta])
    return value if np.isfinite(value) else -np.inf


# ---- the table -----------------------------------------------------------------------------------------------------

class Row(NamedTuple):
    median: float
    mean: float
    gap: float
    worst: float


def print_row(peer, fits, gaps):
    usable = np.isfinite(gaps)
    ms = [fit.ms for fit in fits]
    row = Row(np.median(ms), np.mean(ms), gaps[usable].mean(), gaps[usable].max())
    print(f"{peer:32} {row.median:10.3f} {row.mean:10.3f} {row.gap:9.3f} {row.worst:9.3f} {(gaps <= 0.1).sum():6} "
          f"{(~usable).sum():7} {sum(not fit.converged for fit in fits):13}", flush=True)
    return row


def verdict(text, reached):
    print(f"  {'reached' if reached else 'MISSED ':8} {text}")
    return reached


def compare(order, rows, many):
    """Compares with the targets; `many` is the time of one of our fits in a large panel."""
    one, default = many["ours, 1 start"], many["ours, default starts"]
    peers = [peer for peer in rows if not peer.startswith("ours")]
    print("  peer's mean time / ours in the large panel, 1 start and default starts:")
    for peer in peers:
        print(f"    {peer:20} {rows[peer].mean / one:9.0f} x {rows[peer].mean / default:9.0f} x")
    times = lambda peer, ms: rows[peer].mean / ms
    if order == (5, 1, 5):
        best = min(rows[peer].gap for peer in peers)
        return [verdict(f"1 start, {peer} {times(peer, one):.0f} x, at least {least} x", times(peer, one) >= least)
                for peer, least in (("gretl exact", 150), ("R arima0", 150), ("R arima CSS-ML", 2000))] + [
            verdict(f"default starts, mean gap {rows['ours, default starts'].gap:.2f}, every peer's at least "
                    f"{best:.2f}", rows["ours, default starts"].gap < best),
            verdict(f"default starts, gretl exact {times('gretl exact', default):.0f} x, at least 30 x",
                    times("gretl exact", default) >= 30)]
    if order == (1, 1, 1):
        reached = {name: times("gretl exact", ms) >= 20 and rows[name].worst <= 0.05 for name, ms in many.items()}
        for name, ms in many.items():
            verdict(f"{name}: gretl exact {times('gretl exact', ms):.0f} x, at least 20 x; worst gap "
                    f"{rows[name].worst:.3f}, at most 0.05", reached[name])
        return [any(reached.values())]
    return []


def measure(order, series, counts, many_counts, peers):
    """Prints an order's table; returns whether every figure is reached."""
    fits = {name: ours(counts, order, starts) for name, starts in STARTS.items()}
    many = {name: min(fit_ours(many_counts, order, starts)[1] for _ in range(PASSES))
            for name, starts in STARTS.items()}
    fits.update({peer: [found[s] for s in range(len(series))] for (of, peer), found in peers.items() if of == order})
    fits["statsmodels state space"] = [fit_statsmodels(y, order) for y in series]
    reference = ours_reference(counts, order)
    logliks = {name: np.array([exact_loglik(y, order, fit) for y, fit in zip(series, of)]) for name, of in fits.items()}
    best = np.max([*logliks.values(), [exact_loglik(y, order, fit) for y, fit in zip(series, reference)]], axis=0)
    print(f"\nARIMA{order}, {len(series)} series{'':9} median ms    mean ms  mean gap worst gap <= 0.1 no result "
          "not converged")
    rows = {name: print_row(name, fits[name], best - logliks[name]) for name in fits}
    for name, ms in many.items():
        print(f"{name}, {many_counts.shape[1] * GROUP} series{'':{13 - len(name) + 8}} {ms:10.3f} {ms:10.3f}".rstrip())
    return all(compare(order, rows, many))


def ours_reference(counts, order):
    predictor, _ = fit_ours(counts, order, REFERENCE_STARTS)
    models = [predictor.arima_model(layer, expert) for layer in range(counts.shape[1]) for expert in range(GROUP)]
    return [Fit(np.nan, True, model.phi, model.theta) for model in models]


def check_evaluator(counts, series):
    """The library's own log-likelihoods, in units of shares, against the evaluator's."""
    predictor, _ = fit_ours(counts, (5, 1, 5), 1)
    worst = 0
    for s, y in enumerate(series):
        model = predictor.arima_model(s // GROUP, s % GROUP)
        raw = counts[:, s // GROUP, s % GROUP]
        moved = (OBSERVATIONS - 1) * np.log(np.std(np.diff(raw)))
        mine = exact_loglik(y, (5, 1, 5), Fit(0, True, model.phi, model.theta)) - moved
        worst = max(worst, abs(mine - model.loglik) / abs(model.loglik))
    print(f"the library's own log-likelihoods are within {worst:.1e} (relative) of the evaluator's")


def print_widths():
    """By width of the vectors, where the kernels' own benchmark has been built."""
    program = pathlib.Path(os.environ["MOEPREDICT_LIBRARY"]).parents[1] / "tests/bench/arima_bench"
    if program.exists():
        print("\nthe kernels by themselves:", flush=True)
        subprocess.run([program], check=True)


def main():
    warnings.simplefilter("ignore")
    groups = make_groups(GROUPS)
    raw = groups.transpose(0, 2, 1).reshape(-1, OBSERVATIONS)
    series = raw / np.std(np.diff(raw), axis=1, keepdims=True)
    counts, many_counts = as_counts(groups), as_counts(make_groups(MANY_GROUPS))
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    check_evaluator(counts, series)
    peers = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.savetxt(folder / "series.csv", series.T, delimiter=",", fmt="%.17g", comments="",
                   header=",".join(f"s{i}" for i in range(len(series))))
        run_gretl(peers, folder, len(series))
        run_r(peers, folder)
    reached = [measure(order, series, counts, many_counts, peers) for order in ORDERS]
    print_widths()
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f}")
    return not all(reached)


raise SystemExit(main())
