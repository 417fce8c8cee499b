#!/usr/bin/env bash
# Makes the controllers that `make bench-peers` compares tablesync with, where the cache lacks them. Without a Rust
# that can build its peer, a line says so and the rest goes on.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
venv=$("$here/venv.sh")
export PYTHONPATH=$here/..
"$venv/bin/python" -m bench.build >/dev/null
