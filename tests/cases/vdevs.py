# SPDX-License-Identifier: ISC
"""vdevs.py - virtio devices of several kinds.

Consoles: as console, as control channel, as ports; SCSI disks.
"""
import json
import os
import socket
import subprocess
import time

from suite.case import Case, Failure, Outcome, PATIENCE, deadline
from suite.machine import program, run_command

BUSYBOX = '/bin/busybox'
MACHINES = ('microvm', 'q35')


def shell(name, script, options, **wanted):
    return program(name, [BUSYBOX, 'sh', '-c', script], options,
                   needs=[BUSYBOX], **wanted)


def noise(size):
    return bytes((i * 7 + i // 251 + i // 65521) % 256 for i in range(size))


def with_qemu(context, words):
    """The name of a QEMU that gets more words."""
    return context.write('qemu', b'#!/bin/sh\nexec qemu-system-x86_64 "$@" %s\n'
                         % words.encode(), 0o755)


def consoles():
    for machine in MACHINES:
        virtio = ['--console', 'virtio', '--machine', machine]
        yield shell('console/status/' + machine, 'exit 7', virtio, status=7)
        yield shell('console/signal/' + machine, 'kill -9 $$', virtio,
                    status=137)
        yield program('console/both ways/' + machine, [BUSYBOX, 'cat'], virtio,
                      needs=[BUSYBOX], stdin=noise(1500000),
                      stdout=noise(1500000))
    virtio = ['--console', 'virtio']
    yield shell('console/nodes', 'ls -l /dev/hvc0 /dev/virtio-ports/ /dev/vp*;'
                'cat /dev/vport0p1; cat /dev/hvc1; cat /dev/ttyS0', virtio,
                status=1, has=[
                    r'229, +0 .*/dev/hvc0$', r'remora.control -> ../vport0p2$',
                    r'248, +2 .* /dev/vport0p2$', r'vport0p1.*No such device',
                    r'hvc1.*No such file', r'ttyS0.*No such'])
    yield shell('console/log', 'dmesg | grep -c vtcon0; echo end',
                virtio + ['--verbose'],
                has=[r'^vtcon0 at virtio0: console, 8 ports at most',
                     r'^Remora .*entered', r'^1$', r'^end'])
    yield program('console/panic', [BUSYBOX, 'true'], virtio + [
        '--append', 'remora.test=panic'], status=123, needs=[BUSYBOX],
        says=[r'asked for by remora.test=panic'],
        has=[r'asked for by remora.test=panic'])
    yield program('console/several processors', [BUSYBOX, 'cat'],
                  virtio + ['--cpus', '3'], needs=[BUSYBOX],
                  stdin=noise(400000), stdout=noise(400000))
    yield program('console/slow reader', lambda _: [
        BUSYBOX, 'sh', '-c', 'yes 0123456789 | head -n 60000; exit 3'], virtio,
        needs=[BUSYBOX], act=read_late, status=3,
        stdout=b'0123456789\n' * 60000)
    yield Case('console/terminal', lambda c: run_command(
        c, [BUSYBOX, 'sh', '-c', 'tty; stty size; read x; echo "[$x]"; '
            'trap "echo caught; exit 9" INT; echo ready; while :; do :; done'],
        virtio), status=9, needs=[BUSYBOX], dialogue=[
            (rb'/dev/hvc0\r\n24 80\r\n', b'hellp\x7fo\r'),
            (rb'\[hello\]\r\n', b''), (rb'ready\r\n', b'\x03'),
            (rb'caught\r\n', b'')])


def read_late(_, argv):
    """Nobody reads for a while: the machine waits, and nothing is lost."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    out, err = process.communicate(timeout=50)
    return Outcome(process.returncode, out, err, 0)


class Machine:
    """`remora run` with a QEMU that has a monitor and one port on a socket."""

    def __init__(self, context, argv):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0)  # see end()
        self.context = context
        self.seen = b''
        self.qmp = self.connect('qmp')
        self.replies = self.qmp.makefile('rb')
        self.replies.readline()
        self.command('qmp_capabilities')

    def connect(self, name):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(40 * PATIENCE)
        end = deadline(40)
        while True:
            try:
                s.connect(self.context.path(name))
                return s
            except OSError:
                if time.monotonic() > end:
                    raise Failure('no socket %s' % name) from None
                time.sleep(0.02)

    def command(self, name, **arguments):
        self.qmp.sendall(json.dumps({
            'execute': name, 'arguments': arguments}).encode() + b'\n')
        while True:
            reply = json.loads(self.replies.readline() or b'{"error": "end"}')
            if 'error' in reply:
                raise Failure('%s: %s' % (name, reply['error']))
            if 'return' in reply:
                return reply['return']

    def await_line(self, wanted):
        while True:
            line = self.process.stdout.readline()
            self.seen += line
            if wanted in line:
                return line
            if not line:
                raise Failure('no %r came: %r' % (wanted, self.seen))

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        # This reads what the pipe has, not what a readline() left in a buffer.
        out, err = self.process.communicate(timeout=40)
        return Outcome(self.process.returncode, self.seen + out, err, 0)


def monitored(name, words, script, play, options=(), **wanted):
    """A machine with QMP on the socket `qmp`, and what `play` does with it."""
    def argv(context):
        qemu = with_qemu(context, '-qmp unix:%s,server=on,wait=off %s' % (
            context.path('qmp'), words(context) if callable(words) else words))
        return ['env', 'REMORA_QEMU=' + qemu] + run_command(
            context, [BUSYBOX, 'sh', '-c', script],
            options(context) if callable(options) else options)

    def act(context, command):
        machine = Machine(context, command)
        try:
            play(context, machine)
            return machine.end()
        finally:
            machine.process.kill()
    return Case(name, argv, act=act, needs=[BUSYBOX], **wanted)


PORT = ('-device virtio-serial-%s,id=ports -chardev socket,id=fish,path=%s,'
        'server=on,wait=off -device virtserialport,bus=ports.0,chardev=fish,'
        'id=port,name=org.fish.0')
SLOT = ['--append', 'virtio_mmio.device=512@0xfeb00400:7']
FISH = '/dev/virtio-ports/org.fish.0'


def port(kind):
    return lambda context: PORT % (kind, context.path('fish'))


def talk(context, machine):
    host = machine.connect('fish')  # a port without a host reads as ended
    machine.await_line(b'listening')
    host.sendall(b'from the host\n')
    got = b''
    while len(got) < 300000:
        piece = host.recv(65536)
        if not piece:
            break
        got += piece
    if got != noise(300000):
        raise Failure('the port brought %d bytes, or wrong ones' % len(got))
    host.sendall(b'end\n')
    machine.await_line(b'end')
    host.close()


def remove_port(_, machine):
    machine.await_line(b'listening')
    machine.command('device_del', id='port')
    machine.await_line(b'gone')


def ports():
    script = ('ls -l /dev/vport0p1; exec 5<>%s; cat %s; echo listening; '
              'read x <&5; echo "got $x"; cat /noise >&5; read y <&5; '
              'echo "$y"' % (FISH, FISH))
    for kind, machine, options in (
            ('device,bus=virtio-mmio-bus.2', 'microvm', SLOT),
            ('pci', 'q35', []), ('pci,disable-legacy=on', 'pc', []),
            ('pci,disable-modern=on', 'pc', []),
            ('pci,disable-legacy=on,packed=on', 'q35', [])):
        yield monitored('port/talk/%s/%s' % (machine, kind), port(kind),
                        script, talk, lambda c, m=machine, o=options: [
                            '--machine', m, '--add',
                            c.write('noise', noise(300000)) + ':/noise'] + o,
                        has=[r'248, +1 .* /dev/vport0p1', r'resource busy',
                             r'^got from the host$', r'^end$'])
    yield monitored(
        'port/unplugged', port('device,bus=virtio-mmio-bus.2'),
        'exec 5<>%s; echo listening; cat <&5; echo "gone $?"; echo x >&5; '
        'ls /dev/virtio-ports /dev/vport0p1; echo end' % FISH, remove_port,
        # The host may say before that it has left: then the end is read.
        SLOT, has=[r'No such device', r'^gone [01]$', r'vport0p1: No such file',
                   r'^end$'])


MIB = 1 << 20


def scsi_disk(more='', size=4 * MIB, name='disk'):
    return lambda context: ['--disk', '%s,bus=scsi%s' % (
        context.write(name, noise(size)), more)]


def on_host(offset, data, name='disk'):
    """The host's file has these bytes there, and what it had elsewhere."""
    def check(context, _):
        with open(context.path(name), 'rb') as f:
            got = f.read()
        want = bytearray(noise(len(got)))
        want[offset:offset + len(data)] = data
        if got != want:
            raise Failure('the host has other bytes on the disk')
    return check


def scsi_transfers(kind, options, more):
    def with_disk(extra='', size=4 * MIB):
        return lambda context: options + scsi_disk(more + extra, size)(context)
    yield shell('scsi/read/' + kind, 'cat /dev/sda', with_disk(),
                stdout=noise(4 * MIB))
    yield shell('scsi/write/' + kind,
                'dd if=/dev/sda of=/x bs=128k count=9 skip=3 2>/dev/null;'
                'dd if=/x of=/dev/sda bs=64k seek=40 oflag=direct 2>/dev/null;'
                'ls -l /dev/sda', with_disk(), has=[r'8, +0 .*/dev/sda'],
                check=on_host(40 << 16, noise(4 * MIB)[3 << 17:12 << 17]))
    yield program('scsi/calls/' + kind, ['guest:glibc/disk', '/dev/sda'],
                  with_disk(size=16 * MIB), lacks=[r'^not ok'],
                  has=[r'^# \d+ passed, 0 failed$'])


def scsi_many(context):
    options = []
    for i in range(5):
        options += scsi_disk('', (i + 1) << 16, 'd%d' % i)(context)
    return options


def plug(context, machine):
    machine.await_line(b'listening')
    context.write('late', noise(3 * MIB))
    machine.command('blockdev-add', **{
        'driver': 'raw', 'node-name': 'late', 'file': {
            'driver': 'file', 'filename': context.path('late')}})
    machine.command('device_add', driver='scsi-hd', drive='late', id='latedisk',
                    **{'scsi-id': 7, 'lun': 1})
    machine.await_line(b'plugged')
    machine.command('block_resize', **{'node-name': 'late', 'size': 5 * MIB})
    machine.await_line(b'grown')
    machine.command('device_del', id='latedisk')


def scsi():
    for kind, options, more in (
            ('mmio', [], ''), ('mmio legacy', [], ',transport=legacy'),
            ('pc legacy', ['--machine', 'pc'], ',transport=legacy'),
            ('q35 modern', ['--machine', 'q35', '--cpus', '2'],
             ',transport=modern')):
        yield from scsi_transfers(kind, options, more)
    yield shell('scsi/read-only', 'dd of=/dev/sda if=/dev/zero count=1; '
                'blockdev --getro /dev/sda', scsi_disk(',ro'),
                has=[r'Permission denied', r'^1$'], check=on_host(0, b''))
    yield shell('scsi/five', 'cat /proc/partitions; md5sum < /dev/sde',
                scsi_many, has=[r'8 +64 +320 sde'])
    # Units come, change and go while somebody has one open.
    script = ('echo listening; until [ -b /dev/sdb ]; do sleep 0.05; done; '
              'md5sum </dev/sdb; exec 5</dev/sdb; echo plugged; '
              'until [ "$(blockdev --getsize64 /dev/sdb)" = 5242880 ]; do '
              'sleep 0.05; done; echo grown; while [ -b /dev/sdb ]; do '
              'sleep 0.05; done; dd bs=4096 count=1 <&5 2>&1; dmesg | '
              'grep -c "sdb: 10240 sectors now"; echo end')
    yield monitored('scsi/plugged', '', script, plug, scsi_disk(), has=[
        r'^plugged$', r'^grown$', r'No such device|I/O error|Input/output',
        r'^1$', r'^end$'])


def memory(machine):
    """MemTotal and MemFree of the machine, in KiB, asked by a line."""
    machine.send(b'\n')
    line = machine.await_line(b'MEM ')
    return [int(word) for word in line.split()[1:3]]


def await_memory(machine, good):
    """Asks until `good` says so of (MemTotal, MemFree)."""
    end = deadline(30)
    while not good(*(now := memory(machine))):
        if time.monotonic() > end:
            raise Failure('memory stays at %r' % now)
        time.sleep(0.1)


MEMORY = ("echo listening; while read x; do awk '/^MemTotal/{t=$2} "
          "/^MemFree/{f=$2} END{print \"MEM\", t, f}' /proc/meminfo; done; "
          'dmesg | grep vtballoon; echo end')


def balloon_play(_, machine):
    machine.await_line(b'listening')
    total, free = memory(machine)
    machine.command('balloon', value=40 * MIB)
    # Some goes for the structs of memory that is used for the first time.
    await_memory(machine, lambda t, f: total - 26 * 1024 < t <=
                 total - 24 * 1024 and f < free - 23 * 1024)
    if (got := machine.command('query-balloon')['actual']) != 40 * MIB:
        raise Failure('the host hears of %d bytes' % got)
    # More than can be given: the guest lives on.
    machine.command('balloon', value=MIB)
    await_memory(machine, lambda t, f: t < 12 * 1024)
    machine.command('balloon', value=64 * MIB)
    await_memory(machine, lambda t, f: t > total - 2048 and
                 f > free - 3072)
    if (got := machine.command('query-balloon')['actual']) != 64 * MIB:
        raise Failure('the host hears of %d bytes' % got)
    machine.process.stdin.close()
    machine.process.stdin = None


def need_play(_, machine):
    """A program that needs what is in the balloon gets it."""
    machine.await_line(b'listening')
    machine.command('balloon', value=24 * MIB)
    end = deadline(30)
    while machine.command('query-balloon')['actual'] > 24 * MIB:
        if time.monotonic() > end:
            raise Failure('the balloon does not fill')
        time.sleep(0.1)
    machine.send(b'\n')


def stats_play(_, machine):
    machine.await_line(b'listening')
    end = deadline(30)
    machine.command('qom-set', path='/machine/peripheral/balloon',
                    property='guest-stats-polling-interval', value=1)
    while True:
        got = machine.command('qom-get', path='/machine/peripheral/balloon',
                              property='guest-stats')
        stats = got['stats']
        if got['last-update'] != 0 and stats['stat-total-memory'] > 0:
            break
        if time.monotonic() > end:
            raise Failure('no statistics: %r' % got)
        time.sleep(0.2)
    total, free = memory(machine)
    if stats['stat-total-memory'] != total * 1024 or not \
            (free - 4096) * 1024 < stats['stat-free-memory'] < total * 1024:
        raise Failure('the host hears %r' % stats)
    machine.process.stdin.close()
    machine.process.stdin = None


def resident(machine):
    """KiB of host memory that QEMU has."""
    with open('/proc/%d/task/%d/children' % (machine.process.pid,
                                             machine.process.pid)) as f:
        pid = f.read().split()[0]
    with open('/proc/%s/status' % pid) as f:
        return int(next(line for line in f
                        if line.startswith('VmRSS')).split()[1])


def report_play(_, machine):
    machine.await_line(b'full')
    before = resident(machine)
    machine.send(b'\n')
    machine.await_line(b'freed')
    end = deadline(30)
    while resident(machine) > before - 20 * 1024:
        if time.monotonic() > end:
            raise Failure('%d KiB before, %d after' % (before,
                                                      resident(machine)))
        time.sleep(0.2)
    machine.send(b'\n')


def balloons():
    for kind, words, options in (
            ('mmio', '-device virtio-balloon-device,bus=virtio-mmio-bus.2',
             SLOT),
            ('mmio modern', '-device virtio-balloon-device,'
             'bus=virtio-mmio-bus.2 -global virtio-mmio.force-legacy=off',
             SLOT),
            ('pc legacy', '-device virtio-balloon-pci,disable-modern=on',
             ['--machine', 'pc']),
            ('q35 packed', '-device virtio-balloon-pci,disable-legacy=on,'
             'packed=on', ['--machine', 'q35', '--cpus', '2'])):
        yield monitored('balloon/' + kind, words, MEMORY, balloon_play,
                        options, has=[r'vtballoon0 at .*: balloon, statistics$',
                                      r'^end$'])
    yield monitored(
        'balloon/in need', '-device virtio-balloon-device,'
        'bus=virtio-mmio-bus.2,deflate-on-oom=on',
        'echo listening; read x; dd if=/dev/zero of=/tmp/x bs=1M count=29 '
        '2>&1; rm /tmp/x; echo end', need_play, SLOT,
        has=[r'29\+0 records out', r'^end$'])
    yield monitored(
        'balloon/statistics', '-device virtio-balloon-device,id=balloon,'
        'bus=virtio-mmio-bus.2', MEMORY, stats_play, SLOT, has=[r'^end$'])
    yield monitored(
        'balloon/free blocks', '-device virtio-balloon-device,'
        'bus=virtio-mmio-bus.2,free-page-reporting=on',
        'dd if=/dev/urandom of=/tmp/x bs=1M count=29 2>/dev/null; '
        's=$(md5sum /bin/busybox); echo full; read x; rm /tmp/x; echo freed; '
        'read x; [ "$s" = "$(md5sum /bin/busybox)" ] && dd if=/dev/zero of=/tmp/y bs=1M count=29 2>&1; '
        'dmesg | grep vtballoon0; echo end', report_play, SLOT,
        has=[r'told of free blocks', r'29\+0 records out', r'^end$'])


def vsocks():
    for cpus in ('1', '3'):
        yield program('vsock/within the machine/%s processors' % cpus,
                      ['guest:glibc/vsock'], ['--cpus', cpus],
                      lacks=[r'^not ok', r'no such sockets'],
                      has=[r'^# \d+ passed, 0 failed$'])
    yield shell('vsock/node', 'ls -l /dev/vsock', [], has=[r'10, +121'])


def unbound():
    """Drivers let go of their devices in use, and take them again."""
    yield shell(
        'unbound/scsi', 'cd /sys/bus/virtio/drivers/virtio_scsi; d=$(basename '
        '$(ls -d virtio*)); dd if=/dev/sda of=/dev/null bs=64k 2>/dev/null & '
        'echo $d >unbind; ls /dev/sda; wait; echo $d >bind; until '
        '[ -b /dev/sda ]; do sleep 0.05; done; md5sum </dev/sda; echo end',
        scsi_disk(), has=[r'sda: No such file', r'^[0-9a-f]{32} ', r'^end$'])
    yield Case('unbound/console', lambda context: [
        'env', 'REMORA_QEMU=' + with_qemu(
            context, '-device virtio-serial-device,bus=virtio-mmio-bus.2 '
            '-chardev null,id=n -device virtconsole,chardev=n')] + run_command(
                context, [BUSYBOX, 'sh', '-c', (
                    'cd /sys/bus/virtio/drivers/virtio_console; cat '
                    '/sys/class/virtio-ports/vport0p0/dev /sys/class/tty/hvc0/'
                    'dev; mkfifo /f; (setsid sh -c "trap \'echo hung up '
                    '>>/log; exit\' HUP; exec 3<>/dev/hvc0; echo up >/f; read '
                    'x <&3; echo read \\$? >>/log; sleep 9" & ); read x </f; '
                    'd=$(basename $(ls -d virtio*)); echo $d >unbind; ls '
                    '/dev/hvc0; until [ -s /log ]; do sleep 0.05; done; '
                    'cat /log; echo $d >bind; echo x >/dev/hvc0; echo end')],
                SLOT), needs=[BUSYBOX], has=[
                    r'^248:0$', r'^229:0$', r'hvc0: No such file',
                    r'^hung up$', r'^end$'])


def typed_mount():
    """A folder of the host, mounted by hand: busybox's mount and Debian's."""
    options = 'trans=virtio,version=9p2000.L,msize=65536'
    return Case('9p/mounted by hand', lambda context: [
        'env', 'REMORA_QEMU=' + with_qemu(
            context, '-fsdev local,id=hand,security_model=none,path=%s -device '
            'virtio-9p-device,fsdev=hand,mount_tag=hand,'
            'bus=virtio-mmio-bus.2' % os.path.dirname(
                context.write('share/file', b'from the host\n')))] +
        run_command(context, [BUSYBOX, 'sh', '-c', (
            'mkdir /m; for mount in "busybox mount" /bin/mount; do $mount -t '
            '9p -o %s hand /m; cat /m/file; grep 9p /proc/mounts; '
            'busybox umount /m; done' % options)],
                    ['--add', '/bin/mount'] + SLOT), needs=[
                        BUSYBOX, '/bin/mount'], has=[
                            r'(?s)from the host.*msize=65536.*from the host'])


def cases(_):
    yield typed_mount()
    yield from unbound()
    yield from vsocks()
    yield from balloons()
    yield from scsi()
    yield from consoles()
    yield from ports()
