#!/bin/sh
# SPDX-License-Identifier: ISC
# guest.sh - inside the machine: carries out the pieces of one test suite.
#
# usage: guest.sh SUITE GUEST FIRST
# A piece is one command with a time limit, a line "NAME SECONDS COMMAND" of
# /suites/SUITE.GUEST.  FIRST, from 1, says with which one to begin, so that
# the host can go on after a machine that died.

suite=$1 guest=$2 first=$3
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8 HOME=/tmp TERM=dumb
# Tests whose parent died first send it signals: to process 1, which this is,
# and which has no protection where the host runs a program as the machine.
trap : HUP INT ALRM TERM USR1 USR2

there() { grep -q " $1 $2 " /proc/mounts 2>/dev/null; }
there /proc proc || mount -t proc proc /proc
there /sys sysfs || mount -t sysfs sysfs /sys
there /dev devtmpfs || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
there /dev/pts devpts || mount -t devpts -o ptmxmode=666 devpts /dev/pts
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
[ -e /dev/stdin ] || ln -s /proc/self/fd/0 /dev/stdin
[ -e /dev/stdout ] || ln -s /proc/self/fd/1 /dev/stdout
[ -e /dev/stderr ] || ln -s /proc/self/fd/2 /dev/stderr
for folder in /tmp /run /dev/shm /var/tmp; do
    mount -t tmpfs -o mode=1777 tmpfs $folder
done
hostname conformance
busybox ip link set lo up
mkdir /tmp/suite && cd /tmp/suite || exit 1
[ ! -d "/suites/$suite" ] || cp -a "/suites/$suite" .
# These do not want root.
case $suite in
bash | sqlite) chown -R 65534:65534 "$suite" ;;
esac

n=0
while read -r name seconds command <&3; do
    n=$((n + 1))
    [ $n -ge "$first" ] || continue
    echo
    echo "@@begin $name"
    timeout -k 5 "$seconds" sh -c "$command" </dev/null 2>&1 3<&-
    status=$?
    echo
    echo "@@end $name $status"
done 3<"/suites/$suite.$guest"
echo "@@done"
