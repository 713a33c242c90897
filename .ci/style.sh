#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The C code is as clang-format 14.0.6 lays it out (other versions differ), and clang-tidy 14 finds nothing in it.
set -eu
CDPATH= cd -- "$(dirname "$0")/.."
. .ci/setup.sh
need gcc meson ninja-build pkg-config libcmocka-dev libgsl-dev libopenblas-dev clang-format-14 clang-tidy-14 git
format=$(command -v clang-format-14 || command -v clang-format)
tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
case $("$format" --version) in
*" 14.0.6"*) ;;
*)
    echo "$format is not version 14.0.6, which .clang-format is for"
    exit 1
    ;;
esac
git ls-files '*.c' '*.h' '*.cpp' | xargs "$format" --dry-run -Werror
configure build/style -Dtests=enabled -Dexamples=enabled -Dgsl=enabled -Dopenblas=enabled
ninja -C build/style build.ninja >/dev/null # again, if a file was added since
git ls-files 'lib/*.c' 'examples/*.c' | xargs -P "$(nproc)" -n 4 "$tidy" --quiet -p build/style 2>/dev/null
echo "clang-format and clang-tidy find nothing"
