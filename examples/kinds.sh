#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which method, on runs unlike those that the LSTM's shipped weights were made from? Prints the errors of the mean as
# Markdown, a row for each run: of all forecasts, and of those of stable layers. Uses the program that the variable REPLAY
# names, or else the replay that run.sh builds.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
if [ -z "${REPLAY:-}" ]; then
    sh "$examples/run.sh" --help >/dev/null
    REPLAY=$examples/../build/examples/examples/replay
fi
# errors OPTION... TRACE: prints the two errors in percent, - if there are no forecasts.
errors() {
    "$REPLAY" "$@" |
        awk '$1 == "all" { all = $6 } $1 == "stable" { stable = $7 } END { print all, length(stable) ? stable : "-" }'
}
# best OPTION... TRACE: prints the two errors of SW_Avg, each with its best window in hindsight, and then those two windows.
best() {
    for window in 50 100 200 300 500 1000 2000; do
        echo "$window $(errors --window $window "$@")"
    done | awk '
        NR == 1 || $2 < all { all = $2; of_all = $1 }
        NR == 1 || $3 < stable { stable = $3; of_stable = $1 }
        END { print all, stable, of_all, stable == "-" ? "-" : of_stable }'
}
# row: reads a line of TRACE, the four numbers of best, and the errors of SW_Avg, ARIMA and the LSTM, two each. Prints them
# as a row with the LSTM's errors relative to those of the best window.
row() {
    awk '
        function more(a, b) { return b == "-" ? "-" : sprintf("%+.0f", 100 * (a / b - 1)) }
        { printf "| `%s` | %s / %s %% (%s / %s) | %s / %s %% | %s / %s %% | %s / %s %% | %s / %s %% |\n",
                 $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, more($10, $2), more($11, $3) }'
}
for horizon in 1000 2000; do
    echo "| error of the mean of the next $horizon steps, all / stable | SW_Avg, best window in hindsight |" \
        "SW_Avg, window 200 | ARIMA(2, 1, 2) | LSTM, shipped weights | against the best window |"
    echo "| --- | --- | --- | --- | --- | --- |"
    for trace in biasfree32-s13 upcycled16-s18 wsd8-s14 early16-s12 ramp16-s11 fine128-s17 ramp8-s21 curriculum16-s16; do
        set -- --horizon $horizon "$examples/data/$trace.npy"
        echo "$trace $(best "$@") $(errors "$@") $(errors --method arima "$@") $(errors --method lstm "$@")" | row
    done
    echo
done
