#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs into a staging folder, and builds and runs programs outside the tree with what pkg-config says: C99 and C++11,
# shared and static.
# usage: check_install.sh BUILD_FOLDER PREFIX LIBDIR CC [CXX], with the source folder as the working directory
set -eu
build=$1 prefix=$2 libdir=$3 cc=$4 cxx=${5:-}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
meson install -C "$build" --no-rebuild --destdir "$stage" >"$stage/log" || { cat "$stage/log"; exit 1; }
cp tests/test_header.c tests/test_header.cpp examples/quickstart.c "$stage"
cd "$stage"
export PKG_CONFIG_SYSROOT_DIR="$stage" PKG_CONFIG_PATH="$stage$prefix/$libdir/pkgconfig"
lib=$stage$prefix/$libdir

echo "version $(pkg-config --modversion moepredict)"
$cc -std=c99 -Wall -Wextra -Wpedantic -Werror quickstart.c -o c_shared $(pkg-config --cflags --libs moepredict)
LD_LIBRARY_PATH=$lib ldd ./c_shared | grep -q "$lib/libmoepredict.so.0" || { echo "not linked to the shared library"; exit 1; }
LD_LIBRARY_PATH=$lib ./c_shared
$cc -std=c99 -static quickstart.c -o c_static $(pkg-config --static --cflags --libs moepredict)
./c_static
if [ -n "$cxx" ]; then
    $cxx -std=c++11 -Wall -Wextra -Wpedantic -Werror test_header.cpp -o cpp_shared $(pkg-config --cflags --libs moepredict)
    LD_LIBRARY_PATH=$lib ./cpp_shared
    $cxx -std=c++11 -static test_header.cpp -o cpp_static $(pkg-config --static --cflags --libs moepredict)
    ./cpp_static
fi
