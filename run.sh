#!/bin/sh
# Runs a container image; see ./run.sh --help. Sets itself up on first use.
set -e

# npm runs programs of packages through links.
self=$(readlink -f -- "$0")
exec node "$(dirname -- "$self")/scripts/with-setup.mjs" run "$@"
