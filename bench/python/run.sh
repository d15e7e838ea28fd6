#!/usr/bin/env bash
# Builds the Python package and measures it beside python-qpid-proton:
#   bench/python/run.sh [--quick] [--rounds N]
# Results: target/bench/python.json.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/install-test-deps.sh python
python=target/peers/venv/bin/python
out=target/bench
mkdir -p "$out"
rm -rf "$out/python"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$out/python" ./bindings/python
PYTHONPATH="$out/python" exec "$python" bench/python/run.py "$out/python.json" "$@"
