# SPDX-License-Identifier: BSD-3-Clause
"""A walk through a recorded training run, cell by cell (# %% begins a cell in Jupyter, VS Code and Spyder): the loads,
the detector's states, and the forecasts of every method beside the loads that came. The run is real: a small
transformer whose data change from English to code at step 800, and to Russian and German at step 4,000.
examples/data/README.md describes it.

usage: recorded_run.py [FOLDER]     with matplotlib, two pictures are written to the folder"""
import pathlib
import sys

import numpy as np

import moepredict

if sys.argv[1:] in (["-h"], ["--help"]):
    sys.exit(__doc__)

HORIZON = 1000       # steps between two placements of experts
CHANGES = 800, 4000  # the steps at which the data change
METHODS = sorted(moepredict.methods(), key=lambda method: method != "auto")  # first the one to begin with

# %% The counts: how many tokens each expert was asked to process, in every step and layer
counts = np.load(pathlib.Path(__file__).parent / "data" / "early16-s12.npy")
steps, layers, experts = counts.shape
print(f"{steps} steps, {layers} layers of {experts} experts, {counts[0, 0].sum()} tokens a layer and step\n")

# %% Shares: each layer's sum to 1. The mean load is 1 / experts
shares = counts / counts.sum(axis=2, keepdims=True)
print("The most loaded expert of each layer, in units of the mean load:")
for start, end in ((0, 500), (3000, 4000), (4000, 4100), (7000, 8000)):
    means = shares[start:end].mean(axis=0) * experts
    print(f"  steps {start:4} to {end}: " + "  ".join(f"{means[layer].max():.2f} (expert {means[layer].argmax():2})"
                                                        for layer in range(layers)))

# %% States: push the run into a detector, block by block, and look at each layer's state as a runtime would
detector = moepredict.Detector(layers=layers, experts=experts, horizon=HORIZON)
block = detector.config.block
states = np.empty((steps // block, layers), int)
for number in range(len(states)):
    detector.push(counts[number * block:(number + 1) * block])
    states[number] = detector.layer_states
stable = states == moepredict.State.STABLE
after = stable[CHANGES[1] // block:]
print("\nPart of the run in which each layer was STABLE: " + "  ".join(f"{part:.0%}" for part in stable.mean(axis=0)))
print("Steps after the change of data at 4,000 until each layer was not STABLE any more: " +
      "  ".join(str((1 + block_of_change) * block) for block_of_change in (~after).argmax(axis=0)))

# %% Forecasts: the mean load of the next 1,000 steps from three origins, compared with the load that came. The error is
# in units of each expert's load. No method can know at step 3,500 of the change that lies ahead
print("\nError of the forecast of the mean load, all layers:")
for origin in (3000, 3500, 5000):
    came = shares[origin:origin + HORIZON].mean(axis=0)
    errors = {}
    for method in METHODS:
        with moepredict.Predictor(method, layers=layers, experts=experts) as predictor:
            predictor.push(counts[:origin])
            if method == "arima":
                predictor.fit()
            errors[method] = moepredict.forecast_error(predictor.predict(HORIZON), came)[0].mean()
    print(f"  from step {origin}: " + "  ".join(f"{method} {error:6.1%}" for method, error in errors.items()))

# %% Intervals: the load that the mean of the next 1,000 steps will not exceed in 9 of 10 cases, and how often it did
with moepredict.Predictor(layers=layers, experts=experts) as predictor:  # auto, which needs no fit
    predictor.push(counts[:5000])
    most = predictor.predict(HORIZON, quantile=0.9)
print(f"\nFrom step 5000, {(shares[5000:5000 + HORIZON].mean(axis=0) <= most).mean():.0%} of the experts' mean loads "
      f"were within auto's 90 % quantile")

# %% A backtest: forecasts along the whole run, every 100 steps, by the state of the layer when they were made. arima is
# fitted every 1,000 steps on the history so far; auto and lstm have the library's weights, trained on two other runs
results = {method: moepredict.backtest(method, counts, horizon=HORIZON, every=100,
                                       refit_every=10 if method == "arima" else 0) for method in METHODS}
of_windows = [moepredict.backtest("sw_avg", counts, horizon=HORIZON, every=100, sw_avg_window=window)
              for window in (1, 10, 30, 100, 200, 300, 500, 1000)]
results["best window in hindsight"] = min(of_windows, key=lambda result: np.nanmean(result.error_of_mean))
origins = results["auto"].origins
was_stable = stable[origins // block - 1]
change_ahead = np.any([(origins < change) & (change < origins + HORIZON) for change in CHANGES], axis=0)[:, None]
groups = {"STABLE": was_stable & ~change_ahead, "TRANSIENT": ~was_stable & ~change_ahead,
          "change ahead": change_ahead & np.ones(layers, bool)}
print("\nError of the mean load over the next 1,000 steps" + "".join(f"{name:>14}" for name in groups))
print(f"{'forecasts, each of one layer':48}" + "".join(f"{chosen.sum():14}" for chosen in groups.values()))
for method, result in results.items():
    known = np.isfinite(result.error_of_mean)
    print(f"{method:48}" + "".join(f"{result.error_of_mean[chosen & known].mean():14.1%}"
                                   for chosen in groups.values()))
floor = results["auto"].floor_of_mean
print(f"{'sampling noise alone':48}" + "".join(f"{floor[chosen].mean():14.1%}" for chosen in groups.values()))

# %% Pictures, where matplotlib is and a folder is given
if len(sys.argv) > 1:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("no pictures: matplotlib is missing")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    blocks = shares[:len(states) * block].reshape(-1, block, layers, experts).mean(axis=1) * experts
    x = np.arange(1, 1 + len(states)) * block

    figure = Figure(figsize=(9, 2 * layers), constrained_layout=True)
    for layer, axis in enumerate(figure.subplots(layers, 1, sharex=True)):
        axis.plot(x, blocks[:, layer], linewidth=0.6)
        axis.fill_between(x, 0, 1, where=stable[:, layer], step="pre", color="#D5F0E3", zorder=-1,
                          transform=axis.get_xaxis_transform())
        for change in CHANGES:
            axis.axvline(change, color="0.4", linewidth=0.8, linestyle="--")
        axis.set(ylabel=f"layer {layer}", xlim=(0, steps))
    axis.set_xlabel("training step")
    figure.suptitle("Load of each expert, in units of the mean load. "
                    "Green: the layer is STABLE. Dashed: the data change")
    figure.savefig(folder / "loads.png", dpi=100)

    figure = Figure(figsize=(9, 4), constrained_layout=True)
    axis = figure.subplots()
    for method, result in results.items():
        axis.plot(origins, 100 * np.median(result.error_of_mean, axis=1), label=method)
    for change in CHANGES:
        axis.axvspan(max(change - HORIZON, 0), change, color="0.9", zorder=-1,
                     label="change of data ahead" if change == CHANGES[0] else None)
    axis.set(xlabel="step of the forecast", ylabel="error, % of the expert's load", yscale="log",
             title="Error of the forecast mean load of the next 1,000 steps, median over the layers")
    axis.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axis.minorticks_off()
    axis.legend()
    figure.savefig(folder / "errors.png", dpi=100)
    print(f"\n{folder / 'loads.png'} and {folder / 'errors.png'} are written")
