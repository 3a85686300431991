#!/usr/bin/env bash
# Ends daemons by the files with their process numbers, and waits until they are gone: end-daemons.sh FILE...
pids=$(cat "$@" 2>/dev/null)
for pid in $pids; do kill "$pid" 2>/dev/null; done
for _ in $(seq 100); do
  for pid in $pids; do kill -0 "$pid" 2>/dev/null && sleep 0.1 && continue 2; done
  exit 0
done
kill -9 $pids 2>/dev/null
exit 0
