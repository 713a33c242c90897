# SPDX-License-Identifier: BSD-3-Clause
"""Placing experts while a model trains: a training loop that pushes its counts into a predictor, a detector and a
planner. A layer whose load moves is planned every 250 steps, one that is STABLE every 1,000, and experts move where
that pays. A method that is fitted, as arima is, is fitted in the background. The training is a simulated run, whose
data change at step 4,000.

usage: training_loop.py [METHOD]    default auto, which needs no fit"""
import sys
import threading

import numpy as np

import moepredict

STEPS, LAYERS, EXPERTS, RANKS, SLOTS = 6000, 4, 32, 8, 40
HORIZON = 1000      # steps that a placement should last
PLAN_EVERY, PLAN_STABLE_EVERY = 250, 1000
SLOT_COST = 0.28    # of moving one expert, in layer-steps of mean rank load: README.md beside this file computes it
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

class Placement:
    """The map of experts, [layers, slots], and what it brings beside the first one, which is for equal loads."""

    def __init__(self):
        self.first, _, _ = moepredict.rebalance_experts(np.ones((LAYERS, EXPERTS)), SLOTS, 1, 1, RANKS)
        self.map, self.slots_moved, self.peaks = self.first, 0, []

    def observe(self, counts):
        """The peaks of a step: the factor by which its most loaded rank makes each layer slower."""
        self.peaks.append([moepredict.rank_loads(one, counts, RANKS).peak for one in (self.first, self.map)])

    def follow(self, plan):
        """Go to the plan's map. A training runtime would now send the experts of layers with advice, and the state of
        their optimiser, from the ranks that have them to those that need them."""
        self.map = plan.map
        self.slots_moved += int(plan.moved.sum())


def layers_to_plan(states, steps):
    """Those whose turn it is after so many steps, as a mask."""
    if steps % PLAN_STABLE_EVERY == 0:
        return np.ones(LAYERS, bool)
    return (states != moepredict.State.STABLE) & (steps % PLAN_EVERY == 0)


def tell(steps, states, planned, plan):
    print(f"step {steps}: {sum(states == moepredict.State.STABLE)} of {LAYERS} layers STABLE; {sum(planned)} planned, "
          f"{sum(plan.advice)} moved, {plan.moved.sum()} slots", end="")
    if any(plan.advice):
        print(f"; their expected peak {plan.stay[plan.advice].mean():.2f} -> {plan.go[plan.advice].mean():.2f}", end="")
    print()


def main():
    predictor = moepredict.Predictor(METHOD, layers=LAYERS, experts=EXPERTS)
    detector = moepredict.Detector(layers=LAYERS, experts=EXPERTS, horizon=HORIZON)
    planner = moepredict.Planner(layers=LAYERS, experts=EXPERTS)
    placement, fit = Placement(), None
    for step in range(STEPS):
        counts = train_one_step(step)
        placement.observe(counts)
        for handle in (predictor, detector, planner):
            handle.push(counts, step=step)
        steps = step + 1
        if FIT_EVERY and fit is None and steps % FIT_EVERY == 0:
            fit = BackgroundFit(predictor)
        if fit is not None and fit.adopt_if_over(predictor):
            fit = None
        states = detector.layer_states
        planned = layers_to_plan(states, steps)
        if planned.any():
            plan = planner.plan(slots=SLOTS, ranks=RANKS, forecast=predictor.predict(HORIZON), current=placement.map,
                                horizon=HORIZON, slot_cost=SLOT_COST, layers=planned)
            placement.follow(plan)
            tell(steps, states, planned, plan)
    if fit is not None:
        fit.thread.join()
        fit.adopt_if_over(predictor)

    first, placed = np.mean(placement.peaks[PLAN_EVERY:], axis=(0, 2))
    print(f"\nThe loads settled at steps {TRUTH['settled']} and jumped at step {TRUTH['shifts'][0]['first']}.")
    print(f"{placement.slots_moved} slots moved. Peak rank load over the mean in all steps since the first plan: "
          f"{first:.3f} under the first map, {placed:.3f} as placed.")


if __name__ == "__main__":
    main()
