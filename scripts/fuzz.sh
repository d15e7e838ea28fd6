#!/usr/bin/env bash
# Runs a fuzz target for some seconds, or all of them, each for as long, and says how much of the code each has reached.
#   scripts/fuzz.sh TARGET|all [SECONDS]
#
# Needs cargo-fuzz (built into target/tools if it is not there) and a nightly compiler (installed by rustup if it is not there).
# What is new goes to fuzz/target/corpus/TARGET; what fails to fuzz/artifacts/TARGET, and is an error.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-all}
seconds=${2:-60}
tools="$PWD/target/tools"
export PATH="$tools/bin:$PATH"

die() { printf 'fuzz: %s\n' "$*" >&2; exit 1; }

targets() { ls fuzz/fuzz_targets | sed 's/\.rs$//'; }

toolchain() {
  cargo +nightly --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || die "no nightly compiler, and no rustup to install one with"
  echo "installing: a nightly compiler (rustup toolchain install nightly --profile minimal)"
  rustup toolchain install nightly --profile minimal
}

cargo_fuzz() {
  cargo fuzz --version >/dev/null 2>&1 && return
  echo "installing: cargo-fuzz, into target/tools"
  cargo install --quiet --locked --root "$tools" cargo-fuzz
}

# The last line of libFuzzer's says what was reached, one of the first how much there is.
report() {
  local log=$1 reached all runs
  reached=$(grep -oE 'cov: [0-9]+' "$log" | tail -1 | grep -oE '[0-9]+' || echo 0)
  all=$(grep -oE '\([0-9]+ inline 8-bit counters\)' "$log" | head -1 | grep -oE '[0-9]+' | head -1 || echo 0)
  runs=$(grep -oE 'Done [0-9]+ runs' "$log" | grep -oE '[0-9]+' || echo 0)
  printf '==> %-14s %12s inputs, %6s of %s edges reached\n' "$2" "$runs" "$reached" "$all"
}

run() {
  local name=$1 new="fuzz/target/corpus/$1" log="fuzz/target/$1.log"
  mkdir -p "$new"
  # Ten seconds are an eternity for any of them, and 2 GiB are more than any should ever hold.
  (cd fuzz && cargo +nightly fuzz run "$name" "target/corpus/$name" "corpus/$name" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1) >"$log" 2>&1 ||
    { tail -40 "$log" >&2; die "$name failed; the input is in fuzz/artifacts/$name"; }
  report "$log" "$name"
}

toolchain
cargo_fuzz
mkdir -p fuzz/target
if [ "$target" = all ]; then
  for name in $(targets); do run "$name"; done
else
  [ -f "fuzz/fuzz_targets/$target.rs" ] || die "there is no target '$target'; there are: $(targets | tr '\n' ' ')"
  run "$target"
fi
