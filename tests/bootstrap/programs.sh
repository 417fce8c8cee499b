#!/usr/bin/env bash
# Makes what integration tests and the demonstration run and the cache lacks: the
# Kubernetes programs, promtool, the judges of GitOps tools, and Oracle MySQL. Quiet when there is nothing to do.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
venv=$("$here/venv.sh")
export PYTHONPATH=$here/..
"$venv/bin/python" -m cluster.packages >/dev/null
"$venv/bin/python" -m cluster.programs >/dev/null
