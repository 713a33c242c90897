# SPDX-License-Identifier: BSD-3-Clause
"""AUTO's forecasts in NumPy, in double precision and for many origins at once. tests/data/auto/make.py makes golden
numbers with it.

A layer's forecast at step t is sum over k of w_k f_k, brought to sum 1. Blocks of 50 steps end at the multiples of 50;
block i ends at step 50 i.

    f_k   the means of the last min(w, since, t) steps, w of CUT; of the last min(w, t), w of UNCUT; the network's
          rows; 1 / experts. `since`: the steps since the layer's last jump
    w_k   p_k exp(-5 S_k) / sum, with S of the last block end. The network has no weight before step 100
    S_k   at the block end i: 2^(-50/200) S_k + sum over q of c_q l_k / (mean over k of l_k), where the forecast of the
          block end j = i - q/50 >= 2, of its next 1,000 steps, meets the mean a of the q steps from j to i:
          l_k = mean over e of |f_k,e - a_e| / max(a_e, 0.1 / experts).
          Nothing is added where the mean of l_k is 1e-6 or less, which is rounding

A mean of steps counts the steps of the running block, and of the oldest block, which it may cover in part only, that
part of the block's sum."""
import re

import numpy as np

BLOCK = 50
CUT, UNCUT = (50, 100, 300, 1000, 2000), (300, 1000, 2000)
NAMES = tuple(f"{w} cut" for w in CUT) + tuple(f"{w}" for w in UNCUT) + ("network", "uniform")
NETWORK = NAMES.index("network")
PRIOR = np.array([0.55 / (len(CUT) + len(UNCUT))] * (len(CUT) + len(UNCUT)) + [0.40, 0.05])
SCORED = {50: 0.20, 100: 0.30, 200: 0.25, 500: 0.25}  # steps after a block end, and the weight of their score
HALF_LIFE, RATE, SCORED_HORIZON = 200, 5, 1000
NETWORK_FROM, MIN_SHARE, LEAST_LOSS = 100, 1e-9, 1e-6


# ---- the network --------------------------------------------------------------------------------------------------

class Network:
    """The LSTM's network without recurrent layers. The parameters are W1 [16, 32] of 7 features, which zeros follow,
    W2 [32, 5, 48] and b [5, 48], of 4 logits and a residual for each of 40 spans ahead."""
    FEATURES, HIDDEN, SPANS, SPAN, WINDOWS = 16, 32, 40, 50, (20, 100, 500, 2000)

    def __init__(self, parameters):
        first, last, bias = np.split(np.asarray(parameters, float), [self.FEATURES * self.HIDDEN, -5 * 48])
        self.first = first.reshape(self.FEATURES, self.HIDDEN)[:7]
        self.last = last.reshape(self.HIDDEN, 5, 48)[..., :self.SPANS]
        self.bias = bias.reshape(5, 48)[:, :self.SPANS]

    def spans(self, means, age):
        """[..., experts, spans] from the means [..., experts, windows] and the age of the run, [...]."""
        logs = np.log(np.maximum(means, MIN_SHARE))
        load = logs[..., 1] + np.log(means.shape[-2])
        ages = np.log(np.clip(age, 100, 10000) / 1000)[..., None]
        x = np.concatenate([np.clip(logs - logs[..., 1:2], -2, 2), np.clip(load, -4, 4)[..., None],
                            np.broadcast_to(ages, load.shape)[..., None], np.ones((*load.shape, 1))], axis=-1)
        y = np.tensordot(np.tanh(x @ self.first), self.last, 1) + self.bias
        weights = np.exp(y[..., :4, :] - y[..., :4, :].max(axis=-2, keepdims=True))
        mixture = (weights * means[..., None]).sum(axis=-2) / weights.sum(axis=-2)
        return mixture * np.exp(np.clip(y[..., 4, :], -1, 1))


def shipped(path):
    """The parameters of this network in the C file of shipped weights, whose numbers are multiples of 1 / 4096."""
    with open(path, encoding="utf-8") as file:
        numbers = re.search(r" head\[\] = \{([^}]*)\}", file.read()).group(1)
    return np.array([int(number) for number in numbers.split(",") if number.strip()]) / 4096


def shares_of_spans(first, last):
    """The part of each of the network's spans in the mean of the steps first .. last - 1 ahead; the last span goes on
    for ever."""
    ends = np.arange(1, Network.SPANS + 1) * float(Network.SPAN)
    starts, ends[-1] = ends - Network.SPAN, np.inf
    return np.maximum(np.minimum(ends, last) - np.maximum(starts, first), 0) / (last - first)


# ---- jumps --------------------------------------------------------------------------------------------------------

SIDES, KEPT, LEAST_JUMP, TIMES, LEAST_OTHERS = (1, 2), 40, 0.08**2, 16, 4


def jumped(distances, steps, side, experts):
    """Whether the last `side` blocks of a layer jumped. From blocks 0 .. n - 1: the squared distances between each
    block and the one before, and between each `side` blocks and those before."""
    if len(steps) < 4 * side + LEAST_OTHERS - 1:
        return False
    noise = steps[1:].mean() / side
    excess = np.maximum(distances[2 * side - 1:] - noise, 0) * experts
    return excess[-1] > LEAST_JUMP and excess[-1] > TIMES * excess[:-2 * side].mean()


def steps_since_jump(means):
    """[ends, layers], for the start of the run and every block end, from the means [blocks, layers, experts]."""
    blocks, layers, experts = means.shape
    sums = np.concatenate([np.zeros_like(means[:1]), np.cumsum(means, axis=0)])
    since, distances = np.zeros((blocks + 1, layers), int), {}
    for side in SIDES:
        difference = np.zeros_like(means)
        difference[2 * side - 1:] = (sums[2 * side:] - 2 * sums[side:-side] + sums[:-2 * side]) / side
        distances[side] = (difference**2).sum(axis=2)
    for layer in range(layers):
        start = 0
        for end in range(1, blocks + 1):
            of = slice(max(start, end - KEPT), end)
            for side in SIDES:
                if jumped(distances[side][of, layer], distances[1][of, layer], side, experts):
                    start = end - side
                    break
            since[end, layer] = BLOCK * (end - start)
    return since


# ---- AUTO ---------------------------------------------------------------------------------------------------------

class Auto:
    """AUTO on a whole run, counts [steps, layers, experts]."""

    def __init__(self, counts, network):
        shares = counts / counts.sum(axis=2, keepdims=True)
        self.sums = np.concatenate([np.zeros_like(shares[:1]), np.cumsum(shares, axis=0)])
        self.network = network
        self.ends = np.arange(0, len(counts) + 1, BLOCK)
        self.since = steps_since_jump(np.diff(self.sums[self.ends], axis=0) / BLOCK)
        self.scores = self._scores()

    def _sums_at(self, first, at):
        """The sums before the step `first` [origins, layers] as they are known at the step `at` [origins, 1]."""
        layers = np.arange(self.sums.shape[1])
        before = first // BLOCK * BLOCK
        after = np.minimum(before + BLOCK, at)
        part = (first - before) / np.maximum(after - before, 1)
        return self.sums[before, layers] + part[..., None] * (self.sums[after, layers] - self.sums[before, layers])

    def mean(self, at, steps):
        """[origins, layers, experts]: the mean of the last `steps` [origins, layers]."""
        steps = np.maximum(np.minimum(steps, at[:, None]), 1)
        first = np.broadcast_to(at[:, None] - steps, (len(at), self.sums.shape[1]))
        return (self.sums[at] - self._sums_at(first, at[:, None])) / steps[..., None]

    def since_at(self, at):
        """The steps since the last jump, [origins, layers]."""
        return self.since[at // BLOCK] + (at % BLOCK)[:, None]

    def spans(self, at):
        """The network's forecasts, [origins, layers, experts, spans]."""
        since = self.since_at(at)
        means = np.stack([self.mean(at, np.minimum(w, since)) for w in Network.WINDOWS], axis=-1)
        spans = self.network.spans(means, np.broadcast_to(at[:, None], since.shape))
        return spans / spans.sum(axis=2, keepdims=True)

    def candidates(self, at, first, last):
        """[candidates, origins, layers, experts]: forecasts of the mean of the steps first .. last - 1 ahead."""
        since = self.since_at(at)
        steps = [np.minimum(w, since) for w in CUT] + [np.full_like(since, w) for w in UNCUT]
        network = self.spans(at) @ shares_of_spans(first, last)
        return np.array([self.mean(at, w) for w in steps] + [network, np.full_like(network, 1 / network.shape[2])])

    def losses(self, steps):
        """[ends, layers, candidates] of the forecasts of the block ends, relative to their mean over the candidates;
        NaN where none is known."""
        losses = np.full((len(self.ends), self.sums.shape[1], len(NAMES)), np.nan)
        known = np.flatnonzero((self.ends >= NETWORK_FROM) & (self.ends + steps <= self.ends[-1]))
        at = self.ends[known]
        came = (self.sums[at + steps] - self.sums[at]) / steps
        errors = np.abs(self._forecasts[:, known] - came) / np.maximum(came, 0.1 / came.shape[2])
        losses[known] = np.moveaxis(errors.mean(axis=-1), 0, -1)
        mean = losses.mean(axis=-1, keepdims=True)
        return np.where(mean <= LEAST_LOSS, 0, losses / np.maximum(mean, LEAST_LOSS))

    def _scores(self):
        """[ends, layers, candidates]"""
        self._forecasts = self.candidates(self.ends, 0, SCORED_HORIZON)
        losses = {steps: self.losses(steps) for steps in SCORED}
        scores = np.zeros((len(self.ends), self.sums.shape[1], len(NAMES)))
        for end in range(1, len(self.ends)):
            scores[end] = 2**(-BLOCK / HALF_LIFE) * scores[end - 1]
            for steps, weight in SCORED.items():
                if end - steps // BLOCK >= NETWORK_FROM // BLOCK:
                    scores[end] += weight * losses[steps][end - steps // BLOCK]
        return scores

    def weights(self, at):
        """[origins, layers, candidates]"""
        scores = self.scores[at // BLOCK]
        weights = PRIOR * np.exp(-RATE * (scores - scores.min(axis=-1, keepdims=True)))
        weights[at < NETWORK_FROM, :, NETWORK] = 0
        return weights / weights.sum(axis=-1, keepdims=True)

    def row(self, at, first, last):
        """[origins, layers, experts]: the forecast of the mean of the steps first .. last - 1 ahead of each origin."""
        mixture = np.einsum("olk,kole->ole", self.weights(at), self.candidates(at, first, last))
        return mixture / mixture.sum(axis=-1, keepdims=True)
