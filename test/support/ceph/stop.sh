#!/usr/bin/env bash
S=${1:?state folder}
for f in "$S"/run/client.rgw.pid "$S"/run/osd.0.pid "$S"/run/mon.a.pid; do
  [ -s "$f" ] && kill "$(cat "$f")" 2>/dev/null; done; exit 0
