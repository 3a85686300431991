#!/usr/bin/env bash
S=${1:?state folder}
exec bash "$(dirname "$0")/../end-daemons.sh" "$S"/run/client.rgw.pid "$S"/run/osd.0.pid "$S"/run/mon.a.pid
