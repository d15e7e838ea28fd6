#!/usr/bin/env bash
# Runs one step of the tests: a heading, the command, then how long it took. The command's exit code is passed on.
#   scripts/step.sh "what it is" command [argument...]
set -uo pipefail
title="$1"; shift
printf '\n==> %s\n' "$title"
SECONDS=0
"$@"
code=$?
if [ "$code" -eq 0 ]; then
  printf '==> %s: ok (%d s)\n' "$title" "$SECONDS"
else
  printf '==> %s: FAILED with exit code %d (%d s)\n    the command was: %s\n' "$title" "$code" "$SECONDS" "$*" >&2
fi
exit "$code"
