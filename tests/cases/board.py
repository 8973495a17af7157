# SPDX-License-Identifier: ISC
"""board.py - what firmware's tables say: the way off, I/O APICs, lines.

Without isa-debug-exit a machine ends only as its board allows: it must be
off, not started again.
"""
from suite import archive
from suite.case import Case

BUSYBOX = '/bin/busybox'
SIZE = 1 << 20


# Removed with transfers in flight, and found again; what is used stays flat.
COME_AND_GO = r'''
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
memory() { busybox awk '/^MemFree/ { print $2 }' /proc/meminfo; }
i=0
while [ $i -lt 60 ]; do
    busybox dd if=/dev/vda of=/dev/null bs=4096 iflag=direct 2>/dev/null &
    exec 5<>/dev/vda # open before it goes: none is created later
    busybox dd if=/dev/zero bs=64k 2>/dev/null >&5 &
    busybox usleep $((i * 100))
    echo 1 > /sys/bus/pci/devices/0000:00:04.0/remove
    wait
    exec 5>&-
    [ -e /dev/vda ] && echo "round $i: still there"
    echo 1 > /sys/bus/pci/rescan
    [ -e /dev/vda ] || echo "round $i: not back"
    i=$((i + 1))
    [ $i = 20 ] && before=$(memory)
done
used=$((before - $(memory)))
[ $used -lt 128 ] && echo "flat" || echo "$used KiB went"
echo "rounds: $i"
busybox '''


def tree(script):
    return archive.archive(
        archive.directory('bin'), archive.directory('dev'),
        archive.directory('proc'), archive.file('bin/busybox', BUSYBOX),
        archive.entry('init', ('#!/bin/busybox sh\n' + script).encode()))


def machine(context, kind, script, append='', extra=()):
    """QEMU's command line, which would start again after a reset."""
    return ['qemu-system-x86_64', '-nodefaults', '-no-user-config',
            '-display', 'none', '-machine', kind, '-accel', 'tcg', '-cpu',
            'max', '-m', '64M', '-serial', 'stdio', '-kernel', context.kernel,
            '-initrd', context.write('initrd', tree(script)), '-append',
            ('console=ttyS0 rdinit=/init ' + append).strip(), *extra]


def disks(context, *devices):
    argv = []
    for i, device in enumerate(devices):
        name = context.write('disk%d' % i, bytes(SIZE))
        argv += ['-drive', 'file=%s,format=raw,if=none,id=d%d' % (name, i),
                 '-device', device + ',drive=d%d' % i]
    return argv


def case(name, kind, script, has, devices=(), append='', lacks=()):
    return Case(name, lambda context: machine(
        context, kind, script + 'poweroff -f\n', append,
        disks(context, *devices)), timeout=40, needs=[BUSYBOX], has=has, lacks=lacks)


# How machines end, and what was tried before, in order.
ENDS = (
    ('off, no ACPI/microvm', 'microvm,acpi=off', 'poweroff', '',
     'off by ports, reset by the keyboard controller, reset by port 0xcf9, '
     'reset by a triple fault'),
    ('off, no ACPI/q35', 'q35', 'poweroff', 'acpi=off', 'off by ports'),
    ('off, no ACPI/pc', 'pc', 'poweroff', 'acpi=off', 'off by ports'),
    ('off/q35', 'q35', 'poweroff', '', 'off by ACPI'),
    ('restart/q35', 'q35', 'reboot', '', 'reset by ACPI'),
    ('restart, no ACPI/pc', 'pc', 'reboot', 'acpi=off',
     'reset by the keyboard controller'),
    ('reboot=p/q35', 'q35', 'reboot', 'reboot=p', 'reset by port 0xcf9'),
    ('reboot=t/q35', 'q35', 'reboot', 'reboot=t', 'reset by a triple fault'),
)


def cases(_build):
    look = ('busybox mount -t proc proc /proc\n'
            'for d in /dev/vd?; do busybox md5sum $d; done\n'
            'busybox cat /proc/interrupts\nbusybox ')
    once = r'\A(?:(?!entered by)[\s\S])*entered by(?:(?!entered by)[\s\S])*\Z'
    for kind in ('q35', 'pc', 'microvm,acpi=on'):
        yield case('off/' + kind.split(',')[0], kind, 'busybox ', [once])
    for name, kind, word, way, ways in ENDS:
        lines = ''.join(r'power: %s\r?\n' % w for w in ways.split(', '))
        yield Case('end/' + name, lambda context, kind=kind, word=word,
                   way=way: machine(context, kind, 'busybox %s -f\n' % word,
                                    way, ['-no-reboot']),
                   timeout=40, needs=[BUSYBOX], has=[lines + r'\Z'])
    yield case('line 47', 'microvm,acpi=on,ioapic2=on', look,
               [once, r'(?m)^ 47: +[1-9]\d* .* 47-edge +vtblk0'],
               ['virtio-blk-device'],
               'virtio_mmio.device=512@0xfeb02e00:47')
    for kind in ('q35', 'pc'):
        yield case('shared line/' + kind, kind, look,
                   [once, r'/dev/vda[\s\S]*/dev/vdb',
                    r'(?m)^ (1[01]|2\d): +[1-9]\d* .*-fasteoi +virtio0, virtio1'],
                   ['virtio-blk-pci,vectors=0,addr=4',
                    'virtio-blk-pci,vectors=0,addr=8'])
        yield case('come and go/' + kind, kind, COME_AND_GO,
                   [r'(?m)^flat\r?$', r'rounds: 60'],
                   ['virtio-blk-pci,addr=4'], 'quiet',
                   lacks=[r'still there', r'not back'])
        yield case('messages/' + kind, kind, look,
                   [once, r'(?m)^1\d\d: +[1-9]\d* +PCI-MSI .*virtio0'],
                   ['virtio-blk-pci'])
