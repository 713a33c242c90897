# SPDX-License-Identifier: BSD-3-Clause
"""How often the load comes within ARIMA's intervals of 80 and 95 %: of the mean of the next 1,000 steps, and of single
steps, on the bundled traces. Exits with 1 where, on the small16 runs, in the stable part, the former is off by more
than 5 points."""
import numpy as np

import moepredict
from arima_runs import DEFAULT, PAPER, TRACES, TUNED_ON, load, states_at, title

HISTORY, HORIZON, EVERY, TOLERANCE = 3000, 1000, 100, 0.05
PROBABILITIES = (0.025, 0.1, 0.9, 0.975)
INTERVALS = {0.80: (1, 2), 0.95: (0, 3)}  # which of the probabilities they lie between
NORMAL = {0.80: 1.2815515655446004, 0.95: 1.959963984540054}


def psi_weights(phi, theta, count):
    weights = np.zeros(count)
    weights[0] = 1
    for k in range(1, count):
        past = weights[max(k - len(phi), 0):k][::-1]
        weights[k] = phi[:len(past)] @ past + (theta[k - 1] if k <= len(theta) else 0)
    return weights


def formula(predictor):
    """[layers, experts]: the standard error of the mean of the next steps, of the estimates as they are: roots neither
    limited, nor errors calibrated."""
    ahead = -(-HORIZON // predictor.config.arima_bucket)
    errors = np.empty((predictor.layers, predictor.experts))
    for series in np.ndindex(errors.shape):
        model = predictor.arima_model(*series)
        sums = psi_weights(model.phi, model.theta, ahead)
        for _ in range(model.order[1] + 1):
            sums = np.cumsum(sums)
        errors[series] = np.sqrt(model.sigma2 * (sums @ sums)) / ahead
    return errors


def shares_of(counts):
    return counts / counts.sum(axis=2, keepdims=True)


class Seen:
    """What came beside what was said at every origin; in units of the mean load."""

    def __init__(self, counts, config):
        steps, layers, experts = counts.shape
        shares, self.experts = shares_of(counts), experts
        self.origins = np.arange(HISTORY, steps - HORIZON + 1, EVERY)
        self.states = states_at(counts, self.origins)
        self.quantiles, self.errors, self.centre, self.came, self.single = [], [], [], [], []
        last = 0
        with moepredict.Predictor("arima", layers=layers, experts=experts, history=HISTORY, **config) as predictor:
            for origin in self.origins:
                predictor.push(counts[last:origin])
                predictor.fit()
                self.quantiles.append(predictor.predict(HORIZON, quantile=PROBABILITIES))
                self.centre.append(predictor.predict(HORIZON))
                self.errors.append(formula(predictor))
                self.came.append(shares[origin:origin + HORIZON].mean(axis=0))
                steps_ahead = predictor.predict(HORIZON, 1, quantile=PROBABILITIES)
                self.single.append((shares[origin:origin + HORIZON] <= steps_ahead).mean(axis=1))
                last = origin
        self.quantiles, self.single = np.array(self.quantiles), np.array(self.single)
        self.errors, self.centre, self.came = np.array(self.errors), np.array(self.centre), np.array(self.came)

    def of_mean(self, interval, where):
        """Coverage, mean width."""
        lower, upper = (self.quantiles[:, i] for i in INTERVALS[interval])
        return ((lower <= self.came) & (self.came <= upper))[where].mean(), (upper - lower)[where].mean() * self.experts

    def of_formula(self, interval, where):
        half = NORMAL[interval] * self.errors
        return (np.abs(self.came - self.centre) <= half)[where].mean(), 2 * half[where].mean() * self.experts

    def of_steps(self, interval, where):
        lower, upper = (self.single[:, i] for i in INTERVALS[interval])
        return (upper - lower)[where].mean()


def text(coverage, width):
    return f"{100 * coverage:5.1f} % ({width:.3f})"


def print_state(seen, name, where, judged):
    """Returns the intervals that miss the target, and their coverage."""
    missed = []
    for interval in INTERVALS:
        coverage, width = seen.of_mean(interval, where)
        reached = abs(coverage - interval) <= TOLERANCE
        print(f"  {name:9} {where.sum():4} forecasts of layers, {interval:.0%}: {text(coverage, width)}   by the "
              f"formula alone {text(*seen.of_formula(interval, where))}   single steps "
              f"{100 * seen.of_steps(interval, where):5.1f} %"
              + (f"   {'within' if reached else 'MISSED'} {TOLERANCE * 100:.0f} points" if judged else ""), flush=True)
        if judged and not reached:
            missed.append(f"{interval:.0%}: {coverage:.1%}")
    return missed


def print_layers(seen, stable):
    for interval in INTERVALS:
        by_layer = [seen.of_mean(interval, stable & (np.arange(stable.shape[1]) == layer))[0]
                    for layer in range(stable.shape[1]) if stable[:, layer].any()]
        print(f"  stable, by layer, {interval:.0%}: " + "  ".join(f"{100 * coverage:.1f}" for coverage in by_layer))


def print_trace(trace, config):
    """Returns what misses its target."""
    seen, missed = Seen(load(trace), config), []
    print(f"\n{trace}, {title(config)}: {len(seen.origins)} origins")
    stable = seen.states == moepredict.State.STABLE
    for name, where in (("stable", stable), ("transient", ~stable)):
        if where.any():
            judged = name == "stable" and trace in TUNED_ON
            missed += [f"{trace}, {title(config)}, {miss}" for miss in print_state(seen, name, where, judged)]
    print_layers(seen, stable)
    return missed


def main():
    print(f"part of the loads within the interval, of the mean of the next {HORIZON:,} steps (its mean width in units "
          f"of the mean load);\nhistory {HISTORY:,}, refitted at each origin")
    missed = [miss for config in (DEFAULT, PAPER) for trace in TRACES for miss in print_trace(trace, config)]
    print("\ntargets missed: " + ("; ".join(missed) or "none"))
    return bool(missed)


raise SystemExit(main())
