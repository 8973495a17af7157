# SPDX-License-Identifier: ISC
"""smp.py - machines with several processors: all are found and started, and
the programs of tests/guest/smp_* find nothing strange on them."""
import os

from cases.guest import told_all
from suite.archive import archive, directory, file, symlink
from suite.case import Case
from suite.machine import MACHINES, TEST_ARGS, ends_with, program, qemu

BUSYBOX = '/bin/busybox'
STRESS = ('threads', 'memory', 'forks', 'kill', 'registers', 'times')

# All processors came up: the kernel says so when the last one did.
ALL_UP = ('i=0; until dmesg | grep -q "cpus: %d of %d"; do '
          'sleep 0.1; i=$((i + 1)); test $i -lt 150 || exit 1; done; '
          'nproc; grep -c ^processor /proc/cpuinfo; '
          'cat /sys/devices/system/cpu/online')


# Slices end while their threads are in the kernel, under locks.
CALLS = ('f() { /bin/busybox dd if=/bin/sh of=/$1 bs=1 count=30000 2>/dev/null; }; '
         'f a & f b & f c & wait; echo all')


def started_late():
    """Devices that are attached while the second processor starts, by threads
    of the kernel that take the first one from the program."""
    disks = ('a', 'b', 'c')

    def words(context):
        return ['--machine', 'q35', '--cpus', '2', '--net', 'user'] + [
            word for name in disks for word in
            ('--nvme', context.write(name, bytes(1 << 20)))]
    return program('registers/q35', ['guest:glibc/smp_registers'], words,
                   limit=240, lacks=[r'^not ok'], check=told_all)


def by_instructions():
    """A processor for which an instruction is a nanosecond: an interrupt that
    is asked for at once comes before the next instruction."""
    def command(context):
        initrd = context.write('initrd', archive(
            directory('bin'), directory('dev'), file('bin/busybox', BUSYBOX),
            symlink('bin/sh', 'busybox')))
        return qemu(context.kernel, initrd, TEST_ARGS +
                    ' remora.stdout=pipe rdinit=/bin/sh -- -c "%s"' % CALLS,
                    control=context.path('control'),
                    extra=['-icount', 'shift=0,sleep=off'])
    return Case('by instructions', command, timeout=240, status=None,
                needs=[BUSYBOX], has=[r'^all$'], check=ends_with('exit 0'))


def cases(build):
    for machine in MACHINES:
        for cpus in (1, 2, 4, 8):
            yield program('nproc/%s/%d' % (machine, cpus), ['/usr/bin/nproc'],
                          ['--machine', machine, '--cpus', str(cpus)],
                          stdout=b'%d\n' % cpus)
        yield program('all up/' + machine,
                      [BUSYBOX, 'sh', '-c', ALL_UP % (8, 8)],
                      ['--machine', machine, '--cpus', '8'],
                      stdout=b'8\n8\n0-7\n')
    yield program('as many as can be', ['/usr/bin/nproc'],
                  ['--cpus', '64', '--memory', '128M'], stdout=b'64\n',
                  limit=60)
    for name in STRESS:
        path = os.path.join(build, 'guest', 'glibc', 'smp_' + name)
        yield Case('host/' + name, [path], needs=[path], timeout=240,
                   lacks=[r'^not ok'], check=told_all)
        for cpus in (1, 2, 4, 8):
            yield program('%s/%d' % (name, cpus), ['guest:glibc/smp_' + name],
                          ['--cpus', str(cpus)], limit=240,
                          lacks=[r'^not ok'], check=told_all)
        yield program('%s/musl' % name, ['guest:musl/smp_' + name],
                      ['--cpus', '4'], limit=240,
                      lacks=[r'^not ok'], check=told_all)
    yield started_late()
    yield by_instructions()
