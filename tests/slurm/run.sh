#!/bin/sh
# A sweep as a Slurm job array against the same sweep run here: the tables must be the same bytes. Sets
# up a Slurm of its own for the test, on this machine and as root: a munge daemon, a controller and one
# node, in a temporary folder and without systemd, and ends them again. Nothing else is touched.
#   tests/slurm/run.sh path/to/dvmsim
# Needs Debian's slurmctld, slurmd, slurm-client and munge; without them, or not as root, exit code 77.
set -eu
dvmsim=$(realpath "$1")
study=$(realpath "$(dirname "$0")/study.yaml")

if [ "$(id -u)" -ne 0 ]; then
  echo "slurm test: skipped, it needs root"
  exit 77
fi
PATH=$PATH:/usr/sbin
for program in munged slurmctld slurmd sbatch squeue scontrol; do
  command -v $program >/dev/null || { echo "slurm test: skipped, $program is not there"; exit 77; }
done

folder=$(mktemp -d /tmp/dvmsim-slurm.XXXXXX)
munge='' controller='' node=''
finish() {
  code=$?
  [ $code -eq 0 ] || tail -n 20 "$folder"/*.log >&2
  for process in $node $controller $munge; do kill "$process" 2>/dev/null || true; done
  for process in $node $controller $munge; do wait "$process" 2>/dev/null || true; done
  rm -rf "$folder"
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

port=$((20000 + $$ % 20000)) # another test may run beside this one
host=$(hostname -s)
processors=$(nproc)
mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
chmod 755 "$folder"
dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 2>/dev/null
chmod 600 "$folder/munge/key"
cat >"$folder/slurm.conf" <<END
ClusterName=dvmsim
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 20000))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$processors State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$folder/slurm.conf"

munged --foreground --force --socket="$folder/munge/socket" --key-file="$folder/munge/key" \
  --pid-file="$folder/munge/pid" --log-file="$folder/munged.log" --seed-file="$folder/munge/seed" \
  >"$folder/munged-out.log" 2>&1 &
munge=$!
slurmctld -D -i >"$folder/slurmctld.log" 2>&1 &
controller=$!
slurmd -D -N "$host" >"$folder/slurmd.log" 2>&1 &
node=$!

wait_for() { # seconds, what, command
  seconds=$1 what=$2
  shift 2
  until "$@"; do
    seconds=$((seconds - 1))
    [ $seconds -gt 0 ] || { echo "slurm test: $what did not happen" >&2; exit 1; }
    sleep 1
  done
}
node_is_idle() { scontrol show node "$host" 2>/dev/null | grep -q 'State=IDLE'; }
queue_is_empty() { [ -z "$(squeue --noheader 2>/dev/null || echo unknown)" ]; }
wait_for 60 "an idle node" node_is_idle

"$dvmsim" sweep "$study" --output "$folder/here" >"$folder/here.txt"
"$dvmsim" sweep "$study" --output "$folder/there" --slurm 3 --sbatch "--time=10 --comment=test"
wait_for 120 "the end of all jobs" queue_is_empty

logs=$(find "$folder/there" -name 'results-*-of-3.log' -size +0 | wc -l)
[ "$logs" -eq 3 ] || { echo "slurm test: $logs of 3 tasks left results" >&2; exit 1; }
for table in points.csv sweep.json; do
  cmp "$folder/here/$table" "$folder/there/$table"
done
# What the job that collects prints is the summary, but for the names of the files.
grep -v '^written' "$folder/here.txt" >"$folder/here.summary"
grep -v '^written' "$folder/there/summary.txt" | cmp - "$folder/here.summary"
echo "slurm test: $(($(wc -l <"$folder/here/points.csv") - 1)) points, 3 tasks, the same bytes"
