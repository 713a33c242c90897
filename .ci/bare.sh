#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A machine with a compiler, meson and ninja alone: builds see no other program, so no pkg-config and nothing that it
# would find. README's own lines install the library, and a program of the user's is built by pkg-config, by
# CMake and statically. Then as a part of another project, where the sources lie in a folder with a space in its name: debug
# builds of either library alone, benchmarks and all, by every compiler.
set -eu
CDPATH= cd -- "$(dirname "$0")/.."
. .ci/setup.sh
need gcc clang musl-tools libc6-dev binutils meson ninja-build pkg-config cmake
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$scratch/bin"
for tool in sh rm ar as ld cc gcc clang musl-gcc meson ninja; do
    # Not a shim of the user's, which would look for the rest of its kind.
    ln -s "$(PATH=/usr/bin:/bin command -v $tool || command -v $tool)" "$scratch/bin/$tool"
done
HOME=$scratch/home
user=$scratch/user
source="$user/subprojects/the library"
mkdir -p "$HOME" "$source"
# What is in the repository or will be; without git, all but build folders.
if git rev-parse --git-dir >"$scratch/log" 2>&1; then
    git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C "$source"
else
    tar -c --exclude='./build*' --exclude=./.git . | tar -x -C "$source"
fi
cp examples/quickstart.c "$user/program.c"

# bare COMMAND...: runs it where there is nothing else.
bare() {
    env -i PATH="$scratch/bin" HOME="$HOME" REALGCC=gcc ${CC:+CC="$CC"} "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

# readme FIRST LAST: the lines of README.md from one that begins so to the next that begins so.
readme() {
    sed -n "/^$1/,/^$2/p" README.md
}

unset CC CXX CFLAGS LDFLAGS PKG_CONFIG_PATH
echo "README's installation, without anything optional"
install=$(readme 'meson setup build --prefix' 'meson install')
use=$(readme 'export PKG_CONFIG_PATH' 'cc program')
(cd "$source" && bare sh -euc "$install")
(cd "$user" && eval "$use" && ./a.out)
sh tests/check_install.sh "$source/build" "$HOME/moepredict" lib gcc
rm -rf "$source/build"

cat >"$user/meson.build" <<END
project('user', 'c')
executable('program', 'program.c', dependencies: dependency('moepredict', fallback: 'the library'))
END
while read -r CC library; do
    echo "a debug build by $CC, the $library library alone"
    build=$scratch/$CC
    bare meson setup "$build" "$user" -Dbuildtype=debug -Dwerror=true -D"the library:default_library=$library" \
        -D"the library:benchmarks=enabled"
    bare ninja -C "$build"
    "$build/program"
done <<END
gcc static
clang shared
musl-gcc static
END
