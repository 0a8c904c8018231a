#!/bin/sh
# Runs a container image; see ./run.sh --help. Sets itself up on first use.
set -e

if ! command -v node > /dev/null; then
	echo 'linuxrun: Node 20.19 or later is needed' >&2
	exit 125
fi

# Node would read these at once, which takes it 40 ms; it is enough when a registry is asked.
if [ -n "$NODE_EXTRA_CA_CERTS" ]; then
	export LINUXRUN_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"
	unset NODE_EXTRA_CA_CERTS
fi

# npm runs programs of packages through links.
self=$(readlink -f -- "$0")
exec node "${self%/*}/scripts/with-setup.mjs" run "$@"
