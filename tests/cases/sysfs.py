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


# What devctl(8) does, and what it says where that cannot be done.
DEVCTL = r'''
devctl monitor -n 6 >/m 2>/l &
until grep -q listening /l; do :; done
try() { echo "$*: $(devctl "$@" 2>&1 | sed 's/.*: //')"; }
try tree
try detach vtblk0; [ -e /dev/vda ] && echo "left"
try detach virtio0.block
try attach virtio0.block; [ -e /dev/vda ] || echo "missing"
try attach vtblk0
try disable vtblk0
try attach virtio0.block
try enable virtio0.block
try set driver vtblk0 vtrng
try set driver vtblk0 nonsense
try set driver -f vtblk0 vtblk
try clear driver vtblk0
try clear driver -f vtblk0
try clear driver vtblk0
try reset pci0:0:1:0
try delete pci0:0:1:0; [ -e /dev/vda ] && echo "left"
try rescan vtblk0
try rescan pci0; [ -e /dev/vda ] || echo "missing"
try detach root
devctl nonsense 2>/dev/null; echo "status $?"
devctl detach nobody 2>/dev/null; echo "status $?"
wait; sed 's/.*] //' /m
'''
DEVCTL_SAYS = r'''tree: pci0 \(pci0000:00\)
  0000:00:00.0 no driver
  virtio0 \(0000:00:01.0\)
    vtblk0 \(virtio0.block\)
(  0000:00:1f.\d no driver
)+detach vtblk0: ?
detach virtio0.block: it has no driver
attach virtio0.block: ?
attach vtblk0: it has a driver already
disable vtblk0: ?
attach virtio0.block: it is disabled, or has gone
enable virtio0.block: ?
set driver vtblk0 vtrng: -f takes that away
set driver vtblk0 nonsense: there is no such driver for its bus
set driver -f vtblk0 vtblk: ?
clear driver vtblk0: -f takes it away
clear driver -f vtblk0: ?
clear driver vtblk0: no driver was set
reset pci0:0:1:0: it cannot be reset alone
delete pci0:0:1:0: ?
rescan vtblk0: there is no such device
rescan pci0: ?
detach root: that cannot be done with it
status 2
status 1
'''
VIRTIO_EVENTS = r'unbind +/devices/pci0000:00/{0}/virtio0 \(virtio\)$[^$]*^bind ' \
                r' +/devices/pci0000:00/{0}/virtio0 \(virtio\)$'.format(FUNCTION)


# Debian's udev, unmodified: it finds all that is there, hears of what goes and
# comes, and tells others of it.
UDEV = r'''
mkdir -p /run /etc/udev
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add && udevadm settle --timeout=30 && echo settled
udevadm info /dev/vda
ls -l /dev/disk/by-path
udevadm monitor --kernel --udev >/m 2>&1 &
until grep -q '^KERNEL' /m; do udevadm trigger /sys/class/mem/null; done
devctl detach vtblk0; devctl attach virtio0.block
until grep -q '^UDEV.* bind .*/virtio0 ' /m; do usleep 10000; done
cat /m
'''
MDEV = '''
rm /dev/vda /dev/null
mdev -s
ls -l /dev/vda /dev/null
'''
UDEV_FILES = ['/lib/systemd/systemd-udevd', '/usr/bin/udevadm',
              '/lib/udev/rules.d/60-persistent-storage.rules']


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
    yield program('devctl', [BUSYBOX, 'sh', '-c', DEVCTL], lambda c: [
        '--machine', 'q35', '--tools', '--disk', disk(c, MIB)],
                  needs=[BUSYBOX], has=[DEVCTL_SAYS, VIRTIO_EVENTS],
                  lacks=['left', 'missing'])
    options = ['--machine', 'q35', '--tools', '--memory', '128M']
    for path in UDEV_FILES:
        options += ['--add', path]
    yield program('udev', [BUSYBOX, 'sh', '-c', UDEV], lambda c: [
        *options, '--disk', disk(c, MIB)], limit=100,
                  needs=[BUSYBOX, *UDEV_FILES],
                  has=[r'^settled$', r'^U: block$', r'^E: DEVNAME=/dev/vda$',
                       r'^S: disk/by-path/pci-0000:00:01.0$',
                       r' pci-0000:00:01.0 -> ../../vda$',
                       r'^KERNEL.* remove .*/virtio0/block/vda \(block\)$',
                       r'^UDEV.* remove .*/virtio0/block/vda \(block\)$',
                       r'^UDEV.* add .*/virtio0/block/vda \(block\)$'])
    yield shell('mdev', 'q35', MDEV, has=[
        r'^crw.* 1, +3 .*/dev/null$', r'^brw.*/dev/vda$'])
    yield program('lscpu', ['/usr/bin/lscpu'], ['--cpus', '3'],
                  needs=['/usr/bin/lscpu'],
                  has=[r'^CPU\(s\): +3$', r'^On-line CPU\(s\) list: +0-2$',
                       r'^Thread\(s\) per core: +1$', r'^Socket\(s\): +1$',
                       r'^Core\(s\) per socket: +3$',
                       r'^NUMA node0 CPU\(s\): +0-2$'])
