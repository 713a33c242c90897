#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which method? Prints the errors of the mean as Markdown, a row for each method, by run and horizon. AUTO's network and the
# LSTM are trained on other runs only. ARIMA is fitted every 1,000 steps. Uses the program that the variable REPLAY names,
# or else the replay that run.sh builds.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
. "$examples/errors.sh"
# cells TRACE COMMAND OPTION...: prints what the command tells of the run, a cell for each horizon.
cells() {
    trace=$1
    shift
    for horizon in 1000 2000; do
        "$@" --horizon $horizon "$examples/data/$trace.npy" | cell
    done
}
# row NAME COMMAND OPTION...: prints a row.
row() {
    printf '| %s |' "$1"
    shift
    for trace in small16-seed1 small16-seed2 mid32-seed5; do
        cells $trace "$@"
    done
    echo
}
# trained_row NAME OPTION...: prints the row of a method that is trained, for each run, on other runs.
trained_row() {
    printf '| %s |' "$1"
    shift
    first=$examples/data/small16-seed1.npy second=$examples/data/small16-seed2.npy
    cells small16-seed1 errors --train "$second" "$@"
    cells small16-seed2 errors --train "$first" "$@"
    case $* in
    *joint*) printf ' | |' ;; # mid32 has another shape
    *) cells mid32-seed5 errors --train "$first" --train "$second" "$@" ;;
    esac
    echo
}
echo "| error of the mean, all / stable | seed1, 1000 | seed1, 2000 | seed2, 1000 | seed2, 2000 | mid32, 1000 | mid32, 2000 |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
trained_row "AUTO, trained on other runs" --method auto
row "SW_Avg, window 200" errors --method sw_avg
row "ARIMA(2, 1, 2), means of 5 steps" errors --method arima
row "ARIMA(5, 1, 5), single steps" errors --method arima --order 5,1,5 --bucket 1
row "ARIMA, order selected, means of 5 steps" errors --method arima --order select,select,select
trained_row "LSTM, trained on other runs" --method lstm
trained_row "the same network without recurrent layers" --method lstm --layers 0
trained_row "joint LSTM, the paper's form, trained on the other run" --method lstm --scope joint --hidden 64
row "SW_Avg, best window in hindsight" best
row "floor: sampling alone" floors --method sw_avg
