#!/bin/sh
# Runs a container image; see ./run.sh --help. Sets itself up on first use.
set -e

if ! command -v node > /dev/null; then
	echo 'linuxrun: Node 20.19 or later is needed' >&2
	exit 125
fi

# npm runs programs of packages through links.
self=$(readlink -f -- "$0")
exec node "$(dirname -- "$self")/scripts/with-setup.mjs" run "$@"
