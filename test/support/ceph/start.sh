#!/usr/bin/env bash
# A Ceph (mon, one OSD in memory, radosgw) on this machine, below STATE: a real S3 on loopback.
set -euo pipefail
D=${1:?state folder}; MONPORT=${MONPORT:-16789}; S3PORT=${S3PORT:-17480}
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
mkdir -p "$D"; cd "$D"; export CEPH_CONF="$D/ceph.conf"
if [ ! -s ceph.conf ]; then
  cat > ceph.conf <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_host = [v2:127.0.0.1:$MONPORT/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_port_min = $((MONPORT+11))
ms_bind_port_max = $((MONPORT+60))
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 0
mon_max_pg_per_osd = 1000
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_class_load_list = *
osd_class_default_list = *
run_dir = $D/run
admin_socket = $D/run/\$name.asok
log_file = $D/log/\$name.log
crash_dir = $D/crash
mon_data = $D/mon
osd_data = $D/osd
mon_cluster_log_file = $D/log/cluster.log
keyring = $D/keyring
pid_file = $D/run/\$name.pid
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$S3PORT
rgw_data = $D/rgw
rgw_dns_name = localhost
rgw_thread_pool_size = 16
rgw_enable_usage_log = false
CONF
  mkdir -p run log crash mon osd rgw
  ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
  ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
  for who in client.rgw osd.0; do ceph-authtool keyring --gen-key -n $who --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null; done
  monmaptool --create --fsid "$(sed -n 's/^fsid = //p' ceph.conf)" --addv a "[v2:127.0.0.1:$MONPORT/0]" --set-min-mon-release 16 --enable-all-features --clobber monmap >/dev/null
  ceph-mon -c ceph.conf --mkfs -i a --monmap monmap --keyring keyring >/dev/null
fi
alive run/mon.a.pid || ceph-mon -c ceph.conf -i a --setuser root --setgroup root
if ! alive run/osd.0.pid; then   # memstore forgets everything: a new OSD store each start
  rm -rf osd/*; U=$(cat /proc/sys/kernel/random/uuid)
  timeout 30 ceph -c ceph.conf osd ls | grep -q '^0$' || timeout 30 ceph -c ceph.conf osd new "$U" 0 >/dev/null
  ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$U" >/dev/null 2>&1
  ceph-osd -c ceph.conf -i 0 --setuser root --setgroup root >/dev/null
fi
if ! alive run/client.rgw.pid; then
  radosgw -c ceph.conf -n client.rgw --setuser root --setgroup root
fi
for _ in $(seq 300); do curl -fsS -o /dev/null "http://127.0.0.1:$S3PORT/" 2>/dev/null && break; sleep 0.2; done
radosgw-admin -c ceph.conf -n client.rgw user info --uid=test >/dev/null 2>&1 || radosgw-admin -c ceph.conf -n client.rgw user create --uid=test --display-name=test --access-key=ledger --secret-key=ledgersecret >/dev/null 2>&1
