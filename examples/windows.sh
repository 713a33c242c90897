#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which window? Prints the errors of SW_Avg over all layers and forecasts as Markdown, a table for each of three runs, by
# window and horizon. Uses the program that the variable REPLAY names, or else the replay that run.sh builds.
set -eu
examples=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
replay() {
    if [ -n "${REPLAY:-}" ]; then "$REPLAY" "$@"; else sh "$examples/run.sh" "$@"; fi
}
# all_layers TRACE WINDOW HORIZON FIELD...: prints these fields of the line "all error % floor % error-of-mean % ..."
error=2 floor=4 error_of_mean=6 floor_of_mean=8 paper_error=10
all_layers() {
    line=$(replay --method sw_avg --window "$2" --horizon "$3" "$examples/data/$1.npy" | grep "^  all")
    shift 3
    for field; do
        echo "$line" | awk -v field="$field" '{ printf " %s %% |", $field }'
    done
}
for trace in small16-seed1 small16-seed2 mid32-seed5; do
    echo "| $trace: window | error, next 1000 | of the mean | paper error | error, next 2000 | of the mean | paper error |"
    echo "| --- | --- | --- | --- | --- | --- | --- |"
    for window in 1 10 100 200 300 1000; do
        printf '| %s |' $window
        all_layers $trace $window 1000 $error $error_of_mean $paper_error
        all_layers $trace $window 2000 $error $error_of_mean $paper_error
        echo
    done
    printf '| floor |'
    for horizon in 1000 2000; do
        all_layers $trace 200 $horizon $floor $floor_of_mean
        printf ' |'
    done
    printf '\n\n'
done
