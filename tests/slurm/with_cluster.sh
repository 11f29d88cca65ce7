#!/usr/bin/env bash
# Run a command beside a SLURM cluster of its own: slurmctld and two slurmd nodes on loopback.
#   tests/slurm/with_cluster.sh COMMAND...
# Needs root (slurmd starts jobs as their users) and slurm-wlm with munge, which are installed on
# Debian and Ubuntu if they are absent. Where the cluster cannot be had, one line says why, and the
# command is not run. Neither systemd nor cgroups are needed.
set -euo pipefail

MARK="# Written by SpiKernel's tests/slurm/with_cluster.sh"
# The Snakemake plugin drops SLURM_* from the environment, so SLURM_CONF cannot name another place.
ETC=/etc/slurm

skip() {
  echo "SLURM tests skipped: $1"
  exit 0
}

[ "$(id -u)" = 0 ] || skip "root is needed to start a cluster, and on Debian to install slurm-wlm"
[ "$(uname -s)" = Linux ] || skip "Linux is needed"
if ! { command -v slurmctld && command -v slurmd && command -v munged; } >/dev/null; then
  command -v apt-get >/dev/null || skip "install slurmctld, slurmd and munge first"
  echo "Installing slurm-wlm and munge"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends slurm-wlm munge; } >/dev/null ||
    skip "apt-get could not install slurm-wlm and munge"
fi
if [ -e "$ETC/slurm.conf" ] && ! grep -qF "$MARK" "$ETC/slurm.conf"; then
  skip "$ETC/slurm.conf belongs to a cluster, which is left alone"
fi

# One cluster at a time: a second one waits for its turn. What runs beside it does not hold the lock.
exec 9>/tmp/spikernel-slurm.lock
flock 9

HOST=$(hostname -s)
RUN=$(mktemp -d /tmp/spikernel-slurm.XXXXXX)
mkdir -p "$RUN"/{state,spool,log,run} "$ETC"
chmod 755 "$RUN"
unset SLURM_CONF

stop() {
  local file pid
  scancel --user root 2>/dev/null && sleep 1
  for file in "$RUN"/run/*.pid; do
    [ -s "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || continue
    # They write their state while they end.
    for _ in $(seq 50); do [ -e "$file" ] && kill -0 "$pid" 2>/dev/null && sleep 0.1; done
  done
  rm -f "$ETC/slurm.conf" "$ETC/gres.conf"
  rm -rf "$RUN"
}
trap stop EXIT
trap 'exit 1' INT TERM

# munge signs what the parts of the cluster say to each other.
install -d -o munge -g munge -m 755 /run/munge
install -d -o munge -g munge -m 700 /etc/munge /var/lib/munge /var/log/munge
if [ ! -s /etc/munge/munge.key ]; then
  dd if=/dev/urandom of=/etc/munge/munge.key bs=128 count=1 status=none
  chown munge:munge /etc/munge/munge.key
  chmod 400 /etc/munge/munge.key
fi
if ! munge -n >/dev/null 2>&1; then
  su -s /bin/sh munge -c "$(command -v munged) --force" 9>&-
  cp /run/munge/munged.pid "$RUN/run/munged.pid"
  for _ in $(seq 20); do munge -n >/dev/null 2>&1 && break; sleep 0.2; done
fi

# SLURM asks that a GPU be a character device; these two are copies of /dev/null.
mknod "$RUN/gpu1" c 1 3
mknod "$RUN/gpu2" c 1 3
cat >"$ETC/gres.conf" <<EOF
NodeName=node1 Name=gpu File=$RUN/gpu1
NodeName=node2 Name=gpu File=$RUN/gpu2
EOF

# Two nodes of one CPU each: two jobs that run together are on two nodes. The memory is more than
# there is; without cgroups, the accounting plugin stops a job above what it asked for.
cat >"$ETC/slurm.conf" <<EOF
$MARK
ClusterName=toy
SlurmctldHost=$HOST(127.0.0.1)
AuthType=auth/munge
CredType=cred/munge
# A job whose node failed is queued again when its credentials have expired.
AuthInfo=cred_expire=20
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$RUN/state
SlurmdSpoolDir=$RUN/spool/%n
SlurmctldPidFile=$RUN/run/slurmctld.pid
SlurmdPidFile=$RUN/run/slurmd-%n.pid
SlurmctldLogFile=$RUN/log/slurmctld.log
SlurmdLogFile=$RUN/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=3600
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=node1 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=17001 CPUs=1 RealMemory=256000 Gres=gpu:1
NodeName=node2 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=17002 CPUs=1 RealMemory=256000 Gres=gpu:1
PartitionName=cpu Nodes=node[1-2] Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=node[1-2] MaxTime=INFINITE State=UP
EOF

slurmctld -i 9>&-
for node in node1 node2; do
  mkdir -p "$RUN/spool/$node"
  slurmd -N "$node" 9>&-
done
for _ in $(seq 60); do
  [ "$(sinfo --noheader --states idle --format %D --partition cpu)" = 2 ] && break
  sleep 0.5
done
if [ "$(sinfo --noheader --states idle --format %D --partition cpu)" != 2 ]; then
  tail -n 5 "$RUN"/log/*.log >&2
  echo "error: the SLURM cluster did not come up" >&2
  exit 1
fi

# Not called SLURM_*: sbatch and the plugin read or drop those.
SPIKERNEL_TEST_CLUSTER=$RUN "$@" 9>&-
