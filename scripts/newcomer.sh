#!/usr/bin/env bash
# The way of somebody who has never seen ferrion, from a fresh copy of the tree to programs that talk, in a place of its own:
# `make install` under a prefix, the C examples built by pkg-config, the Python package as a wheel in a new virtual environment, the
# Ruby gem and the Perl modules built, and installed in new folders over what make install left.
#
#   scripts/newcomer.sh PLACE
#
# PLACE is a folder that is made, and emptied first if it is there. By environment variable: PYTHON (python3), and what
# ffi/install.mk takes, such as FERRION_PROFILE and FERRION_TARGET (without it everything is compiled anew, in PLACE).
set -euo pipefail
[ "$#" -eq 1 ] || { echo "usage: $0 PLACE" >&2; exit 2; }
cd "$(dirname "$0")/.."
TREE=$PWD
mkdir -p "$1"
PLACE=$(cd "$1" && pwd)
# Only what this script puts there.
rm -rf "$PLACE/ferrion" "$PLACE/usr" "$PLACE/root" "$PLACE/work" "$PLACE/wheel" "$PLACE/venv" "$PLACE/gems" "$PLACE/perl5"
mkdir -p "$PLACE/ferrion" "$PLACE/work"

step() { printf '==> %s\n' "$*"; }
die() { echo "newcomer: $*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || die "$1 printed '$2' and not '$3'"; }

step "a fresh copy of what is under version control"
git -C "$TREE" ls-files -z | tar -C "$TREE" --null --files-from - --create | tar -C "$PLACE/ferrion" --extract
cd "$PLACE/ferrion"

step "make install"
make --no-print-directory install PREFIX="$PLACE/usr" >"$PLACE/work/install.log" 2>&1 \
  || { cat "$PLACE/work/install.log" >&2; die "make install failed"; }
for file in bin/ferrion include/ferrion.h include/ferrion.hpp lib/libferrion.a lib/libferrion.so lib/pkgconfig/ferrion.pc \
  lib/cmake/ferrion/ferrion-config.cmake share/doc/ferrion/reference.md share/man/man1/ferrion.1 share/man/man1/ferrion-send.1; do
  [ -s "$PLACE/usr/$file" ] || die "$file is not installed"
done
"$PLACE/usr/bin/ferrion" --version

step "the same for a package: DESTDIR"
make --no-print-directory install PREFIX=/usr DESTDIR="$PLACE/root" >"$PLACE/work/destdir.log" 2>&1 \
  || { cat "$PLACE/work/destdir.log" >&2; die "make install with DESTDIR failed"; }
for file in $(cd "$PLACE/usr" && find . ! -type d); do
  [ -e "$PLACE/root/usr/$file" ] || die "$file is missing under DESTDIR"
done
! grep -r --include='*.pc' --include='*.cmake' "$PLACE" "$PLACE/root" || die "a file for a package names the place it was built in"

step "the examples in C"
export PKG_CONFIG_PATH="$PLACE/usr/lib/pkgconfig" LD_LIBRARY_PATH="$PLACE/usr/lib"
for program in recv send serve; do
  # Word splitting is what pkg-config's output is for.
  # shellcheck disable=SC2046
  cc "bindings/c/$program.c" -o "$PLACE/work/$program" $(pkg-config --cflags --libs ferrion)
done

# Starts a program that listens and says on which port, in the background: PORT, and LISTENER to wait for.
listen() {
  local output=$1
  shift
  # Here, and not by who is started: until it is, there would be nothing to be read, or what the last one said.
  : >"$output"
  timeout 300 "$@" >>"$output" &
  LISTENER=$!
  PORT=
  while [ -z "$PORT" ]; do
    kill -0 "$LISTENER" 2>/dev/null || die "$1 ended before it listened"
    PORT=$(sed -n 's/^listening on port //p' "$output")
    [ -n "$PORT" ] || sleep 0.05
  done
}

listen "$PLACE/work/recv.out" "$PLACE/work/recv" '~127.0.0.1:0' 1
expect send "$(timeout 300 "$PLACE/work/send" "127.0.0.1:$PORT/greetings" 'Hello World!')" "Hello World!: accepted"
wait "$LISTENER"
expect recv "$(tail -n 1 "$PLACE/work/recv.out")" "Hello World!"

step "a wheel for Python, in a new virtual environment"
"${PYTHON:-python3}" -m venv "$PLACE/venv"
PIP=("$PLACE/venv/bin/python" -m pip --quiet --disable-pip-version-check)
"${PIP[@]}" wheel --no-deps --wheel-dir "$PLACE/wheel" ./bindings/python
"${PIP[@]}" install --no-index "$PLACE"/wheel/ferrion-*.whl

step "a script in Python asks a program in C"
# Neither the sources nor the library just installed: what is in the wheel is enough.
unset LD_LIBRARY_PATH
listen "$PLACE/work/serve.out" env LD_LIBRARY_PATH="$PLACE/usr/lib" "$PLACE/work/serve" '~127.0.0.1:0' 2
cp bindings/python/examples/request_client.py "$PLACE/work/"
replies=$(cd "$PLACE/work" && timeout 300 "$PLACE/venv/bin/python" request_client.py "127.0.0.1:$PORT/capitals" hello world)
expect request_client.py "$replies" $'hello: HELLO\nworld: WORLD'
wait "$LISTENER"

step "a gem for Ruby, in a new folder of gems"
make --no-print-directory -C bindings/ruby
GEM_HOME="$PLACE/gems" gem install --silent --local --no-document --norc bindings/ruby/ferrion-*.gem

step "a script in Ruby asks a program in C"
listen "$PLACE/work/serve.out" env LD_LIBRARY_PATH="$PLACE/usr/lib" "$PLACE/work/serve" '~127.0.0.1:0' 2
cp bindings/ruby/examples/request.rb "$PLACE/work/"
replies=$(cd "$PLACE/work" && GEM_HOME="$PLACE/gems" timeout 300 ruby request.rb "127.0.0.1:$PORT/capitals" hello world)
expect request.rb "$replies" $'hello: HELLO\nworld: WORLD'
wait "$LISTENER"

step "the modules for Perl, in a new folder"
# What local::lib sets.
export PERL_MM_OPT="INSTALL_BASE=$PLACE/perl5" PERL5LIB="$PLACE/perl5/lib/perl5"
(cd bindings/perl && perl Makefile.PL && make --no-print-directory && make --no-print-directory install) \
  >"$PLACE/work/perl.log" 2>&1 || { cat "$PLACE/work/perl.log" >&2; die "the Perl modules cannot be installed"; }

step "a script in Perl asks a program in C"
listen "$PLACE/work/serve.out" env LD_LIBRARY_PATH="$PLACE/usr/lib" "$PLACE/work/serve" '~127.0.0.1:0' 2
cp bindings/perl/examples/request.pl "$PLACE/work/"
replies=$(cd "$PLACE/work" && timeout 300 perl -w request.pl "127.0.0.1:$PORT/capitals" hello world)
expect request.pl "$replies" $'hello: HELLO\nworld: WORLD'
wait "$LISTENER"

step "all of it works"
