#!/usr/bin/env bash
# Builds the benchmark programs, measures ferrion beside Proton C, what its C header costs, and how its costs grow:
#   bench/run.sh            the full run
#   bench/run.sh --quick    the same tables with short runs
# Other options go to the runner, see `ferrion-bench run` in bench/src/main.rs. Results: target/bench/results.json,
# border.json and scale.json, and those of the Python package beside python-qpid-proton (bench/python/run.sh): target/bench/python.json.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-test-deps.sh bench
out=target/bench
mkdir -p "$out"
# The Messenger of Proton C is deprecated and the only one there is to compare with.
# shellcheck disable=SC2046 # the flags are words
cc -std=gnu11 -O2 -Wall -Wextra -Wno-deprecated-declarations -o "$out/proton-bench" bench/proton/*.c \
  $(pkg-config --cflags --libs libqpid-proton)
# fe2o3-amqp is a workspace of its own, with its own lock file.
cargo build --release --locked --manifest-path bench/fe2o3/Cargo.toml --target-dir "$out/fe2o3"
cp "$out/fe2o3/release/fe2o3-bench" "$out/"
printf '#!/bin/sh\nNODE_PATH=%q exec node %q "$@"\n' "$PWD/target/peers/node_modules" "$PWD/bench/rhea/main.js" >"$out/rhea-bench"
chmod +x "$out/rhea-bench"
cargo build --release --locked -p ferrion-bench --target-dir target
target/release/ferrion-bench run --out "$out" "$@"
quick=()
# Those that Python has too.
both=()
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) both+=("$1") quick=("$1") ;;
    --rounds) both+=("$1" "$2") && shift ;;
  esac
  shift
done
bench/abi/build.sh
target/release/ferrion-bench border --out "$out" "${both[@]}"
target/release/ferrion-bench scale --out "$out" "${quick[@]}"
target/release/ferrion-bench plot --out "$out"
exec bench/python/run.sh "${both[@]}"
