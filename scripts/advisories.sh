#!/usr/bin/env bash
# Checks the dependencies against the advisories of RustSec. Where their database cannot be fetched, and no copy of it is there,
# nothing can be said; that is printed, and is no failure, as a build must not depend on somebody else's server.
#   FERRION_CARGO_DENY   the cargo-deny to use
set -uo pipefail
cd "$(dirname "$0")/.."

deny="${FERRION_CARGO_DENY:-cargo-deny}"
if fetched=$(timeout 120 "$deny" --log-level error fetch db 2>&1); then
  exec "$deny" --log-level error check --disable-fetch advisories
fi
printf 'NOT CHECKED: the database of advisories cannot be fetched:\n%s\n' "$(printf '%s\n' "$fetched" | tail -2)"
