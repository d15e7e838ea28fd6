#!/usr/bin/env bash
# Builds ferrion-bench, and target/bench/abi-bench, which does the same work by the C header and the static library.
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p target/bench
"${CARGO:-cargo}" build --release --locked --quiet -p ferrion-bench --target-dir target
# As ffi/install.mk builds it.
"${CARGO:-cargo}" rustc --release --locked --quiet -p ferrion-ffi --lib --crate-type staticlib --target-dir target
# What Rust's standard library needs comes last, as in ffi/install.mk.
cc -std=gnu11 -O2 -Wall -Wextra -Werror -Iinclude -o target/bench/abi-bench bench/abi/*.c bench/proton/work.c \
  target/release/libferrion_ffi.a -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
