#!/usr/bin/env bash
# Runs three nodes of RabbitMQ on this machine, a cluster with the queue `orders`, until it is told to quit.
# Where they listen is written to target/three-brokers.env, as ONE, TWO and THREE. Then it takes commands, one a line:
#
#   kill N     ends a node (1, 2 or 3) at once, as kill -9 does
#   start N    starts it again, on the data that it left
#   quit       ends all of them
#
# RabbitMQ is what scripts/install-test-deps.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."
# Built as the tests are, so that what they have is not built once more.
cargo build --quiet --locked --workspace --features ferrion-engine/scram --example three_brokers
exec "${CARGO_TARGET_DIR:-target}/debug/examples/three_brokers"
