# SPDX-License-Identifier: BSD-3-Clause
# What methods.sh and kinds.sh share. They read this file, which stands in the folder `examples`. An error is of the mean
# over the horizon, in percent; - where there is no forecast.
replay() {
    if [ -n "${REPLAY:-}" ]; then "$REPLAY" "$@"; else sh "$examples/run.sh" "$@"; fi
}
# columns ALL STABLE OPTION... TRACE: prints one number of the row of all layers, and one of that of stable ones.
columns() {
    all=$1 stable=$2
    shift 2
    replay "$@" | awk -v all="$all" -v stable="$stable" '
        $1 == "all" { of_all = $all }
        $1 == "stable" { of_stable = $stable }
        END { print of_all, length(of_stable) ? of_stable : "-" }'
}
# errors OPTION... TRACE: prints two errors, of all forecasts and of those of stable layers.
errors() {
    columns 6 7 "$@"
}
# floors OPTION... TRACE: prints the part of both errors that sampling alone would cause.
floors() {
    columns 8 9 "$@"
}
# best OPTION... TRACE: prints both errors of SW_Avg, each with the window that is best in hindsight, then the two windows.
best() {
    for window in 1 10 30 100 200 300 500 1000; do
        echo "$window $(errors --method sw_avg --window $window "$@")"
    done | awk '
        NR == 1 || $2 < all { all = $2; of_all = $1 }
        NR == 1 || $3 < stable { stable = $3; of_stable = $1 }
        END { print all, stable, of_all, stable == "-" ? "-" : of_stable }'
}
# cell: reads two errors, and two windows if there are any. Prints them as a cell of a table, with the bar that ends it.
cell() {
    awk '{ printf " %s / %s %%%s |", $1, $2, (NF > 2 ? " (" $3 " / " $4 ")" : "") }'
}
