# SPDX-License-Identifier: BSD-3-Clause
"""State detectors to compare ours with on whole recorded runs. Each takes a Run and returns by block and layer whether
it calls the layer stable."""
import functools

import numpy as np

BLOCK, WINDOW = 20, 100      # steps, of the earlier rule as of the present one
HORIZON, GROWTH = 1000, 0.3
TOLERANCE, EXPERT_TOLERANCE = 0.10, 0.20


class Run:
    """A run (steps, layers, experts), and the statistics that detectors use."""

    def __init__(self, counts):
        self.counts = counts
        steps, layers, experts = counts.shape
        self.means = np.empty((steps // BLOCK, layers, experts))  # of blocks
        for layer in range(layers):
            whole = self._shares(layer)[:len(self.means) * BLOCK]
            self.means[:, layer] = whole.reshape(-1, BLOCK, experts).mean(axis=1)

    def _shares(self, layer):
        counts = self.counts[:, layer]
        return counts / counts.sum(axis=1, keepdims=True)

    @functools.cached_property
    def deviation(self):
        """(steps, layers): rolling, in units of the mean load."""
        _, layers, experts = self.counts.shape
        return experts * np.stack([rolling_deviation(self._shares(layer), WINDOW) for layer in range(layers)], axis=1)


def rolling_deviation(shares, window):
    """Root mean square over the experts of the standard deviation of the last `window` steps; inf before there are."""
    sums = np.cumsum(shares, axis=0)
    squares = np.cumsum((shares**2).sum(axis=1))
    sums[window:] -= sums[:-window].copy()
    squares[window:] -= squares[:-window].copy()
    variance = (squares / window - ((sums / window)**2).sum(axis=1)) / shares.shape[1]
    variance[:window - 1] = np.inf
    return np.sqrt(np.maximum(variance, 0))


def movement(means, half):
    """D, the mean of the last `half` blocks less that of the `half` before, and the variance V that noise gives it. The
    differences of neighbouring blocks give V. NaN where there are too few blocks."""
    sums = np.concatenate([np.zeros_like(means[:1]), np.cumsum(means, axis=0)])
    squares = np.concatenate([np.zeros_like(means[:1]), np.cumsum(np.diff(means, axis=0)**2 / 2, axis=0)])
    moved, noise = np.full(means.shape, np.nan), np.full(means.shape, np.nan)
    moved[2 * half - 1:] = (sums[2 * half:] - 2 * sums[half:-half] + sums[:-2 * half]) / half
    noise[2 * half - 1:] = (squares[2 * half - 1:] - squares[:1 - 2 * half]) / (2 * half - 1) * 2 / half
    return moved, noise


def hysteresis(enters, leaves, dwell):
    """Stable after `enters` has held for `dwell` blocks, until one of `leaves` does. Each of `leaves` is a pair: the
    blocks that must have passed since the entry, and whether each block exceeds a limit."""
    stable = np.zeros(enters.shape, bool)
    now, blocks_within, entered = stable[0], np.zeros(enters.shape[1:], int), np.zeros(enters.shape[1:], int)
    for block, within in enumerate(enters):
        left = np.any([(block - entered >= reach) & exceeds_limit[block] for reach, exceeds_limit in leaves], axis=0)
        blocks_within = np.where(~now & within, blocks_within + 1, 0)
        now = blocks_within >= dwell if block == 0 else (blocks_within >= dwell) | now & ~left
        entered = np.where(blocks_within >= dwell, block, entered)
        stable[block] = now
    return stable


def growth(half):
    """The growth of a squared drift from windows of `half` blocks to the horizon."""
    return ((half * BLOCK + HORIZON) / (2 * half * BLOCK))**(2 * GROWTH)


def trailing_mean(values, count):
    """The mean of the last `count` values, or of as many as there are."""
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0), axis=0)
    counts = np.cumsum(known, axis=0)
    sums[count:] -= sums[:-count].copy()
    counts[count:] -= counts[:-count].copy()
    return np.where(known, sums / np.maximum(counts, 1), np.nan)


def local_level(run):
    """The library's first rule: a mean of five evaluations, a standard error on entry, three scales, wide
    hysteresis."""
    m, experts, limit = WINDOW // BLOCK, run.means.shape[2], (1.5 * TOLERANCE)**2
    leaves = []
    for scale in (1, 2, 4):
        moved, noise = movement(run.means, scale * m)
        drift = growth(scale * m) * experts * (moved**2 - noise).sum(axis=2)
        standard_error = growth(scale * m) * experts * np.sqrt((2 * noise**2).sum(axis=2))
        leaves.append((2 * m * (scale - 1), drift - 3 * standard_error > limit))
        if scale == 1:
            mean = trailing_mean(drift, m)
            enters = (mean + standard_error <= TOLERANCE**2) & (drift - 3 * standard_error <= limit)
            leaves.append((0, mean - standard_error > limit))
    return hysteresis(enters, leaves, 5)


def local_level_experts(run):
    """As local_level, for single experts."""
    m, experts = WINDOW // BLOCK, run.means.shape[2]
    leaves = []
    for scale in (1, 2):
        moved, noise = movement(run.means, scale * m)
        certain = np.sqrt(growth(scale * m)) * experts * (np.abs(moved) - 4 * np.sqrt(noise))
        leaves.append((2 * m * (scale - 1), certain > 1.5 * EXPERT_TOLERANCE))
        if scale == 1:
            scale = growth(m) * experts**2
            enters = trailing_mean(scale * (moved**2 - noise), m) + scale * noise <= EXPERT_TOLERANCE**2
    return hysteresis(enters, leaves, 5)


def always(run):
    return np.ones(run.means.shape[:2], bool)


def fixed_deviation(limit):
    """A reading of the paper's plots: stable while the variance over 100 steps has been low for 100 steps."""
    def detect(run):
        low = np.cumsum(run.deviation <= limit, axis=0)
        low[WINDOW:] -= low[:-WINDOW].copy()
        return (low == WINDOW)[BLOCK - 1::BLOCK][:len(run.means)]
    return detect


def variance_ratio(run):
    """An F-ratio: the squared movement between two windows of 200 steps over the part that noise causes, smoothed. It
    has no tolerance."""
    half = 10
    moved, noise = movement(run.means, half)
    ratios = (moved**2).sum(axis=2) / noise.sum(axis=2)
    smoothed = np.full(ratios.shape, np.nan)
    for block in range(2 * half - 1, len(ratios)):
        before = smoothed[block - 1] if block >= 2 * half else ratios[block]
        smoothed[block] = before + (ratios[block] - before) / half
    return hysteresis(smoothed <= 2, [(0, smoothed > 3)], 5)


def page_hinkley(run, slack=0.5, limit=8.0, patience=20, start=10):
    """Two-sided, on each expert's block means in units of their noise; a layer is stable where nine in ten experts have
    raised no alarm for `patience` blocks."""
    blocks = run.means
    stable = np.zeros(blocks.shape[:2], bool)
    shape = blocks.shape[1:]
    mean, count, up, down, noise = (np.zeros(shape) for _ in range(5))
    alarm = np.zeros(shape, int)
    for block in range(len(blocks)):
        if block > 0:
            noise += ((blocks[block] - blocks[block - 1])**2 / 2 - noise) / min(block, 40)
        count += 1
        mean += (blocks[block] - mean) / count
        if block < start:
            continue
        score = (blocks[block] - mean) / np.sqrt(np.maximum(noise, 1e-18))
        up, down = np.maximum(up + score - slack, 0), np.maximum(down - score - slack, 0)
        alarmed = (np.maximum(up, down) > limit) & (count > start)
        alarm[alarmed] = block
        for state in (count, mean, up, down):
            state[alarmed] = 0
        stable[block] = (block - alarm >= patience).mean(axis=1) >= 0.9
    return stable
