# SPDX-License-Identifier: BSD-3-Clause
# What the run.sh scripts share; they source it.

# need PACKAGE...: installs the Debian packages that are missing, saying so.
need() {
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian system. If the build fails, install what these Debian packages hold: $*"
        return
    fi
    missing=
    for package; do
        dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null; then
            echo "Debian packages are missing. Install them as root, then try again: apt-get install$missing"
            exit 1
        fi
    fi
    echo "Installing the Debian packages that are missing:$missing"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# build FOLDER OPTION...: configures it if it is new, and builds it, from the repository's root. The log is shown where
# something fails.
build() {
    folder=$1
    shift
    mkdir -p "$folder"
    if { [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@"; } >"$folder/build.log" 2>&1 &&
        ninja -C "$folder" >>"$folder/build.log" 2>&1; then
        return
    fi
    cat "$folder/build.log"
    exit 1
}
