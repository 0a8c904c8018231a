#!/bin/sh
# Node.js has no image for this processor, but Debian has a package. It is installed once, because this
# container is kept.
command -v node > /dev/null ||
  { apt-get update && apt-get install -y --no-install-recommends nodejs; } || exec bash
exec node --watch server.mjs
