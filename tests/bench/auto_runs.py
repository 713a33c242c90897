# SPDX-License-Identifier: BSD-3-Clause
"""The runs that AUTO is judged on, what is known of each, and predictors that have not learned from it."""
import functools
import pathlib

import numpy as np

import moepredict

DATA = pathlib.Path(__file__).resolve().parents[2] / "examples/data"
FIRST, EVERY, HORIZONS = 300, 50, (1000, 2000)
WINDOWS = 1, 10, 30, 100, 200, 300, 500, 1000

TUNED_ON = ("small16-seed1", "small16-seed2", "early16-s12", "ramp16-s11", "wsd8-s14", "biasfree32-s13", "ramp8-s21")
FINAL = "mid32-seed5", "curriculum16-s16", "fine128-s17", "upcycled16-s18"  # nothing is tuned on these
WITHOUT_SHIFT = {"small16-seed1", "small16-seed2", "wsd8-s14", "biasfree32-s13", "mid32-seed5", "fine128-s17",
                 "upcycled16-s18"}
ONE, TWO = TUNED_ON[:2]  # the shipped weights have learned from these

# Parts of the two, and the one whose weights forecast them. Of a joined run one half is known to the weights.
SPLICED = {
    "spl12": (ONE, "the first, then the second from step 5,000 on"),
    "spl21": (TWO, "800 steps of the second, then the first from its step 4,000 on"),
    "rel1-early": (TWO, "the first, experts in another order from 700 and from 1,500 on"),
    "rel2-3x": (ONE, "the second, experts in another order from 3,000, 6,000 and 7,500 on"),
    "cut1": (TWO, "the first without its first 3,000 steps"),
}
WEIGHTS_OF = {ONE: TWO, TWO: ONE, **{name: weights for name, (weights, _) in SPLICED.items()}}

SIZE = {"steps": 8000, "layers": 4, "experts": 16, "assignments": 8192, "seed": 11}
SIMULATED = {
    "still": {"fluctuation": 0},
    "settling": {},
    "settling, noisy": {"overdispersion": 4},
    "shift at 500": {"shifts": [(500, 0.3)], "overdispersion": 2},
    "shift at 1,000": {"shifts": [(1000, 0.3)], "overdispersion": 2},
    "shift at 5,000": {"shifts": [(5000, 0.3)], "overdispersion": 2},
    "three shifts": {"shifts": [(2000, 0.2), (4000, 0.2), (6000, 0.2)], "overdispersion": 2},
    "ramp of 1,000": {"shifts": [(3000, 0.3)], "shift_ramp": 1000, "overdispersion": 2},
    "ramp of 2,000": {"shifts": [(700, 0.5)], "shift_ramp": 2000, "overdispersion": 2},
    "drift": {"drift": 0.05, "overdispersion": 2},
    "strong drift": {"drift": 0.2, "overdispersion": 2},
    "bursts": {"bursts": 30, "burst_length": 50, "overdispersion": 2},
    "exchanges": {"exchanges": 12, "exchange_length": 800, "overdispersion": 2},
}
# Outside the promise: loads that any long window knows to 0.02 %; one expert after the other for 150 steps, in a cycle
# of 2,400, of which the next 500 steps say nothing; two data sets that take turns every 500 steps.
TURN = 500
OUTSIDE = {
    "still, 524,288 tokens": {"fluctuation": 0, "assignments": 524288},
    "hotspot": {"hotspot": 2, "hotspot_steps": 150, "overdispersion": 2},
    "two in turn": {"fluctuation": 0, "overdispersion": 2},
}
GROUPS = {"tuning": TUNED_ON, "final": FINAL, "spliced": tuple(SPLICED), "simulated": tuple(SIMULATED),
          "outside": tuple(OUTSIDE)}


# ---- counts -------------------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=2)
def trace(name):
    return np.load(DATA / f"{name}.npy")


def relabelled(counts, steps):
    """From each of the steps on the experts of every layer are in another random order."""
    counts, rng = counts.copy(), np.random.default_rng(0)
    for step in steps:
        for layer in range(counts.shape[1]):
            counts[step:, layer] = counts[step:, layer][:, rng.permutation(counts.shape[2])]
    return counts


def spliced(name):
    one, two = trace(ONE), trace(TWO)
    return {"spl12": lambda: np.concatenate([one[:5000], two[5000:]]),
            "spl21": lambda: np.concatenate([two[:800], one[4000:]]),
            "rel1-early": lambda: relabelled(one, (700, 1500)),
            "rel2-3x": lambda: relabelled(two, (3000, 6000, 7500)),
            "cut1": lambda: one[3000:]}[name]()


def in_turn(counts):
    """The experts of every layer change places with their neighbours, back and forth."""
    swapped = counts.reshape(*counts.shape[:2], -1, 2)[..., ::-1].reshape(counts.shape)
    return np.where((np.arange(len(counts)) // TURN % 2 == 0)[:, None, None], counts, swapped)


def counts_of(name):
    if name in SPLICED:
        return spliced(name)
    simulated = {**SIMULATED, **OUTSIDE}
    if name not in simulated:
        return trace(name)
    counts = moepredict.simulate(**{**SIZE, **simulated[name]})[0]
    return in_turn(counts) if name == "two in turn" else counts


# ---- a run --------------------------------------------------------------------------------------------------------

def errors(forecast, actual):
    """mean over the experts of |f - a| / max(a, 0.1 / experts)"""
    return (np.abs(forecast - actual) / np.maximum(actual, 0.1 / actual.shape[-1])).mean(axis=-1)


class Run:
    """Origins, and by horizon: the mean loads that came, [origins, layers, experts], and the errors of the windows,
    [origins, layers]. `stable` tells the layers that the detector calls stable at the origins. A horizon has the
    origins from which it is known."""

    def __init__(self, name):
        self.name, self.counts = name, counts_of(name)
        self.shares = self.counts / self.counts.sum(axis=2, keepdims=True)
        self.sums = np.concatenate([np.zeros_like(self.shares[:1]), np.cumsum(self.shares, axis=0)])
        self.origins = np.arange(FIRST, len(self.counts) - HORIZONS[0] + 1, EVERY)
        self.known = {horizon: np.sum(self.origins + horizon <= len(self.counts)) for horizon in HORIZONS}
        self.actual = {horizon: self._mean(self.origins[:known], horizon) for horizon, known in self.known.items()}
        self.of_windows = {window: self.errors(self._mean(self.origins, -np.minimum(window, self.origins)))
                           for window in WINDOWS}
        self.best = {horizon: min(WINDOWS, key=lambda window: self.of_windows[window][horizon].mean())
                     for horizon in HORIZONS}
        self.stable = self._stable()

    def _mean(self, origins, steps):
        """The mean of the next steps; of the last ones if `steps` is negative."""
        steps = np.broadcast_to(steps, origins.shape)
        return (self.sums[origins + steps] - self.sums[origins]) / steps[:, None, None]

    def _stable(self):
        states, pushed = [], 0
        with moepredict.Detector(layers=self.counts.shape[1], experts=self.counts.shape[2]) as detector:
            for origin in self.origins:
                detector.push(self.counts[pushed:origin])
                pushed = origin
                states.append(detector.layer_states == moepredict.State.STABLE)
        return np.array(states)

    def errors(self, forecasts):
        """{horizon: [origins, layers]} of forecasts of the mean, [origins, layers, experts] or {horizon: of these}."""
        if not isinstance(forecasts, dict):
            forecasts = dict.fromkeys(HORIZONS, forecasts)
        return {horizon: errors(forecasts[horizon][:known], self.actual[horizon])
                for horizon, known in self.known.items()}

    def single_steps(self, forecasts):
        """In stable layers, of the next 1,000 steps: the error of single steps over that of the mean which came."""
        totals, horizon = np.zeros(2), HORIZONS[0]
        for number, origin in enumerate(self.origins):
            stable = self.stable[number]
            came = self.shares[origin:origin + horizon, stable].astype(np.float32)
            for kind, mean in enumerate((forecasts[horizon][number], self.actual[horizon][number])):
                totals[kind] += errors(mean[stable].astype(np.float32), came).sum(dtype=float)
        return totals[0] / totals[1]


# ---- predictors ---------------------------------------------------------------------------------------------------

class Method:
    """A method of the library, whose weights never come from the run that they forecast."""

    def __init__(self, name, learns=True, **config):
        self.name, self.learns, self.config, self.trained = name, learns, config, {}

    def _made(self, counts):
        _, layers, experts = counts.shape
        return moepredict.Predictor(self.name, layers=layers, experts=experts, threads=1, **self.config)

    def predictor(self, run):
        """A new one. The two runs that the shipped weights have learned from have the same shape, as have their
        parts."""
        teacher = WEIGHTS_OF.get(run.name) if self.learns else None
        if not teacher:
            return self._made(run.counts)
        if teacher not in self.trained:
            self.trained[teacher] = self._made(run.counts)
            self.trained[teacher].fit_traces([trace(teacher)])
        return self.trained[teacher].clone()

    def forecasts(self, run, probabilities=()):
        """{horizon: [origins, layers, experts]} of the mean, and {horizon: [origins, probabilities, layers, experts]}
        of its quantiles, where any are asked for."""
        means, quantiles = {horizon: [] for horizon in HORIZONS}, {horizon: [] for horizon in HORIZONS}
        pushed = 0
        with self.predictor(run) as predictor:
            for number, origin in enumerate(run.origins):
                predictor.push(run.counts[pushed:origin])
                pushed = origin
                for horizon in [horizon for horizon in HORIZONS if number < run.known[horizon]]:
                    means[horizon].append(predictor.predict(horizon))
                    if probabilities:
                        quantiles[horizon].append(predictor.predict(horizon, quantile=probabilities))
        return ({horizon: np.array(of_horizon) for horizon, of_horizon in means.items()},
                {horizon: np.array(of_horizon) for horizon, of_horizon in quantiles.items()})
