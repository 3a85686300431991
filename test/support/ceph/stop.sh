#!/usr/bin/env bash
# Ends the daemons of a state folder, and waits until they have.
S=${1:?state folder}
pids=$(cat "$S"/run/client.rgw.pid "$S"/run/osd.0.pid "$S"/run/mon.a.pid 2>/dev/null)
for pid in $pids; do kill "$pid" 2>/dev/null; done
for _ in $(seq 100); do
  for pid in $pids; do kill -0 "$pid" 2>/dev/null && sleep 0.1 && continue 2; done
  exit 0
done
kill -9 $pids 2>/dev/null
exit 0
