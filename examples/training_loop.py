# SPDX-License-Identifier: BSD-3-Clause
"""Placing experts while a model trains: a training loop that pushes its counts, and moves experts where the detector
says that the forecast holds. A method that is fitted, as arima is, is fitted in the background. The training is a
simulated run, whose data change at step 4,000.

usage: training_loop.py [METHOD]    default auto, which needs no fit"""
import sys
import threading

import numpy as np

import moepredict

STEPS, LAYERS, EXPERTS, RANKS = 6000, 4, 32, 8
HORIZON = 1000      # steps that a placement should last
METHOD = sys.argv[1] if len(sys.argv) > 1 else "auto"
FIT_EVERY = 500 if METHOD == "arima" else None  # steps between two fits


# ---- the training, and where its counts come from ----

# With PyTorch the counts of a layer are those of its router's choices, before tokens are dropped:
#     counts = torch.bincount(chosen_experts.flatten(), minlength=EXPERTS)
# In Megatron-Core a forward hook on each TopKRouter sees them: the router returns (probabilities, routing_map), and
# routing_map.sum(0) are the tokens of each expert. Stack the layers, and sum over the ranks that see other tokens:
#     torch.distributed.all_reduce(counts, group=data_parallel_group)
# Every rank then pushes the same counts and comes to the same plan. A CPU tensor can be pushed as it is.

RUN, TRUTH = moepredict.simulate(STEPS, LAYERS, EXPERTS, assignments=8192, skew=0.25, overdispersion=3.0,
                                 shifts=[(4000, 0.25)], seed=3)


def train_one_step(step):
    """Counts (layers, experts), as all_reduce would leave them on every rank."""
    return RUN[step]


# ---- a fit that no training step waits for ----

class BackgroundFit:
    """Fits a clone in a thread of its own. Other threads leave the clone alone until that one has ended."""

    def __init__(self, predictor):
        self.clone, self.fault = predictor.clone(), None
        self.thread = threading.Thread(target=self.fit)
        self.thread.start()

    def fit(self):
        try:
            self.clone.fit()
        except (moepredict.Error, MemoryError) as fault:
            self.fault = fault

    def adopt_if_over(self, predictor):
        if self.thread.is_alive():
            return False
        self.thread.join()
        if self.fault:  # the predictor keeps its old model
            print(f"a fit failed: {self.fault}")
        else:
            predictor.adopt(self.clone)
        self.clone.close()
        return True


# ---- placement ----

def balanced(loads):
    """The rank of each expert of a layer: heaviest first, each to the least loaded rank with a free slot."""
    ranks, rank_loads, free = np.empty(EXPERTS, int), np.zeros(RANKS), np.full(RANKS, EXPERTS // RANKS)
    for expert in np.argsort(-loads):
        rank = np.argmin(np.where(free > 0, rank_loads, np.inf))
        ranks[expert], rank_loads[rank], free[rank] = rank, rank_loads[rank] + loads[expert], free[rank] - 1
    return ranks


def peak(ranks, loads):
    """The largest rank load over the mean rank load: the factor by which that rank makes the layer slower."""
    rank_loads = np.bincount(ranks, loads, RANKS)
    return rank_loads.max() / rank_loads.mean()


class Layer:
    """One layer's placement, and the peaks of its steps in it and with experts in order."""

    IN_ORDER = np.repeat(np.arange(RANKS), EXPERTS // RANKS)

    def __init__(self):
        self.ranks, self.state, self.peaks = self.IN_ORDER, moepredict.State.WARMUP, []

    def observe(self, counts):
        if self.state == moepredict.State.STABLE:
            self.peaks.append((peak(self.IN_ORDER, counts), peak(self.ranks, counts)))

    def react(self, state, forecast):
        """Place the experts by the new state; return the decision in words, or None where nothing changes."""
        before, self.state = self.state, state
        if state == before or state == moepredict.State.TRANSIENT and before == moepredict.State.WARMUP:
            return None
        if state != moepredict.State.STABLE:  # the forecast may not hold
            self.ranks = self.IN_ORDER
            return "experts in order, spare copies wanted"
        self.ranks = balanced(forecast)
        return f"experts moved, forecast peak {peak(self.IN_ORDER, forecast):.2f} -> {peak(self.ranks, forecast):.2f}"


def main():
    predictor = moepredict.Predictor(METHOD, layers=LAYERS, experts=EXPERTS)
    detector = moepredict.Detector(layers=LAYERS, experts=EXPERTS, horizon=HORIZON)
    layers, fit = [Layer() for _ in range(LAYERS)], None
    for step in range(STEPS):
        counts = train_one_step(step)
        predictor.push(counts, step=step)
        detector.push(counts, step=step)
        if FIT_EVERY and fit is None and (step + 1) % FIT_EVERY == 0:
            fit = BackgroundFit(predictor)
        if fit is not None and fit.adopt_if_over(predictor):
            fit = None
        states = detector.layer_states  # cheap; a forecast is only made where a state has changed
        for number, layer in enumerate(layers):
            layer.observe(counts[number])
            if states[number] != layer.state:
                done = layer.react(moepredict.State(states[number]), predictor.predict(HORIZON)[number])
                if done:
                    print(f"step {step}: layer {number} is {layer.state.name}: {done}")
    if fit is not None:
        fit.thread.join()
        fit.adopt_if_over(predictor)

    in_order, placed = np.mean([pair for layer in layers for pair in layer.peaks], axis=0)
    print(f"\nThe loads settled at steps {TRUTH['settled']} and jumped at step {TRUTH['shifts'][0]['first']}.")
    print(f"Peak rank load over the mean in {sum(len(layer.peaks) for layer in layers)} steps of STABLE layers: "
          f"{in_order:.3f} with experts in order, {placed:.3f} as placed.")


if __name__ == "__main__":
    main()
