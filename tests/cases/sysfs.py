# SPDX-License-Identifier: ISC
"""sysfs.py - /sys: the tree of devices, its links, its files, and what
Debian's tools read there."""
from cases.disk import MIB, disk
from suite.machine import program

BUSYBOX = '/bin/busybox'
FUNCTION = '0000:00:01.0'

# Every link below /sys leads somewhere, and every file can be opened.
WALK = r'''
cd /sys
find . -type l | while read -r l; do [ -e "$l" ] || echo "dangling $l"; done
find . -type f | while read -r f; do
    m=$(stat -c %a "$f"); case $m in 4*|6*) cat "$f" >/dev/null 2>/x ||
        { echo "unread $f"; cat /x; };; esac
done
echo walked
'''

BIND = r'''
F=%s
cd /sys/bus/pci/devices/$F
say() { echo "$*: $(cat driver_override) $(readlink driver)"; }
try() { sh -c "$1" 2>&1 | sed 's/.*error: //'; }
say at first
try "echo none >driver_override"
try "echo $F >driver/unbind"
try "echo $F >/sys/bus/pci/drivers/virtio-pci/unbind"
say unbound
[ -e /dev/vda ] && echo "vda is left"
try "echo $F >/sys/bus/pci/drivers/virtio-pci/bind"
try "echo >driver_override"
try "echo $F >/sys/bus/pci/drivers/virtio-pci/bind"
try "echo $F >/sys/bus/pci/drivers/virtio-pci/bind"
say bound
[ -e /dev/vda ] || echo "vda is missing"
try "echo nonsense >driver_override"
try "echo 8086 zz >/sys/bus/pci/drivers/virtio-pci/new_id"
try "echo 8086 2922 >/sys/bus/pci/drivers/virtio-pci/new_id"
try "echo 8086 2922 >/sys/bus/pci/drivers/virtio-pci/new_id"
try "echo 2 >remove; ls /sys/bus/pci/devices | grep -c $F"
try "echo 1 >../../../bus/pci/rescan"
cd /sys/bus/pci/devices/$F
say again
''' % FUNCTION
BOUND = r'''at first: \(null\) ../../../bus/pci/drivers/virtio-pci
No such device
unbound: none ?
No such device
Device or resource busy
bound: \(null\) ../../../bus/pci/drivers/virtio-pci
Invalid argument
Invalid argument
File exists
0
again: \(null\) ../../../bus/pci/drivers/virtio-pci'''

VIRTIO = r'''
cd /sys/bus/virtio/devices/virtio0
for f in device vendor modalias status driver subsystem; do
    [ -h $f ] && readlink $f || cat $f
done
expr length $(cat features)
echo virtio0 >driver/unbind; cat status; readlink driver
echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind; cat status
ls -d /dev/vda
'''


def shell(name, machine, script, cpus=1, **wanted):
    return program('%s/%s' % (name, machine), [BUSYBOX, 'sh', '-c', script],
                   lambda c: ['--machine', machine, '--cpus', str(cpus),
                              '--disk', disk(c, MIB)],
                   needs=[BUSYBOX], **wanted)


def cases(_):
    for machine in ('microvm', 'q35'):
        yield shell('walk', machine, WALK, cpus=2, has=[r'^walked$'],
                    lacks=[r'dangling', r'unread'])
        yield shell('virtio', machine, VIRTIO, has=[
            r'^0x0002$', r'^virtio:d00000002v', r'^0x0000000f$',
            r'bus/virtio/drivers/virtio_blk$', r'bus/virtio$', r'^64$',
            r'^0x00000000$\s^0x0000000f$\s^/dev/vda$'])
    yield shell('bind', 'q35', BIND, has=[BOUND], lacks=['is left', 'missing'])
    yield program('lscpu', ['/usr/bin/lscpu'], ['--cpus', '3'],
                  needs=['/usr/bin/lscpu'],
                  has=[r'^CPU\(s\): +3$', r'^On-line CPU\(s\) list: +0-2$',
                       r'^Thread\(s\) per core: +1$', r'^Socket\(s\): +1$',
                       r'^Core\(s\) per socket: +3$',
                       r'^NUMA node0 CPU\(s\): +0-2$'])
