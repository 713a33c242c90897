# SPDX-License-Identifier: BSD-3-Clause
"""Writes golden.txt, what tests/test_arima_*.c compare with, from a folder of results of R.

usage: make.py FOLDER > golden.txt

The folder holds one JSON file per data set, computed by R 4.2.2 (stats::arima), urca 1.3.3, tseries 0.10.53 and forecast
8.20, and exact_fixed_loglik.csv, exact Gaussian likelihoods of the differenced data at fixed parameters that agree with an
evaluation by dense covariance matrices to 1e-14. Left out: fits with seasons, regressors or missing values.
A line is one of these; all but the first belong to the series before:
  series NAME n values
  likelihood p d q log-likelihood phi theta
  fit p d q has-mean phi theta [mean]                             by ML and CSS-ML
  forecast p d q has-mean sigma2 steps phi theta [mean] (step mean standard-error) x steps
  auto p d q has-mean AICc                                        what auto.arima chose, where that has no drift
  kpss level|trend lag statistic p        adf none|level|trend lag statistic p          p: nan where R gives none
"""
import csv
import glob
import json
import os
import sys

folder = sys.argv[1]
fixed = {}
for row in csv.DictReader(open(os.path.join(folder, "exact_fixed_loglik.csv"), encoding="ascii")):
    fixed.setdefault(row["dataset"], []).append(row)


def put(*words):
    print(*(repr(float(w)) if isinstance(w, float) else w for w in words))


def has_mean(order, parameters):
    return int(len(parameters) > order[0] + order[2])


def forecast(order, sigma2, parameters, steps, means, errors):
    if any(not isinstance(x, (int, float)) for x in [*means, *errors, sigma2]):
        return
    put("forecast", *order, has_mean(order, parameters), float(sigma2), len(steps), *map(float, parameters),
        *(float(x) for step in zip(steps, means, errors) for x in step))


KINDS = {"mu": "level", "Level": "level", "tau": "trend", "Trend": "trend", "none": "none", "drift": "level",
         "trend": "trend"}
for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
    data = json.load(open(path, encoding="utf-8"))
    if any(not isinstance(y, (int, float)) for y in data["y"]):
        continue
    put("series", data["name"], len(data["y"]), *map(float, data["y"]))
    for row in fixed.get(data["name"], []):
        put("likelihood", row["p"], row["d"], row["q"], float(row["loglik"]), *map(float, row["params"].split()))
    for fit in data["fits"]:
        if "error" in fit or "xreg" in fit or fit["seasonal"] or fit["method"] == "CSS":
            continue
        coefficients = [float(c) for c in fit["coef"]]
        put("fit", *fit["order"], has_mean(fit["order"], coefficients), *coefficients)
        if fit["method"] == "ML":
            forecast(fit["order"], fit["sigma2"], coefficients, fit["long_h"], fit["long_mean"], fit["long_se"])
    for at in data["fixed_parameter_evaluations"]:
        steps = [1, 2, 5, 10, 20]
        forecast(at["order"], at["sigma2"], at["fixed"], steps, [at["forecast_mean_h1_20"][h - 1] for h in steps],
                 [at["forecast_se_h1_20"][h - 1] for h in steps])
    auto = data["auto_arima_nonseasonal"]
    p, q, d = auto["arma"][0], auto["arma"][1], auto["arma"][5]
    if not (d > 0 and len(auto["coef"]) > p + q):
        put("auto", p, d, q, has_mean((p, d, q), auto["coef"]), float(auto["aicc"]))
    for test in data["stationarity_tests"]:
        if test["test"] in ("kpss", "adf") and isinstance(test.get("stat"), (int, float)):
            p = test.get("p")
            put(test["test"], KINDS[test.get("type", "trend")], test["lag"], float(test["stat"]),
                float(p) if isinstance(p, (int, float)) else float("nan"))
