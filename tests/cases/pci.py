# SPDX-License-Identifier: ISC
"""pci.py - PCI on pc and q35: disks behind it in every mode, arrivals and
departures, and what lspci sees.

Where `remora run` has no word for a property of the device, QEMU is started
directly with an archive that holds busybox and a script.
"""
import os
import re
import select
import subprocess
import time

from cases.disk import MIB, disk, holds, pattern
from suite.archive import archive, directory, file, entry
from suite.case import ERRORS, Case, Failure, Outcome, deadline
from suite.machine import LISTENING, TEST_ARGS, ends_with, program, qemu
from suite.monitor import Monitor

BUSYBOX = '/bin/busybox'
LSPCI = '/usr/bin/lspci'
SIZE = 4 * MIB
MACHINES = ('pc', 'q35')
KINDS = (('default', ''), ('legacy', ',transport=legacy'),
         ('modern', ',transport=modern'))

# Properties of virtio-blk-pci, and what they are about.
PROPERTIES = (
    ('line', 'vectors=0'),
    ('line, legacy', 'vectors=0,disable-modern=on'),
    ('line, modern', 'vectors=0,disable-legacy=on'),
    ('one vector', 'vectors=1'),
    ('too few vectors', 'vectors=2,num-queues=4'),
    ('too few vectors, legacy', 'vectors=2,num-queues=4,disable-modern=on'),
    ('packed', 'packed=on'),
    ('iommu_platform', 'iommu_platform=on,disable-legacy=on'),
    ('a page for each queue', 'page-per-vq=on'),
    ('without event index', 'event_idx=off,indirect_desc=off'),
)

# Boards with bridges: where the disk is.
BRIDGES = (
    ('root port', 'q35', ['-device', 'pcie-root-port,id=b,slot=1'],
     'bus=b'),
    ('bridge', 'pc', ['-device', 'pci-bridge,id=b,chassis_nr=1'],
     'bus=b,addr=5'),
    ('bridge, line', 'pc', ['-device', 'pci-bridge,id=b,chassis_nr=1'],
     'bus=b,addr=6,vectors=0'),
    ('bridge behind a bridge', 'pc',
     ['-device', 'pci-bridge,id=a,chassis_nr=1', '-device',
      'pci-bridge,id=b,chassis_nr=2,bus=a,addr=2'], 'bus=b,addr=3'),
    ('root port, no firmware', 'microvm-pcie',
     ['-device', 'pcie-root-port,id=b,slot=1'], 'bus=b'),
    ('switch, no firmware', 'microvm-pcie',
     ['-device', 'pcie-root-port,id=r,slot=1', '-device',
      'x3130-upstream,id=u,bus=r', '-device',
      'xio3130-downstream,id=b,bus=u,chassis=2,slot=2'], 'bus=b'),
    ('switch', 'q35',
     ['-device', 'pcie-root-port,id=r,slot=1', '-device',
      'x3130-upstream,id=u,bus=r', '-device',
      'xio3130-downstream,id=b,bus=u,chassis=2,slot=2'], 'bus=b'),
)

COPY = '''
/bin/busybox dd if=/dev/vda of=/x bs=128k count=9 skip=3 2>/dev/null
/bin/busybox dd if=/x of=/dev/vda bs=64k seek=40 2>/dev/null
/bin/busybox poweroff -f
'''
COPIED = holds(40 << 16, pattern(SIZE)[3 << 17:12 << 17])


def initrd(context, script):
    text = ('#!/bin/sh\n/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null\n'
            + script)
    return context.write('initrd', archive(
        directory('bin'), directory('dev'), directory('proc'),
        directory('sys'), file('bin/busybox', BUSYBOX), file('bin/sh', BUSYBOX),
        entry('init', text.encode())))


def raw(context, machine, script, extra=(), fresh=True, drive=True,
        append=''):
    """QEMU itself, with the test's pattern (or what is there) as drive d0."""
    if fresh:
        disk(context, SIZE)
    drives = ['-drive', 'if=none,id=d0,format=raw,file=' +
              context.path('disk')] if drive else []
    return qemu(context.kernel, initrd(context, script),
                TEST_ARGS + ' PATH=/bin rdinit=/init ' + append, '96M', machine,
                control=context.path('control'), extra=[*drives, *extra])


def copies(name, machine, properties, extra=()):
    def command(context):
        return raw(context, machine, COPY, [
            *extra, '-device', 'virtio-blk-pci,drive=d0' +
            (',' + properties if properties else '')])

    def check(context, outcome):
        ends_with('poweroff')(context, outcome)
        COPIED(context, outcome)
    return Case(name, command, timeout=40, status=None, needs=[BUSYBOX],
                has=['vtblk0 at virtio0'], check=check)


def many(machine):
    """Seven disks: firmware takes memory for each of them."""
    def options(context):
        out = ['--machine', machine]
        for i in range(7):
            out += ['--disk', disk(context, (i + 1) << 16, i, 'd%d' % i)]
        return out
    return program('seven/' + machine, [BUSYBOX, 'cat', '/dev/vdg'], options,
                   stdout=pattern(7 << 16, 6), needs=[BUSYBOX])


def shell(name, machine, script, kind='', add=(), **wanted):
    def options(context):
        out = ['--machine', machine, '--disk', disk(context, SIZE) + kind]
        for path in add:
            out += ['--add', path]
        return out
    return program(name, [BUSYBOX, 'sh', '-c', script], options,
                   needs=[BUSYBOX, *add], **wanted)


def transfers(machine, kind, word):
    where = '/%s/%s' % (machine, kind)
    yield shell('read' + where, machine, 'cat /dev/vda', word,
                stdout=pattern(SIZE))
    yield shell('read past the cache' + where, machine,
                'dd if=/dev/vda bs=256k iflag=direct status=none', word,
                stdout=pattern(SIZE))
    yield shell('write' + where, machine,
                'dd if=/dev/vda of=/x bs=128k count=9 skip=3 2>/dev/null;'
                'dd if=/x of=/dev/vda bs=64k seek=40 oflag=direct 2>/dev/null',
                word, stdout=b'', check=COPIED)
    yield shell('odd pieces' + where, machine,
                'printf hello | dd of=/dev/vda bs=1 seek=1000001 2>/dev/null',
                word, check=holds(1000001, b'hello'))
    yield shell('read-only' + where, machine,
                'dd of=/dev/vda if=/dev/zero count=1; md5sum </dev/vda',
                word + ',ro', lacks=[r'records out'], check=holds(0, b''))


class Session:
    """A machine whose shell answers on the console, and QEMU's monitor."""

    def __init__(self, context, argv):
        self.start(context, argv + ['-qmp', 'unix:%s,server=on,wait=off'
                                    % context.path('qmp')])

    def start(self, context, argv):
        """What it says on standard error is shown if the case fails."""
        with open(context.path(ERRORS), 'wb') as errors:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors)
        self.seen = b''
        self.at = 0

    def end(self):
        self.process.kill()
        self.process.wait()

    def until(self, word, limit=20):
        end = deadline(limit)
        fd = self.process.stdout.fileno()
        while word not in self.seen[self.at:]:
            ready = select.select([fd], [], [], max(0, end - time.monotonic()))
            data = os.read(fd, 65536) if ready[0] else b''
            if not data:
                raise Failure('no %r, %s, in %s' % (
                    word, 'and its console is closed' if ready[0] else
                    'and time is over', self.seen.decode(errors='replace')))
            self.seen += data
        begin = self.at
        self.at = self.seen.index(word, begin) + len(word)
        return self.seen[begin:self.at].decode(errors='replace')

    def rest(self):
        """What it has printed besides, and what its log says, if it can."""
        try:
            return self.do('/bin/busybox dmesg').encode()
        except (Failure, OSError) as wrong:
            return str(wrong).encode()

    def do(self, line):
        """Runs one line in the guest; what it printed."""
        self.process.stdin.write(line.encode() + b'; echo DO""NE\n')
        self.process.stdin.flush()
        # The log may break the echo, but not what the shell writes at once.
        return self.until(b'DONE').split('DO""NE')[-1]


def wants(what, text):
    if what not in text:
        raise Failure('no %r in %r' % (what, text))


def plugging(context, argv, device, rounds=20):
    """A disk comes while the machine runs, and is taken away and found again
    many times."""
    session = Session(context, argv)
    try:
        session.until(b'READY')
        monitor = Monitor(context.path('qmp'))
        rescan = 'echo 1 >/sys/bus/pci/rescan; /bin/busybox md5sum /dev/vda'
        wants("can't open", session.do(rescan))
        monitor('device_add', driver='virtio-blk-pci', drive='d0', id='new',
                **device)
        wants('vtblk0 at virtio0', session.do(rescan))
        # Lines of the log may come in between.
        sum_ = re.search(r'[0-9a-f]{32}', session.do(
            '/bin/busybox md5sum /dev/vda')).group()
        place = re.search(r'([0-9a-f:.]+)/class', session.do(
            'cd /sys/bus/pci/devices; /bin/busybox grep -l 0x010000 */class')
                          ).group(1)
        for _ in range(rounds):
            session.do('echo 1 >/sys/bus/pci/devices/%s/remove' % place)
            wants("can't open", session.do('/bin/busybox md5sum /dev/vda'))
            wants(sum_, session.do(rescan))
            session.do('echo %s >/sys/bus/pci/drivers/virtio-pci/unbind' % place)
            wants("can't open", session.do('/bin/busybox md5sum /dev/vda'))
            session.do('echo %s >/sys/bus/pci/drivers/virtio-pci/bind' % place)
        wants(sum_, session.do('/bin/busybox md5sum /dev/vda'))
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


LISTEN = '''
/bin/busybox mount -t sysfs sys /sys 2>/dev/null
# Its line comes when it likes: not in between what is asked and answered here.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    /bin/busybox dmesg | /bin/busybox grep -q '\\] acpi0' && break
    /bin/busybox sleep 0.1
done
echo READY
''' + LISTENING + '\n'


# Finds the PCI Express capability of function $1 and writes "power off" and
# "indicator off" to its slot's control register.  PCIe 5.0, 7.5.3.10.
POWER_OFF = r'''
byte() { /bin/busybox od -An -tu1 -j$1 -N1 config | /bin/busybox tr -d ' '; }
power_off() {
    cd /sys/bus/pci/devices/$1
    at=$(byte 52)
    while [ $(byte $at) != 16 ]; do at=$(byte $((at + 1))); done
    printf '\300\007' | /bin/busybox dd of=config bs=1 seek=$((at + 24)) \
        conv=notrunc 2>/dev/null
}
'''


def pulled(context, argv):
    """The slot's power goes off while the disk is open: whoever reads gets an
    error, and the next look finds that it has gone."""
    session = Session(context, argv)
    try:
        session.until(b'READY')
        session.do('exec 5</dev/vda; /bin/busybox head -c 512 <&5 >/x')
        session.do('power_off 0000:00:01.0')
        wants('DONE', session.do('echo 1 >/sys/bus/pci/rescan'))
        wants("can't open", session.do('/bin/busybox md5sum /dev/vda'))
        wants('error', session.do('/bin/busybox dd bs=4k iflag=direct <&5 '
                                  '>/y').lower())
        wants('0000:00:01.0', session.do('/bin/busybox ls /sys/bus/pci/devices'))
        if '0000:01:00.0' in session.do('/bin/busybox ls /sys/bus/pci/devices'):
            raise Failure('the function is still there')
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


def reset(context, argv):
    """A function-level reset takes the disk from its driver and back."""
    session = Session(context, argv)
    try:
        session.until(b'READY')
        sum_ = re.search(r'[0-9a-f]{32}', session.do(
            '/bin/busybox md5sum /dev/vda')).group()
        for _ in range(3):
            wants('vtblk0 at virtio0', session.do(
                'echo 1 >/sys/bus/pci/devices/0000:01:00.0/reset'))
            wants(sum_, session.do('/bin/busybox md5sum /dev/vda'))
        # A function that cannot be reset has no file for it.
        wants("can't create", session.do(
            'echo 1 >/sys/bus/pci/devices/0000:00:00.0/reset'))
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


def plug_case(name, machine, extra, device):
    return Case(name, lambda c: raw(c, machine, LISTEN, extra), timeout=90,
                needs=[BUSYBOX],
                act=lambda c, argv: plugging(c, argv, device))


def cases(_):
    for machine in MACHINES:
        for kind, word in KINDS:
            yield from transfers(machine, kind, word)
        for name, properties in PROPERTIES:
            yield copies('%s/%s' % (name, machine), machine, properties)
        yield many(machine)
        yield program('calls/' + machine, ['guest:glibc/disk', '/dev/vda'],
                      lambda c, m=machine: [
                          '--machine', m, '--disk', disk(c, 16 * MIB)],
                      lacks=[r'^not ok'], has=[r'^# \d+ passed, 0 failed$'])
        yield program('lspci/' + machine, [LSPCI, '-vv', '-nn'],
                      lambda c, m=machine: ['--machine', m, '--disk',
                                            disk(c, SIZE)], needs=[LSPCI],
                      has=[r'\[1af4:1001\]', r'Kernel driver in use: virtio',
                           r'MSI-X: Enable\+ Count=2', r'Control: .*BusMaster\+',
                           r'Region 0: I/O ports at [0-9a-f]{4} \[size=128\]',
                           r'VirtIO: CommonCfg'],
                      lacks=[r'unassigned', r'access denied', r'virtual'])
        yield program('pci=off/' + machine,
                      [BUSYBOX, 'sh', '-c', 'ls /sys/bus/pci/devices /dev/vda'],
                      lambda c, m=machine: [
                          '--machine', m, '--disk', disk(c, SIZE),
                          '--append', 'pci=off', '--verbose'],
                      status=1, has=[r'/dev/vda: No such file'],
                      lacks=[r'^0000:', r'pci0 at'], needs=[BUSYBOX])
    # No firmware has been there: addresses are this kernel's own choice.
    for name, properties in (('default', ''), ('modern', 'disable-legacy=on'),
                             ('packed', 'packed=on'),
                             ('too few vectors', 'vectors=2,num-queues=4')):
        yield copies(name + '/microvm-pcie', 'microvm-pcie', properties)
    for name, machine, extra, where in BRIDGES:
        yield copies(name, machine, where, extra)
    yield Case('pulled from a root port/q35', lambda c: raw(
        c, 'q35', POWER_OFF + LISTEN, [
            '-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off',
            '-device', 'pcie-root-port,id=b,slot=1',
            '-device', 'virtio-blk-pci,drive=d0,bus=b']),
               timeout=60, needs=[BUSYBOX], act=pulled)
    yield Case('reset/q35', lambda c: raw(c, 'q35', LISTEN, [
        '-device', 'pcie-root-port,id=b,slot=1',
        '-device', 'virtio-blk-pci,drive=d0,bus=b']),
               timeout=60, needs=[BUSYBOX], act=reset)
    yield plug_case('plugged/pc', 'pc', [], {})
    yield plug_case('plugged into a bridge/pc', 'pc',
                    ['-device', 'pci-bridge,id=b,chassis_nr=1'], {'bus': 'b'})
    yield plug_case('plugged into a root port/q35', 'q35',
                    ['-device', 'pcie-root-port,id=b,slot=1'], {'bus': 'b'})
