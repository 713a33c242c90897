#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which method? Prints, as Markdown, the errors of methods by trace and horizon, over all layers and forecasts; ARIMA is
# fitted every 1,000 steps. Runs the replay that run.sh builds, or the one that REPLAY names.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
replay() {
    if [ -n "${REPLAY:-}" ]; then "$REPLAY" "$@"; else sh "$examples/run.sh" "$@"; fi
}
# row NAME OPTION...: the error of the mean of every trace and horizon, all forecasts / those of stable layers.
row() {
    printf '| %s |' "$1"
    shift
    for trace in small16-seed1 small16-seed2 mid32-seed5; do
        for horizon in 1000 2000; do
            replay --horizon $horizon "$@" "$examples/data/$trace.npy" |
                awk '$1 == "all" { all = $6 } $1 == "stable" { stable = $7 } END { printf " %s / %s %% |", all, stable }'
        done
    done
    echo
}
echo "| error of the mean, all / stable | seed1, 1000 | seed1, 2000 | seed2, 1000 | seed2, 2000 | mid32, 1000 | mid32, 2000 |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
for window in 200 500 1000; do
    row "SW_Avg, window $window" --window $window
done
row "ARIMA(2, 1, 2), means of 5 steps" --method arima
row "ARIMA(5, 1, 5), single steps" --method arima --order 5,1,5 --bucket 1
row "ARIMA, order selected, means of 5 steps" --method arima --order select,select,select
