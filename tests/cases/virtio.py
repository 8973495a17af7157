# SPDX-License-Identifier: ISC
"""virtio.py - virtio devices other than disks, in microvm's slots."""
from suite.machine import program, run_command
from suite.case import Case

BUSYBOX = '/bin/busybox'
KINDS = (('modern', 'off'), ('legacy', 'on'))


def with_devices(devices, script, options=()):
    """`remora run` with a QEMU that gets more words; slot i is IRQ 5 + i."""
    def argv(context):
        qemu = context.write('qemu', b'#!/bin/sh\nexec qemu-system-x86_64 '
                             b'"$@" %s\n' % devices.encode(), 0o755)
        return ['env', 'REMORA_QEMU=' + qemu] + run_command(
            context, [BUSYBOX, 'sh', '-c', script], options)
    return argv


def entropy(kind, legacy):
    devices = ('-object rng-random,id=r,filename=/dev/urandom '
               '-device virtio-rng-device,rng=r,bus=virtio-mmio-bus.7 '
               '-global virtio-mmio.force-legacy=' + legacy)
    options = ['--append', 'virtio_mmio.device=512@0xfeb00e00:12']
    yield Case('entropy/' + kind, with_devices(
        devices, 'ls -l /dev/hwrng; head -c 70000 /dev/hwrng | wc -c; '
        'head -c 3000 /dev/hwrng | gzip | wc -c; echo x >/dev/hwrng; '
        'grep vtrng0 /proc/interrupts; dmesg | grep vtrng', options),
        needs=[BUSYBOX],
        has=[r'10, +183', r'^70000$', r'^30\d\d$', r'edge +vtrng0',
             r'vtrng0 at virtio0: entropy'])


def cases(_):
    for kind, legacy in KINDS:
        yield from entropy(kind, legacy)
    yield program('entropy/none', [BUSYBOX, 'ls', '/dev/hwrng'], status=1,
                  needs=[BUSYBOX])
