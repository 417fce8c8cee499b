#!/usr/bin/env bash
# Prints the path of a Python virtual environment with tests/requirements.txt in
# it, made the first time. Its name is a hash of that file and of the Python it
# was made with, so a change of either makes another one.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/../requirements.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tablesync

say() { printf 'tablesync: %s\n' "$*" >&2; }

# Prints the interpreter, then the key; fails for a Python that is too old or
# (Debian without python3-venv) cannot make environments.
read -r -d '' probe <<'PYTHON' || true
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
import ensurepip, hashlib, venv
with open(sys.argv[1], "rb") as requirements:
    digest = hashlib.sha256(requirements.read())
digest.update(f"{sys.version} {sys.base_prefix}".encode())
print(sys.executable)
print(digest.hexdigest()[:16])
PYTHON

find_python() {
    local name candidate
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        while read -r candidate; do
            if "$candidate" -c "$probe" "$requirements" 2>/dev/null </dev/null; then
                return 0
            fi
        done < <(type -aP "$name" || true)
    done
    say "no python3 of at least 3.11 with venv and ensurepip (Debian: python3-venv) on PATH"
    return 1
}

make_venv() {
    local python=$1 venv=$2
    say "making a Python environment for the tests (once, usually 20 s)"
    rm -rf -- "$venv"
    "$python" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$requirements" >&2
    # Scripts in it carry its path, so it cannot be made elsewhere and renamed:
    # this file says that it is whole.
    touch "$venv/.complete"
    say "the Python environment is ready"
}

is_whole() { [[ -e $1/.complete && -x $1/bin/python ]]; }

found=$(find_python)
{ read -r python && read -r key; } <<<"$found"
venv=$cache/venv-$key

if ! is_whole "$venv"; then
    mkdir -p "$cache"
    exec 9>"$cache/.venv-$key.lock"
    if ! flock --nonblock 9; then
        say "another run is making the Python environment, waiting for it"
        flock 9
    fi
    is_whole "$venv" || make_venv "$python" "$venv"
    exec 9>&-
fi
printf '%s\n' "$venv"
