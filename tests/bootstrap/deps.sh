#!/usr/bin/env bash
# Installs the Debian packages of apt.txt, or of the list beside it that is named,
# as far as they are missing. Where it may not, it names them and fails. TABLESYNC_SKIP_DEPS=1 is for systems that have the same
# things under other names.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'tablesync: %s\n' "$*" >&2; }

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        sed -n 's/ installed$//p' || true)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

install_packages() {
    say "installing $# Debian packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    # Old package lists often do; what is really missing fails below.
    apt-get update -q >&2 || say "apt-get update failed, going on with the lists at hand"
    # Never at the price of a package that is here, such as another MySQL.
    apt-get install -q -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 "$@" >&2
}

[[ ${TABLESYNC_SKIP_DEPS:-} != 1 ]] || exit 0
mapfile -t wanted < <(sed -E 's/#.*//; s/[[:space:]]+//g; /^$/d' "$here/${1:-apt.txt}")

if ! command -v dpkg-query >/dev/null; then
    say "this is not a Debian system. Install what corresponds to these packages, then set" \
        "TABLESYNC_SKIP_DEPS=1: ${wanted[*]}"
    exit 1
fi

mapfile -t missing < <(missing_packages "${wanted[@]}")
((${#missing[@]})) || exit 0

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    say "these packages are missing, and only root can install them (apt-get install):" \
        "${missing[*]}"
    exit 1
fi
install_packages "${missing[@]}"

mapfile -t missing < <(missing_packages "${wanted[@]}")
if ((${#missing[@]})); then
    say "these packages are still missing: ${missing[*]}"
    exit 1
fi
say "all packages are installed"
