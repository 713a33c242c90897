#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs into a staging folder, and builds and runs programs outside the tree with what pkg-config says, and with CMake: C99
# and C++11, shared and static, as far as they are there.
# usage: check_install.sh BUILD_FOLDER PREFIX LIBDIR CC [CXX], with the source folder as the working directory
set -eu
build=$1 prefix=$2 libdir=$3 cc=$4 cxx=${5:-}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT # which else would end it without the first
trap 'exit 143' TERM
meson install -C "$build" --no-rebuild --destdir "$stage" >"$stage/log" || { cat "$stage/log"; exit 1; }
cp tests/test_header.c tests/test_header.cpp examples/quickstart.c "$stage"
cd "$stage"
export PKG_CONFIG_SYSROOT_DIR="$stage" PKG_CONFIG_PATH="$stage$prefix/$libdir/pkgconfig"
lib=$stage$prefix/$libdir
version=$(pkg-config --modversion moepredict)
strict="-Wall -Wextra -Wpedantic -Werror"

# by_cmake TARGET OPTION...: quickstart.c, linked to the target.
by_cmake() {
    cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.10)
project(user C)
find_package(moepredict 99 QUIET)
if(moepredict_FOUND)
  message(FATAL_ERROR "version $version was taken for 99")
endif()
if(NOT CMAKE_VERSION VERSION_LESS 3.19)
  find_package(moepredict 0...<$version QUIET)
  if(moepredict_FOUND)
    message(FATAL_ERROR "version $version was taken for an older one")
  endif()
  find_package(moepredict 0...$version REQUIRED)
endif()
find_package(moepredict $version REQUIRED)
add_executable(by_cmake quickstart.c)
target_link_libraries(by_cmake $*)
END
    rm -rf cmake
    CC=$cc cmake -G Ninja -S . -B cmake -DCMAKE_PREFIX_PATH="$stage$prefix" >log && cmake --build cmake >>log || { cat log; exit 1; }
    cmake/by_cmake
}

echo "version $version"
if [ -f "$lib/libmoepredict.so" ]; then
    $cc -std=c99 $strict quickstart.c -o c_shared $(pkg-config --cflags --libs moepredict)
    LD_LIBRARY_PATH=$lib ldd ./c_shared | grep -q "$lib/libmoepredict.so.0" || { echo "not linked to the shared library"; exit 1; }
    LD_LIBRARY_PATH=$lib ./c_shared
    if [ -n "$cxx" ]; then
        $cxx -std=c++11 $strict test_header.cpp -o cpp_shared $(pkg-config --cflags --libs moepredict)
        LD_LIBRARY_PATH=$lib ./cpp_shared
    fi
fi
if [ -f "$lib/libmoepredict.a" ]; then
    $cc -std=c99 -static quickstart.c -o c_static $(pkg-config --static --cflags --libs moepredict)
    ./c_static
    [ -z "$cxx" ] || $cxx -std=c++11 -static test_header.cpp -o cpp_static $(pkg-config --static --cflags --libs moepredict)
    [ -z "$cxx" ] || ./cpp_static
    ! command -v cmake >/dev/null || by_cmake moepredict::static -static
fi
! command -v cmake >/dev/null || by_cmake moepredict::moepredict
