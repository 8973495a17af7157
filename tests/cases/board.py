# SPDX-License-Identifier: ISC
"""board.py - what firmware's tables say: the way off, I/O APICs, lines.

Without isa-debug-exit a machine ends only as its board allows: it must be
off, not started again.
"""
from suite import archive
from suite.case import Case

BUSYBOX = '/bin/busybox'
SIZE = 1 << 20


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


def case(name, kind, script, has, devices=(), append=''):
    return Case(name, lambda context: machine(
        context, kind, script + 'poweroff -f\n', append,
        disks(context, *devices)), timeout=40, needs=[BUSYBOX], has=has)


def cases(_build):
    look = ('busybox mount -t proc proc /proc\n'
            'for d in /dev/vd?; do busybox md5sum $d; done\n'
            'busybox cat /proc/interrupts\nbusybox ')
    once = r'\A(?:(?!entered by)[\s\S])*entered by(?:(?!entered by)[\s\S])*\Z'
    for kind in ('q35', 'pc', 'microvm,acpi=on'):
        yield case('off/' + kind.split(',')[0], kind, 'busybox ', [once])
    yield case('line 47', 'microvm,acpi=on,ioapic2=on', look,
               [once, r'(?m)^ 47: +[1-9]\d* .* 47-edge +vtblk0'],
               ['virtio-blk-device'],
               'virtio_mmio.device=512@0xfeb02e00:47')
    for kind in ('q35', 'pc'):
        yield case('shared line/' + kind, kind, look,
                   [once, r'/dev/vda[\s\S]*/dev/vdb',
                    r'(?m)^ 1[01]: +[1-9]\d* .*-fasteoi +virtio0, virtio1'],
                   ['virtio-blk-pci,vectors=0,addr=4',
                    'virtio-blk-pci,vectors=0,addr=8'])
        yield case('messages/' + kind, kind, look,
                   [once, r'(?m)^1\d\d: +[1-9]\d* +PCI-MSI .*virtio0'],
                   ['virtio-blk-pci'])
