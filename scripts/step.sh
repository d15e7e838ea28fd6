#!/usr/bin/env bash
# Runs one step of the tests: a heading, the command, then how long it took. The command's exit code is passed on.
#   scripts/step.sh "what it is" command [argument...]
# With BESIDE=1 it runs beside another step, which goes before it: it takes the processor when that leaves it idle, and says what it
# has to say at its end.
set -uo pipefail
title="$1"; shift
# The jobs of the make that runs this are not the command's to share.
unset MAKEFLAGS MAKELEVEL MFLAGS
SECONDS=0
if [ -n "${BESIDE:-}" ]; then
  said=$(nice -n 19 "$@" 2>&1)
  code=$?
  printf '\n==> %s\n%s\n' "$title" "$said"
else
  printf '\n==> %s\n' "$title"
  "$@"
  code=$?
fi
if [ "$code" -eq 0 ]; then
  printf '==> %s: ok (%d s)\n' "$title" "$SECONDS"
else
  printf '==> %s: FAILED with exit code %d (%d s)\n    the command was: %s\n' "$title" "$code" "$SECONDS" "$*" >&2
fi
exit "$code"
