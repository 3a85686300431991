#!/usr/bin/env bash
# A Slurm of N nodes on this machine: munged, slurmctld and N slurmd, on loopback, all below STATE.
# usage: start.sh STATE [NODES]; then export SLURM_CONF=STATE/slurm.conf
set -euo pipefail
S=${1:?state folder}; N=${2:-3}; CTLPORT=${CTLPORT:-16817}; BASE=${BASE:-16820}
mkdir -p "$S"/{munge,ctld,log,run}; chmod 700 "$S/munge"
H=$(hostname -s)
[ -s "$S/munge/key" ] || { (umask 077; head -c 1024 /dev/urandom > "$S/munge/key"); chmod 400 "$S/munge/key"; }
cat > "$S/slurm.conf" <<CONF
ClusterName=ledger
SlurmctldHost=$H(127.0.0.1)
SlurmctldPort=$CTLPORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$S/munge/sock,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$S/ctld
SlurmdSpoolDir=$S/spool.%n
SlurmctldPidFile=$S/run/slurmctld.pid
SlurmdPidFile=$S/run/slurmd.%n.pid
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
InactiveLimit=0
KillWait=2
MinJobAge=300
CompleteWait=0
MaxArraySize=10001
SlurmdParameters=config_overrides
JobRequeue=1
RequeueExit=75
JobCompType=jobcomp/filetxt
JobCompLoc=$S/log/jobcomp.txt
AccountingStorageType=accounting_storage/none
CONF
for i in $(seq 1 "$N"); do
  echo "NodeName=n$i NodeHostname=$H NodeAddr=127.0.0.1 Port=$((BASE+i)) CPUs=2 RealMemory=2000 State=UNKNOWN" >> "$S/slurm.conf"
done
echo "PartitionName=main Nodes=n[1-$N] Default=YES MaxTime=INFINITE State=UP" >> "$S/slurm.conf"
touch "$S/log/jobcomp.txt"
export SLURM_CONF="$S/slurm.conf"
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
alive "$S/munge/pid" || { rm -f "$S/munge/sock" "$S/munge/sock.lock"; munged --force --key-file="$S/munge/key" --socket="$S/munge/sock" --pid-file="$S/munge/pid" --seed-file="$S/munge/seed" --log-file="$S/munge/log"; }
alive "$S/run/slurmctld.pid" || slurmctld -f "$SLURM_CONF"
for i in $(seq 1 "$N"); do
  alive "$S/run/slurmd.n$i.pid" || slurmd -f "$SLURM_CONF" -N "n$i"
done
for _ in $(seq 1 150); do
  [ "$(sinfo -h -N -t idle,mixed,alloc -o %N 2>/dev/null | wc -l)" -ge "$N" ] && exit 0; sleep 0.2
done
echo "slurm did not come up; see $S/log" >&2; sinfo -N -l >&2 || true; exit 1
