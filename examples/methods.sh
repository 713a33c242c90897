#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which method? Prints the errors of the mean as Markdown, a row for each method, by run and horizon. ARIMA is fitted every
# 1,000 steps. The LSTM is trained on other runs only. Uses the program that the variable REPLAY names, or else the replay
# that run.sh builds.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
replay() {
    if [ -n "${REPLAY:-}" ]; then "$REPLAY" "$@"; else sh "$examples/run.sh" "$@"; fi
}
# errors TRACE OPTION...: prints two cells, one for each horizon: the error of all forecasts / of those of stable layers.
errors() {
    trace=$1
    shift
    for horizon in 1000 2000; do
        replay --horizon $horizon "$@" "$examples/data/$trace.npy" |
            awk '$1 == "all" { all = $6 } $1 == "stable" { stable = $7 } END { printf " %s / %s %% |", all, stable }'
    done
}
# row NAME OPTION...: prints the row of a method.
row() {
    printf '| %s |' "$1"
    shift
    for trace in small16-seed1 small16-seed2 mid32-seed5; do
        errors $trace "$@"
    done
    echo
}
# lstm_row NAME OPTION...: prints the row of an LSTM that is trained, for each run, on other runs.
lstm_row() {
    printf '| %s |' "$1"
    shift
    first=$examples/data/small16-seed1.npy second=$examples/data/small16-seed2.npy
    errors small16-seed1 --method lstm --train "$second" "$@"
    errors small16-seed2 --method lstm --train "$first" "$@"
    case $* in
    *joint*) printf ' | |' ;; # mid32 has another shape
    *) errors mid32-seed5 --method lstm --train "$first" --train "$second" "$@" ;;
    esac
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
lstm_row "LSTM, trained on other runs"
lstm_row "the same gate without recurrent layers" --layers 0
lstm_row "joint LSTM, the paper's form, trained on the other run" --scope joint --hidden 64
