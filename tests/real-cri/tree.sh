# shellcheck shell=bash
# What `up`, `down`, `run` and `enter` agree on: where things lie under DIR, which processes belong to it,
# and how to end them. Sourced, never run.
#
#   DIR/root    the Debian tree: containerd, runc, criu (kept between runs; everything else is made anew)
#   DIR/data    images, snapshots, logs, containerd's configuration
#   DIR/run     socket, state, settings
#   DIR/share   where tests put their checkpoint directories, unless REAL_CRI_SHARE names another folder

PATH=$PATH:/usr/sbin:/sbin # debootstrap, pivot_root: not on everybody's path

say() { printf 'real-cri: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

require_commands() {
  local name
  for name in "$@"; do command -v "$name" >/dev/null || die "needs $name"; done
}

require_root() {
  [ "$(id -u)" = 0 ] || die "needs root: containerd, runc and CRIU freeze processes and mount file systems"
  [ "$(uname -s)" = Linux ] || die "needs Linux"
}

fingerprint() { printf %s "$1" | sha256sum | cut -c1-8; }

# layout DIR: sets the paths.
layout() {
  mkdir -p "$1"
  DIR=$(realpath "$1")
  ROOT=$DIR/root DATA=$DIR/data RUN=$DIR/run
  SHORT=/run/real-cri-$(fingerprint "$DIR") # for a socket, should DIR be too long
}

# default_socket: under DIR, unless that path would not fit in a socket address (108 bytes, and containerd
# puts `.ttrpc` behind it).
default_socket() {
  local path=$RUN/containerd.sock
  [ $((${#path} + 6)) -lt 108 ] || path=$SHORT/containerd.sock
  echo "$path"
}

# lock FILE SECONDS WHO: one at a time; descriptor 9 holds it until this process ends. Children that outlive
# this process must be started with 9>&-.
lock() {
  exec 9>"$1"
  flock -n 9 && return
  say "$3 is at work in $DIR; waiting up to $2 s"
  flock -w "$2" 9 || die "still locked after $2 s: $1"
}

# retry TIMES PAUSE WHAT COMMAND...: for the network and for apt's lock, both of which fail for a moment.
retry() {
  local times=$1 pause=$2 what=$3 n
  shift 3
  for ((n = 1; n <= times; n++)); do
    "$@" && return
    [ "$n" = "$times" ] || { say "$what failed ($n of $times), once more in $pause s"; sleep "$pause"; }
  done
  say "$what failed $times times"
  return 1
}

# tree_pids: every process that has DIR/root as its root, found by asking the kernel: a pid file may be stale
# or name somebody else's process. Containers have another root; they are found by their cgroup.
tree_pids() {
  local p
  for p in /proc/[0-9]*; do
    if [ "$p/root/." -ef "$ROOT" ]; then echo "${p#/proc/}"; fi
  done
}

# The cgroups of the pods, deepest first. One parent per socket, named as in `pod`, so that two runtimes on one
# machine never meet. Both layouts: one tree, or a tree for each controller.
cgroups() {
  local name c
  name=real-cri-$(fingerprint "$(cat "$RUN/socket" 2>/dev/null || default_socket)")
  for c in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
    if [ -d "$c" ]; then find "$c" -depth -type d; fi
  done
}

container_pids() {
  local c
  cgroups | while read -r c; do cat "$c/cgroup.procs" 2>/dev/null || true; done | sort -un
}

containerd_pid() {
  local p
  for p in $(tree_pids); do
    if [ "$(cat "/proc/$p/comm" 2>/dev/null)" = containerd ]; then echo "$p"; return; fi
  done
}

# in_tree COMMAND...: beside the running containerd, in its mount namespace.
in_tree() {
  local pid
  pid=$(containerd_pid)
  [ -n "$pid" ] || { say "no containerd runs in $DIR"; return 1; }
  nsenter -t "$pid" -m -r -w -- /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR="$DATA/tmp" "$@"
}

ctr() { in_tree timeout 20 ctr -a "$(cat "$RUN/socket")" -n k8s.io "$@"; }

# remove_pods: the gentle way, through the runtime.
remove_pods() {
  local task sandbox socket
  socket=$(cat "$RUN/socket")
  # An interrupted checkpoint can leave a task paused, and a paused task does not die.
  for task in $(ctr tasks ls | awk '$3 == "PAUSED" { print $1 }'); do
    say "resuming $task, left paused"
    ctr tasks resume "$task" || true
  done
  for sandbox in $(ctr containers ls -q 'labels."io.cri-containerd.kind"==sandbox'); do
    REAL_CRI_TIMEOUT=20 "$HERE/pod" "$socket" call StopPodSandbox "1=$sandbox" >/dev/null || true
    REAL_CRI_TIMEOUT=20 "$HERE/pod" "$socket" call RemovePodSandbox "1=$sandbox" >/dev/null || true
  done
}

# end_processes: the hard way, for whatever is left.
end_processes() {
  local n c left
  for ((n = 0; n < 100; n++)); do
    left=$(tree_pids; container_pids)
    [ -n "$left" ] || return 0
    # A frozen process does not even die of SIGKILL.
    cgroups | while read -r c; do
      if [ -e "$c/freezer.state" ]; then echo THAWED >"$c/freezer.state"; fi
      if [ -e "$c/cgroup.freeze" ]; then echo 0 >"$c/cgroup.freeze"; fi
    done 2>/dev/null || true
    # shellcheck disable=SC2086 # one pid a word
    kill -KILL $left 2>/dev/null || true
    sleep 0.1
  done
  say "these processes do not end: ${left//$'\n'/ }"
  return 1
}

# stop: containerd, its pods and every trace of them; only the Debian tree stays. Says nothing if there is nothing.
stop() {
  local c socket
  socket=$(cat "$RUN/socket" 2>/dev/null || default_socket)
  if [ -s "$RUN/socket" ] && [ -n "$(containerd_pid)" ]; then
    remove_pods || say "the runtime does not answer; ending its processes"
  fi
  # No grace for containerd itself: its state goes anyway, and it would linger to deliver its last spans.
  end_processes
  cgroups | while read -r c; do rmdir "$c" 2>/dev/null || true; done
  rm -f "$socket" "$socket.ttrpc" "$socket.data"
  # The mounts went with their private namespace, that is with the last process in it.
  rm -rf --one-file-system "$DIR"/{run,share,data/lib,data/tmp,data/logs,root/run/containerd,root/run/runc} "$SHORT"
}
