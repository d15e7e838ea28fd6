# ferrion's two commands are `make demo` and `make test`; `make help` lists the rest.
# Each works from a fresh clone on a Debian-like machine that has the Rust toolchain, apt, pip and npm,
# and prints what it installs. Everything that is built or fetched stays under target/,
# but for system packages and a compiler target.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
STEP := scripts/step.sh
# Optional features of the engine, which are tested with everything else, and the engine once more without them.
ALL_OF_IT := ferrion-engine/scram
# What the tests were given by scripts/install-test-deps.sh.
PEERS := . target/peers/env;
# Comes before what needs them; nothing where that has been done.
DEPS := deps
# Two goals at a time: what waits, for a network or a peer, beside what computes.
SIDE_BY_SIDE := --no-print-directory --jobs=2

.PHONY: help demo test deps lint fmt clippy alloc-only unit beside engine-alone doc deny counter instructions instructions-bless conformance fuzz inputs bench bench-quick bench-readme bench-python clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | while IFS=$$'\t' read -r name text; do \
	  printf '  make %-14s %s\n' "$$name" "$$text"; done

demo: ## build the ferrion command and watch 100,000 messages travel, acknowledged, over TCP
	@scripts/install-test-deps.sh build
	$(CARGO) build --release --locked -p ferrion
	target/release/ferrion demo $(DEMO_ARGS)

test: ## everything: lints, unit, integration, interop with real peers, threads, speed, docs, licences
	@scripts/install-test-deps.sh build
	@$(MAKE) $(SIDE_BY_SIDE) deps lint
	@$(MAKE) $(SIDE_BY_SIDE) DEPS= unit beside
	@$(MAKE) --no-print-directory instructions
	@printf '\n==> all of it is green\n'

deps: ## install what the tests need (system packages if missing; Python and npm packages into target/peers)
	@$(STEP) "what the tests need" scripts/install-test-deps.sh test

lint: fmt clippy alloc-only ## formatting and clippy, warnings are errors

fmt:
	@$(STEP) "formatting" $(CARGO) fmt --all --check

clippy:
	@$(STEP) "clippy" $(CARGO) clippy --locked --workspace --all-targets --features $(ALL_OF_IT) -- -D warnings
	@$(STEP) "clippy, engine without optional features" $(CARGO) clippy --locked -p ferrion-engine --all-targets -- -D warnings
	@$(STEP) "clippy, what tests have inside the library" $(CARGO) clippy --locked -p ferrion-ffi --features testing -- -D warnings

alloc-only: ## the engine needs no standard library, only an allocator
	@$(STEP) "engine without the standard library" scripts/alloc-only.sh
	@$(STEP) "the same with SCRAM" scripts/alloc-only.sh --features scram

unit: $(DEPS) ## the tests of every crate, with real peers, the C programs, the Python package, the Ruby gem and the Perl distribution
	@$(PEERS) $(STEP) "tests of the workspace" $(CARGO) test --locked --workspace --features $(ALL_OF_IT) --no-fail-fast

# The tests of the workspace wait for their peers for minutes; these need nobody.
beside: export BESIDE := 1
beside: counter engine-alone doc deny

engine-alone: ## the tests of the engine without optional features
	@$(STEP) "tests of the engine without optional features" $(CARGO) test --locked -p ferrion-engine --no-fail-fast

doc: ## the documentation, with warnings as errors
	@RUSTDOCFLAGS="-D warnings" $(STEP) "documentation" $(CARGO) doc --locked --workspace --features $(ALL_OF_IT) --no-deps

deny: $(DEPS) ## licences, sources, duplicates and advisories of the dependencies
	@$(PEERS) $(STEP) "licences and sources of the dependencies" "$$FERRION_CARGO_DENY" --log-level error check bans licenses sources
	@$(PEERS) $(STEP) "advisories about the dependencies" scripts/advisories.sh

counter:
	@scripts/install-test-deps.sh bench
	@$(STEP) "what counts instructions" bench/abi/build.sh

instructions: counter ## instructions per message on the hot paths: over 5 % more than bench/instructions.json says fails
	@$(STEP) "instructions per message" target/release/ferrion-bench instructions

instructions-bless: ## the same, and write them down as what is expected from now on
	@scripts/install-test-deps.sh bench
	bench/abi/build.sh
	target/release/ferrion-bench instructions --bless

conformance: ## how many of the specification's normative sentences the tests show
	@$(CARGO) run --quiet --locked -p ferrion-tests --example conformance

# What `make fuzz` runs, and for how long; how many inputs `make inputs` makes, and from which seed.
TARGET ?= all
SECONDS ?= 60
INPUTS ?= 1000000
SEED ?= 1

fuzz: ## a fuzz target with libFuzzer: make fuzz TARGET=message SECONDS=600; all of them if none is named
	@scripts/fuzz.sh $(TARGET) $(SECONDS)

inputs: ## a million inputs made from the fuzz targets' corpus, without a fuzzer: make inputs INPUTS=10000000 SEED=2
	$(CARGO) run --release --locked -p ferrion-tests --example inputs -- $(INPUTS) $(SEED)

bench: ## ferrion beside its peers, the full run (some 10 minutes, once all is built)
	@scripts/install-test-deps.sh bench
	bench/run.sh

bench-readme: ## put what the last `make bench` measured into README.md and docs/scale.svg
	target/release/ferrion-bench readme --date "$$(date -r target/bench/results.json +%F)"
	target/release/ferrion-bench plot --to docs/scale.svg

bench-quick: ## the same tables with short runs (about 2 minutes, once all is built)
	@scripts/install-test-deps.sh bench
	bench/run.sh --quick

bench-python: ## the Python package beside python-qpid-proton alone (about 5 minutes)
	bench/python/run.sh

clean: ## remove everything that was built or fetched
	rm -rf target fuzz/target

# `make install PREFIX=... DESTDIR=...`: libraries, headers, command and manual, for pkg-config and CMake.
include ffi/install.mk
