#!/bin/sh
# Starts the server, and starts it again when its file has changed.
time() { stat -c %Y-%s server.py; }
while :; do
  python3 server.py &
  server=$!
  before=$(time)
  while [ "$(time)" = "$before" ]; do sleep 1; done
  kill "$server" 2> /dev/null
  wait "$server"
done
