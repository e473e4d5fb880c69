#!/bin/sh
# Make .venv hold what a lock file says, or say in one sentence why it cannot be done and what cures it.
#
#   tools/setup.sh requirements.lock        what the product needs
#   tools/setup.sh requirements-dev.lock    that, and what its tests and checks need
#
# A stamp in .venv, keyed on the lock's hash, makes the second run a matter of milliseconds.
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv
log=$venv/install.log

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

hash_of() { cksum "$1" | tr -s ' ' '-'; }

need_space() {
    free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$1" ] || stop "This disk has $free_mb MB free and $1 MB are needed: make room and run it again."
}

# Where the environment stands, and which locks it already holds; a moved or copied folder starts anew.
holds() { [ -f "$venv/locks" ] && grep -qxF "$(pwd) $(hash_of "$1")" "$venv/locks"; }

works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        python=$PYTHON
    else
        for python in python3 python3.11 python3.12 python3.13 python3.14; do
            works "$python" && return
        done
        python=python3
    fi
    works "$python" && return
    found=$("$python" -V 2>/dev/null) || found=""
    case $found in
        Python*) stop "Python 3.11 or newer is needed and $python is $found: install a newer one (Debian 12 brings it), or name the one you have: PYTHON=python3.11 make demo." ;;
        *) stop "Python 3.11 or newer is needed and $python is not one: install it (Debian: apt install python3 python3-venv), or name the one you have: PYTHON=python3.11 make demo." ;;
    esac
}

make_venv() {
    find_python
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        stop "This Python cannot make virtual environments: as root, apt install python$version-venv, then run it again."
    rm -rf "$venv"
    "$python" -m venv "$venv" || stop "The environment could not be made in $(pwd)/$venv: the lines above say why."
}

# What went wrong is in the log; the usual three causes get their cure, anything else is shown as it is.
explain() {
    if grep -q 'No space left on device' "$log"; then
        stop "The disk filled up while installing: make room (1 GB is enough) and run it again."
    elif grep -qE 'Failed to establish a new connection|name resolution|Name or service not known|Network is unreachable|timed out|Connection (refused|reset)|ProxyError|versions: none' "$log"; then
        stop "The packages could not be fetched: connect this machine to the network (or set HTTPS_PROXY, or PIP_INDEX_URL to your mirror) and run it again."
    elif grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        stop "A downloaded package is not the one $lock names: clear the cache with $venv/bin/python -m pip cache purge and run it again."
    fi
    tail -n 15 "$log" >&2
    stop "The packages could not be installed: the lines above say why, all of them are in $log."
}

install() {
    : >"$log"
    # uv is quicker where somebody has it; pip, which every Python brings, has the last word.
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock" >>"$log" 2>&1 && return
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 --timeout 30 \
        --only-binary :all: --require-hashes -r "$lock" >"$log" 2>&1
}

mkdir -p var 2>/dev/null || stop "This folder cannot be written to: check the owner of $(pwd), or the free space of its disk."
if command -v flock >/dev/null 2>&1; then
    exec 9>var/setup.lock
    flock 9 # make demo and make test in two terminals set up one after the other
fi

if works "$venv/bin/python"; then
    if holds "$lock"; then
        need_space 100
        exit 0
    fi
    # Scripts in bin/ carry the folder's path; after a move they would start somebody else's Python.
    [ -f "$venv/locks" ] && ! grep -qF "$(pwd) " "$venv/locks" && rm -rf "$venv"
fi
need_space 1024
works "$venv/bin/python" || make_venv
echo "Installing the packages of $lock into $venv (about half a minute) ..."
install || explain
echo "$(pwd) $(hash_of "$lock")" >>"$venv/locks"
# The development set contains the product's own.
if [ "$lock" = requirements-dev.lock ]; then
    echo "$(pwd) $(hash_of requirements.lock)" >>"$venv/locks"
fi
