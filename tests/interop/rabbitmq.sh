#!/bin/sh
# Runs the nodes of one RabbitMQ for a test, until standard input ends: then nothing is left of it, whatever became of the
# test, but its logs.
#
#   unshare --mount --pid --fork sh rabbitmq.sh ROOT FOLDER
#
# ROOT is the root folder that scripts/install-brokers.sh made; nothing is written to it. FOLDER, which the nodes see as
# /mnt, has the file env, and a folder with another file env for each node. Commands come as lines on standard input, and
# each is answered with a line "done EXIT-CODE":
#
#   prepare                  says that the files are there; the first
#   start NODE               starts a node, or starts it again on the data that it left
#   signal NODE SIGNAL       sends a signal to the node's process
#   ctl NODE ARGUMENT...     runs rabbitmqctl; what it says goes to the node's file ctl

if [ "$1" != --inside ]; then
  # The mounts are seen by nobody else and go with the last process.
  mount --make-rprivate / || exit
  mount -t proc proc "$1/proc" || exit
  mount --rbind /dev "$1/dev" || exit
  mount --bind "$2" "$1/mnt" || exit
  cp "$0" "$2/rabbitmq.sh" || exit
  exec chroot "$1" /bin/sh /mnt/rabbitmq.sh --inside
fi

PATH=/usr/sbin:/usr/bin

prepare() {
  . /mnt/env
  # A daemon of its own, so that it outlives the node that would have started it.
  epmd -daemon
}

start() {
  # Its ports and its data are free once the process before it is gone.
  while [ -e "/mnt/$1/pid" ] && kill -0 "$(cat "/mnt/$1/pid")" 2>/dev/null; do sleep 0.05; done
  rm -f "/mnt/$1/pid"
  (
    . "/mnt/$1/env"
    cd "/mnt/$1" || exit
    exec /usr/lib/rabbitmq/bin/rabbitmq-server
  ) >>"/mnt/$1/out" 2>&1 </dev/null &
}

signal() { kill -s "$2" "$(cat "/mnt/$1/pid")"; }

ctl() {
  node=$1
  shift
  (
    . "/mnt/$node/env"
    cd "/mnt/$node" || exit
    exec /usr/lib/rabbitmq/bin/rabbitmqctl "$@"
  ) >"/mnt/$node/ctl" 2>&1 </dev/null
}

while read -r line; do
  eval "$line"
  echo "done $?"
done
# All of this process namespace but this shell.
kill -s KILL -1
rm -rf /mnt/*/data
