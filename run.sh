#!/bin/sh
# Runs a container image; see ./run.sh --help. Prepares everything it needs on first use.
set -e

if ! command -v node > /dev/null; then
	echo 'linuxrun: Node 20.19 or later is needed: install one from https://nodejs.org/en/download' >&2
	exit 125
fi

# Node reads this file at every start, which takes 40 ms. linuxrun reads it when it asks a registry.
if [ -n "$NODE_EXTRA_CA_CERTS" ]; then
	export LINUXRUN_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"
	unset NODE_EXTRA_CA_CERTS
fi

# npm starts a package's programs through symbolic links.
self=$(readlink -f -- "$0")
exec node "${self%/*}/scripts/run.cjs" "$@"
