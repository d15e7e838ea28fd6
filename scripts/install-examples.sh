#!/usr/bin/env bash
# Installs the example programs of other AMQP libraries into target/peers/examples, from their own packages.
# Idempotent: what is there already is left alone. Nothing is installed into the system.
#
# proton/   Proton's examples in C, C++ and Python, of Debian's libqpid-proton11-dev-examples
# root/     the libraries and headers that those in C and C++ are built with, unpacked
# bin/      those in C and C++, as c-NAME and cpp-NAME
# rhea/     rhea's examples: the last release of its package that has them is 0.2.9. They run on the rhea of the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

EXAMPLES="$PWD/target/peers/examples"
DEBIAN=(libqpid-proton11-dev-examples libqpid-proton11 libqpid-proton11-dev libqpid-proton-cpp12 libqpid-proton-cpp12-dev)
RHEA=rhea@0.2.9
# What rhea's examples read their command lines with.
MINIMIST=minimist@1.2.8
IN_C=(broker send receive direct send-abort)
IN_CPP=(broker client server simple_send simple_recv direct_send direct_recv)

main() {
  mkdir -p "$EXAMPLES/bin"
  rhea
  proton
  build
}

proton() {
  [ ! -d "$EXAMPLES/proton" ] || return 0
  say "unpacking Debian packages: ${DEBIAN[*]}"
  local download="$EXAMPLES/download" package sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  mkdir -p "$download"
  (cd "$download" && { apt-get download -qq "${DEBIAN[@]}" || { $sudo apt-get update -qq && apt-get download -qq "${DEBIAN[@]}"; }; }) \
    2>&1 | { grep -v '^W: Download is performed unsandboxed' >&2 || true; }
  for package in "$download"/*.deb; do dpkg -x "$package" "$EXAMPLES/root"; done
  # Last, as it says that the rest is there.
  mv "$EXAMPLES/root/usr/share/proton/examples" "$EXAMPLES/proton"
  rm -r "$download"
}

build() {
  local name library="$EXAMPLES/root/usr/lib/$(cc -print-multiarch)"
  local flags=(-w -O0 "-I$EXAMPLES/root/usr/include")
  # So that what the libraries stand on is found there too, and not in the system.
  local link=("-L$library" "-Wl,--disable-new-dtags,-rpath,$library" -pthread)
  for name in "${IN_C[@]}"; do
    built "c-$name" cc "${flags[@]}" "$EXAMPLES/proton/c/$name.c" "${link[@]}" -lqpid-proton
  done
  for name in "${IN_CPP[@]}"; do
    built "cpp-$name" g++ "${flags[@]}" "$EXAMPLES/proton/cpp/$name.cpp" "${link[@]}" -lqpid-proton-cpp -lqpid-proton
  done
}

rhea() {
  [ ! -d "$EXAMPLES/rhea" ] || return 0
  say "unpacking npm packages: $RHEA $MINIMIST"
  local new="$EXAMPLES/rhea.new" archive
  rm -rf "$new"
  mkdir -p "$new/node_modules/minimist"
  archive="$(cd "$new" && npm pack --silent "$RHEA")"
  tar -xzf "$new/$archive" -C "$new" --strip-components=2 package/examples
  archive="$(cd "$new" && npm pack --silent "$MINIMIST")"
  tar -xzf "$new/$archive" -C "$new/node_modules/minimist" --strip-components=1
  rm "$new"/*.tgz
  mv "$new" "$EXAMPLES/rhea"
}

# Builds bin/NAME with a command, unless it is there.
built() {
  local file="$EXAMPLES/bin/$1"
  shift
  [ ! -x "$file" ] || return 0
  "$@" -o "$file.new"
  mv "$file.new" "$file"
}

say() { echo "install-examples: $*"; }

main "$@"
