#!/usr/bin/env bash
# Shows that the engine needs no standard library: builds it for a processor without an operating system, for which there is none
# (nor 64-bit pointers, nor 64-bit atomics). What would use `std`, if only through a dependency's default features, does not compile.
# Where the compiler's files for that processor are neither there nor to be had, the build for this machine without the feature
# `std` has to do; it says so, since it would not notice a dependency that brings `std` along.
# Arguments are passed on to cargo: --features NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
# Optimising would show nothing more.
export CARGO_PROFILE_DEV_OPT_LEVEL=0
TARGET=thumbv7em-none-eabihf
ENGINE=(--locked -p ferrion-engine --no-default-features "$@")

is_there() { compgen -G "$(rustc --print target-libdir --target "$TARGET")/libcore-*.rlib" >/dev/null; }

if ! is_there && command -v rustup >/dev/null; then
  echo "alloc-only: installing the compiler's files for $TARGET (rustup target add)"
  rustup --quiet target add "$TARGET" || true
fi
if is_there; then
  "$CARGO" build "${ENGINE[@]}" --target "$TARGET"
  echo "alloc-only: built for $TARGET, which has no standard library"
else
  "$CARGO" check "${ENGINE[@]}"
  echo "alloc-only: NOTE: only checked for this machine; for the whole proof install the Rust target $TARGET"
fi
