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
    apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
    $apt update
    $apt install -y --no-install-recommends $missing >/dev/null
}

# configure FOLDER OPTION...: from the repository's root; again if anything that it was configured with has changed. Shows
# the log where something fails.
configure() {
    folder=$1
    shift
    made_with="$PWD ${CC:-} ${CXX:-} $*"
    if [ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/made_with" 2>/dev/null)" != "$made_with" ]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        meson setup "$folder" "$@" >"$folder/build.log" 2>&1 || fail "$folder"
        echo "$made_with" >"$folder/made_with"
    fi
}

# build FOLDER OPTION...: configures and compiles.
build() {
    folder=$1
    [ -f "$folder/build.ninja" ] || echo "Building in $folder takes a minute or more; $folder/build.log grows" >&2
    configure "$@"
    ninja -C "$folder" >"$folder/build.log" 2>&1 || fail "$folder"
}

fail() {
    cat "$1/build.log"
    exit 1
}
