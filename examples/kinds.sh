#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which method, on runs that the shipped weights have not learned from? Prints the errors of the mean as Markdown, a row for
# each run: of all forecasts, and of those of stable layers. First come the four runs on which nothing was tuned. ARIMA is
# fitted every 1,000 steps. Uses the program that the variable REPLAY names, or else the replay that run.sh builds.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
. "$examples/errors.sh"
# against: reads the two errors of a method and those of another, and prints how much larger the first are.
against() {
    awk '
        function more(a, b) { return b == "-" ? "-" : sprintf("%+.0f", 100 * (a / b - 1)) }
        { printf " %s / %s %% |", more($1, $3), more($2, $4) }'
}
# table TITLE TRACE...: prints a table of these runs.
table() {
    echo "| $1 | AUTO | SW_Avg, window 200 | ARIMA(2, 1, 2) | LSTM | SW_Avg, best window in hindsight |" \
        "floor | AUTO against the best window |"
    echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
    shift
    for trace; do
        set -- --horizon $horizon "$examples/data/$trace.npy"
        auto=$(errors --method auto "$@") window=$(best "$@")
        printf "| \`$trace\` |"
        echo "$auto" | cell
        for method in sw_avg arima lstm; do
            errors --method $method "$@" | cell
        done
        echo "$window" | cell
        floors --method sw_avg "$@" | cell
        echo "$auto $window" | against
        echo
    done
    echo
}
for horizon in 1000 2000; do
    table "runs that nothing is tuned on: next $horizon steps, all / stable layers" \
        mid32-seed5 curriculum16-s16 fine128-s17 upcycled16-s18
    table "runs that defaults are tuned on: next $horizon steps, all / stable layers" \
        biasfree32-s13 wsd8-s14 early16-s12 ramp16-s11 ramp8-s21
done
