# SPDX-License-Identifier: ISC
"""removal.py - what may be in the way of a disk that goes, or comes:
maps, mounts, verified transfers, a restart of the machine, a slot that is
switched off meanwhile, interrupts of every kind, namespaces that are
detached; and network cards in use."""
import contextlib
import hashlib
import http.server
import os
import re
import subprocess
import time

from cases.disk import MIB, pattern
from cases.hotplug_pcie import NATIVE
from cases.nvme import (BUSYBOX, NVME, SIZE, SMALL, Machine, again_and_again,
                        played, session, with_second_disk)
from cases.pci import wants
from suite.case import Case, Failure, PATIENCE, deadline
from suite.machine import LISTENING, guest_path, run_command
from suite.web import web_server

FIO = '/usr/bin/fio'
PORT = ['-device', 'pcie-root-port,id=b,slot=1']
BARE = [*NATIVE, *PORT]
ON = '0000:00:01.0'     # where the port is


class Program(Machine):
    """`remora run` of a shell that does what it is told, and QEMU's monitor."""

    def __init__(self, context, argv):
        self.start(context, argv)
        self.execute = None


def with_qemu_words(words):
    """More words for QEMU: its wrapper is what `remora run` starts."""
    def options(context):
        context.write('qemu', b'#!/bin/sh\nexec qemu-system-x86_64 "$@" %s\n'
                      % words(context).encode(), 0o755)
        return []
    return options


def program(name, play, machine='pc', cpus=1, add=(), options=(), needs=(),
            append='', limit=120):
    """A session with programs of this host."""
    def argv(context):
        words = ['--machine', machine, '--cpus', str(cpus), '--qmp',
                 context.path('qmp')]
        for path in add(context) if callable(add) else add:
            words += ['--add', path]
        if append:
            words += ['--append', append]
        words += options(context) if callable(options) else options
        command = run_command(context, [
            BUSYBOX, 'sh', '-c', 'echo READY; ' + LISTENING], words,
            limit=limit * PATIENCE)
        if os.path.exists(context.path('qemu')):
            command = ['env', 'REMORA_QEMU=' + context.path('qemu')] + command
        return command
    return Case(name, argv, timeout=limit, needs=[BUSYBOX, *needs],
                act=played(play, Program))


def node(m, context, name, content=None, **more):
    """A node of QEMU's with a file behind it."""
    context.write(name, pattern(SIZE, 5) if content is None else content)
    m.execute('blockdev-add', driver='raw', **{
        'node-name': name, 'file': {'driver': 'file',
                                    'filename': context.path(name)}, **more})


def slowed(m, context, name='slow'):
    """The same behind a throttle, which is open."""
    m.execute('object-add', **{'qom-type': 'throttle-group', 'id': 'g',
                               'limits': {'iops-total': 0}})
    node(m, context, name + '-file')
    m.execute('blockdev-add', driver='throttle', **{
        'node-name': name, 'throttle-group': 'g', 'file': name + '-file'})


def throttle(m, iops):
    m.execute('qom-set', path='/objects/g', property='limits',
              value={'iops-total': iops, 'iops-total-max': iops})


def absent(m, name):
    """Waits until the host's side is no more."""
    end = deadline(20)
    while m.present(name):
        if time.monotonic() > end:
            raise Failure(name + ' stays')
        time.sleep(0.01)


def behind(m, n, command):
    """Runs it in the background; ended(n) when it was the n-th to end."""
    m.do('(%s; echo program %d has" "ended) & :' % (command, n))


# --------------------------------------------------------- what is under way

def pulled_while_asked(m, context):
    """HP4: asked to go while its host serves nothing, so that it waits; then
    its slot loses power, sooner or later.  Who writes gets an error, and the
    next card works."""
    slowed(m, context)
    for i in range(4):
        throttle(m, 0)
        m.add('x', 'slow', bus='b')
        m.sum()
        m.do('exec 8<>/dev/nvme0n1')
        throttle(m, 1)
        for k in (1, 2):
            behind(m, 3 * i + k, 'while /bin/busybox dd if=/dev/zero '
                   'of=/proc/self/fd/8 bs=4k count=16 oflag=direct '
                   'conv=notrunc 2>/dev/null; do :; done')
        behind(m, 3 * i + 3, '/bin/busybox usleep %d; power_off %s' % (
            i * 150000, ON))
        try:
            m.execute('device_del', id='x')
        except Failure as wrong:
            wants('not found', str(wrong))  # it was pulled before
        m.ended(3 * i + 3)
        m.without()
        m.do('exec 8<&-')
        absent(m, 'x')


def late_answers(m, context):
    """HP12: what a controller was to read into memory when it went does not
    come there later, when the memory is somebody else's."""
    slowed(m, context)
    m.add('x', 'slow')
    m.sum()
    m.do('exec 8</dev/nvme0n1')
    throttle(m, 1)
    for k in (1, 2, 3):
        behind(m, k, '/bin/busybox dd bs=64k count=8 iflag=direct <&8 '
               '>/dev/null 2>&1')
    m.execute('device_del', id='x')
    m.ended(3)
    m.without()
    # As much of the memory as there is, in other hands, before and after.
    m.do('/bin/busybox dd if=/dev/zero of=/big bs=64k count=700 2>/dev/null')
    before = m.do('/bin/busybox md5sum /big').split()[0]
    throttle(m, 0)
    absent(m, 'x')
    wants(before, m.do('/bin/busybox md5sum /big'))


def mapped(m, context, **where):
    """HP6: mapped, with a page that was written; SIGBUS behind its end, and no
    name, no size, no data."""
    node(m, context, 'mapped')
    for _ in range(2):
        m.add('x', 'mapped', **where)
        m.sum()
        m.process.stdin.write(b'/disk_gone /dev/nvme0n1 host\n')
        m.process.stdin.flush()
        m.until(b'# it may go')
        m.remove('x')
        wants('passed, 0 failed', m.until(b' failed'))
        m.without()


def mounted(m, _):
    """A folder of the host is mounted, and in use, when its card goes."""
    m.do('mkdir /m; mount -t 9p -o trans=virtio,version=9p2000.L hand /m')
    wants('from the host', m.do('cat /m/file'))
    m.do('exec 7</m/file; cd /m')
    m.execute('device_del', id='share')
    absent(m, 'share')
    for command in ('cat <&7', 'cat /m/other', 'ls /m', 'echo x >/m/new'):
        if not re.search('error|no such device', got := m.do(
                command + ' 2>&1').lower()):
            raise Failure('%s: %r' % (command, got))
    m.do('cd /; exec 7<&-; umount /m || umount -l /m')
    if '/m ' in m.do('cat /proc/mounts'):
        raise Failure('it stays mounted')


# ------------------------------------------------------------------ restarts

def restarts(m, context):
    """The host restarts the machine: with a disk that came, under reads; and
    when it was just asked for.  Each has a file of its own: QEMU may hold the
    last one's for ever, for a transfer that the restart cut off."""
    sum_ = None
    for i in range(3):
        node(m, context, 'file%d' % i)
        m.add('x%d' % i, 'file%d' % i)
        sum_ = sum_ or m.sum()
        wants(sum_, m.sum())
        behind(m, 1, 'while /bin/busybox dd if=/dev/nvme0n1 of=/dev/null '
               'bs=64k iflag=direct 2>/dev/null; do :; done')
        if i == 1:
            m.execute('device_del', id='x1')
        m.execute('system_reset')
        m.until(b'READY')
        m.logged('acpi0 at root')
        if i == 1:      # a restart ejects what was asked for
            absent(m, 'x1')
            m.without()
            continue
        wants(sum_, m.sum())
        m.remove('x%d' % i)
        m.without()


def restarting(name, machine, extra=(), cpus=1):
    case = session(name, machine, restarts, extra, cpus)
    command = case.argv

    def argv(context):
        return [word for word in command(context) if word != '-no-reboot']
    case.argv = argv
    return case


# ------------------------------------------------------------------ verified

FIO_JOB = """[global]
direct=1
thread
ioengine=libaio
iodepth=8
bsrange=4k-32k
verify=crc32c
verify_fatal=1
size=1m
offset_increment=1m
numjobs=2
group_reporting
[w]
rw=randwrite
"""


def fio_while_pulled(rounds):
    """fio writes and verifies one disk without end, while another comes, is
    verified by fio too, and goes under it; the host verifies the first."""
    def play(m, context):
        m.do('cd /; (until [ -e /stop ]; do /usr/bin/fio /job '
             '--filename=/dev/vda >/out 2>&1 || cp /out /bad; done; '
             '/usr/bin/fio /job --filename=/dev/vda >/out 2>&1 || '
             'cp /out /bad; echo program 0 has" "ended) & :')
        node(m, context, 'pulled', bytes(4 << 20))
        for i in range(rounds):
            m.add('x', 'pulled')
            m.sum()
            m.do('fio /job --filename=/dev/nvme0n1 >/out1 2>&1; '
                 'echo "status $?" >>/out1')
            wants('status 0', m.do('tail -1 /out1'))
            m.do("writes() { awk '$3 == \"nvme0n1\" { print $8 }' "
                 '/proc/diskstats; }; before=$(writes)')
            m.do('(fio /job --filename=/dev/nvme0n1 --time_based '
                 '--runtime=600 >/out2 2>&1; echo program has" "ended) & :')
            m.do('until [ $(writes) -gt $((before + 100)) ]; do :; done')
            m.remove('x')
            m.ended(i + 1)
            if 'verify:' in m.do('cat /out2'):
                raise Failure('fio found other bytes: ' + m.do('cat /out2'))
            m.without()
        m.do('>/stop')
        m.ended(rounds + 1)
        wants('No such', m.do('ls /bad'))
        done = subprocess.run(
            [FIO, context.path('job'), '--filename=' + context.path('disk'),
             '--direct=0', '--ioengine=psync', '--verify_only=1'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=context.folder)
        if done.returncode != 0:
            raise Failure('on the host: ' + done.stdout.decode())
    return play


def with_fio(name, cpus, rounds):
    def add(context):
        context.write('job', FIO_JOB.encode())
        return [context.path('job') + ':/job', FIO]

    def options(context):
        return ['--memory', '512M', '--disk',
                context.write('disk', bytes(4 << 20))]
    return program(name, fio_while_pulled(rounds), 'pc', cpus, add, options,
                   [FIO], limit=180)


# -------------------------------------------------------------------- units

def units(m, context):
    """Units of a SCSI host come and go under writes, by its events."""
    free = None
    for i in range(12):
        if i == 2:
            free = m.memory()
        node(m, context, 'unit%d' % i)  # QEMU holds the last one's a while
        m.execute('device_add', driver='scsi-hd', drive='unit%d' % i, id='u',
                  bus='scsi.0', **{'scsi-id': 3, 'lun': i % 3})
        m.sum('/dev/sda')
        m.do('exec 8<>/dev/sda')
        behind(m, i + 1, 'while dd if=/dev/zero of=/proc/self/fd/8 bs=64k '
               'count=4 conv=notrunc oflag=direct 2>/dev/null; do :; done')
        m.remove('u')
        m.ended(i + 1)
        m.without('/dev/sda')
        m.do('exec 8<&-')
    if m.memory() < free - 96:
        raise Failure('%d KiB free of %d' % (m.memory(), free))


# ---------------------------------------------------------------- interrupts

def counts(m, name, cpus):
    """How often the disk's messages came to each processor."""
    sums = [0] * cpus
    for line in m.do('grep %s /proc/interrupts' % name).splitlines():
        words = line.split()
        if words and re.fullmatch(r'\d+:', words[0]):
            for i in range(cpus):
                sums[i] += int(words[1 + i])
    return sums


def own_processor(cpus, name='nvme0', disk='/dev/nvme0n1'):
    """What a processor reads is answered to itself."""
    def play(m, _):
        m.do('PATH=/bin:/usr/bin')
        m.sum(disk)
        read = ('/bin/busybox taskset %x /bin/busybox dd if=' + disk +
                ' of=/dev/null bs=4k count=%d iflag=direct 2>/dev/null')
        for cpu in range(cpus):
            m.do(read % (1 << cpu, 2))  # its message moves with the first
            before = counts(m, name, cpus)
            m.do(read % (1 << cpu, 40))
            more = [b - a for a, b in zip(before, counts(m, name, cpus))]
            if more[cpu] < 20 or sum(more) != more[cpu]:
                raise Failure('of 40 reads of processor %d came %r'
                              % (cpu, more))
    return play


def fewer_queues(m, _):
    """A disk with two queues, on four processors: each has its message."""
    m.do('PATH=/bin:/usr/bin')
    for cpu in range(4):
        m.do('/bin/busybox taskset %x /bin/busybox dd if=/dev/vda of=/dev/null '
             'bs=4k count=40 iflag=direct 2>/dev/null' % (1 << cpu))
    lines = m.do('grep virtio0 /proc/interrupts').splitlines()
    sums = [sum(map(int, line.split()[1:5])) for line in lines if ':' in line]
    if len(sums) != 3 or min(sums[1:]) < 40:
        raise Failure('%r interrupts' % sums)


def lines_only(first, second):
    """The interrupt line, shared by all queues, and by two controllers."""
    def play(m, context):
        node(m, context, 'other')
        m.add('x', **first)
        one = m.sum()
        m.add('y', 'other', **second)
        two = m.sum('/dev/nvme1n1')
        for k, name in ((1, '/dev/nvme0n1'), (2, '/dev/nvme1n1')):
            behind(m, k, 'for i in 1 2 3 4 5 6; do /bin/busybox dd bs=64k '
                   'iflag=direct if=%s 2>/dev/null | /bin/busybox md5sum '
                   '>>/sums%d; done' % (name, k))
        m.ended(2)
        for k, sum_ in ((1, one), (2, two)):
            got = re.findall('[0-9a-f]{32}', m.do('/bin/busybox cat /sums%d' %
                                                  k))
            if got != [sum_] * 6:
                raise Failure('disk %d: %r, not %r' % (k, got, sum_))
        wants('1 vector, int', m.log())
        m.remove('x')
        wants(two, m.sum('/dev/nvme1n1'))
        m.remove('y')
    return play


# --------------------------------------------------------------- namespaces

def detached(m, _):
    """A namespace is detached from its controller while it is read, and comes
    back; the other one goes on."""
    m.do('B=/bin/busybox; exec 2>&1')
    one, two = m.sum('/dev/nvme0n1'), m.sum('/dev/nvme0n2')
    for i in range(3):
        m.do('exec 7</dev/nvme0n2')
        behind(m, i + 1, 'while dd bs=64k count=1 skip=3 iflag=direct <&7 '
               '>/dev/null 2>&1; do :; done')
        wants('detach-ns: Success', m.do(
            'nvme detach-ns /dev/nvme0 --namespace-id=2 --controllers=0'))
        m.without('/dev/nvme0n2')
        m.ended(i + 1)
        wants('error', m.do('dd bs=4k count=1 <&7 2>&1 >/x').lower())
        m.do('exec 7<&-')
        wants(one, m.sum('/dev/nvme0n1'))
        wants('attach-ns: Success', m.do(
            'nvme attach-ns /dev/nvme0 --namespace-id=2 --controllers=0'))
        wants(two, m.sum('/dev/nvme0n2'))


def with_namespaces(context):
    words = '-device nvme-subsys,id=s -device nvme,serial=many,subsys=s,id=n'
    for i in (1, 2):
        words += (' -drive if=none,id=n%d,format=raw,file=%s -device '
                  'nvme-ns,drive=n%d,bus=n,nsid=%d' % (
                      i, context.write('n%d' % i, pattern(SIZE, i)), i, i))
    return words


# ------------------------------------------------------------ network cards

SENT = pattern(MIB // 4)


class Files(http.server.BaseHTTPRequestHandler):
    """One file, whatever is asked for."""

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(SENT)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked may be no more
            self.wfile.write(SENT)

    def log_message(self, *_):
        pass


def net_card(m, _):
    """HP11: a card with sockets that receive, listen and send goes; they end,
    or end when they are asked to.  The next one carries the same again."""
    sum_ = hashlib.md5(SENT).hexdigest()
    with web_server(Files) as port:
        for i in range(3):
            m.execute('netdev_add', type='user', id='u%d' % i)
            m.execute('device_add', driver='virtio-net-pci',
                      netdev='u%d' % i, id='card')
            m.do('until ifconfig eth0 >/dev/null 2>&1; do usleep 10000; done; '
                 'ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up')
            get = 'wget -q -O %s http://10.0.2.2:' + '%d/f' % port
            m.do(get % '/f')
            wants(sum_, m.do('md5sum /f'))
            behind(m, 3 * i + 1, 'while %s; do :; done' % (get % '/dev/null'))
            behind(m, 3 * i + 2, 'nc -l -p 7000')
            behind(m, 3 * i + 3, 'while echo x; do :; done | nc -u 10.0.2.2 9 '
                   '2>/dev/null')
            m.do('until [ $(cat /sys/class/net/eth0/statistics/rx_packets) '
                 '-gt 500 ]; do usleep 10000; done')
            m.execute('device_del', id='card')
            absent(m, 'card')
            wants('no such', m.do('ls /sys/class/net/eth0 2>&1').lower())
            wants('unreachable', m.do(get % '/f' + ' 2>&1').lower())
            # Who waits for what may come later is asked to end, until he has.
            end = deadline(20)
            while m.seen.count(b'has ended') < 3 * i + 3:
                if time.monotonic() > end:
                    raise Failure('a program does not end')
                m.do('killall nc wget 2>/dev/null; usleep 50000')
            m.execute('netdev_del', id='u%d' % i)


def cable_pulled(m, _):
    """A card's link goes and comes: it is told, and who has begun goes on."""
    eth0 = '/sys/class/net/eth0/'
    with web_server(Files) as port:
        get = 'wget -q -O /f http://10.0.2.2:%d/f' % port
        m.execute('netdev_add', type='user', id='u')
        m.execute('device_add', driver='virtio-net-pci', netdev='u', id='card')
        m.do('until ifconfig eth0 >/dev/null 2>&1; do usleep 10000; done; '
             'ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up')
        m.do(get)
        for i in range(3):
            m.execute('set_link', name='card', up=False)
            m.do('until grep -q 0 %scarrier; do usleep 10000; done' % eth0)
            wants('down', m.do('cat %soperstate' % eth0))
            wants('NO-CARRIER', m.do('ip link show eth0'))
            behind(m, i + 1, 'rm -f /f; ' + get)
            m.do('until grep -q " 02 " /proc/net/tcp; do usleep 10000; done')
            m.execute('set_link', name='card', up=True)
            m.do('until grep -q 1 %scarrier; do usleep 10000; done' % eth0)
            wants('up', m.do('cat %soperstate' % eth0))
            m.ended(i + 1)
            wants(hashlib.md5(SENT).hexdigest(), m.do('md5sum /f'))


def cases(_build):
    yield with_second_disk(session(
        'HP4 pulled while asked/q35, native', 'q35', pulled_while_asked, BARE,
        2, 'pci.button=0', 120))
    yield session('HP12 late answers/pc', 'pc', late_answers)
    for machine, where in (('pc', {}), ('q35', {'bus': 'port0'})):
        yield program('HP6 mapped/' + machine, lambda m, c, w=where: mapped(
            m, c, **w), machine, 2, lambda c: [guest_path(
                c, 'guest:glibc/disk_gone') + ':/disk_gone'])
    for cpus in (1, 2):
        yield restarting('restarts/pc, %d' % cpus, 'pc', cpus=cpus)
    for cpus, rounds in ((1, 1), (2, 2), (8, 1)):
        yield with_fio('fio verifies/pc, %d' % cpus, cpus, rounds)
    yield program('units/pc', units, 'pc', 2, options=with_qemu_words(
        lambda c: '-device virtio-scsi-pci,id=scsi'))
    yield program('mounted/pc', mounted, 'pc', options=with_qemu_words(
        lambda c: '-fsdev local,id=hand,security_model=none,path=%s -device '
        'virtio-9p-pci,id=share,fsdev=hand,mount_tag=hand' % os.path.dirname(
            c.write('share/file', b'from the host\n'))))
    for cpus in (2, 8):
        yield session("a processor's own/q35, %d" % cpus, 'q35',
                      own_processor(cpus), ['-device', 'nvme,serial=a,drive=d0'],
                      cpus)
    for device, disk in (('virtio-blk-pci,num-queues=2,drive=d0', '/dev/vda'),
                         ('virtio-scsi-pci,num_queues=2', '/dev/sda')):
        more = [] if 'drive' in device else ['-device', 'scsi-hd,drive=d0']
        yield session("a processor's own/" + device.split('-pci')[0], 'q35',
                      own_processor(2, 'virtio0', disk),
                      ['-device', device, *more], 2)
    yield session('fewer queues/virtio-blk', 'pc', fewer_queues, [
        '-device', 'virtio-blk-pci,num-queues=2,drive=d0'], cpus=4)
    for machine, extra, where in (('pc', [], {}), ('q35', PORT, {'bus': 'b'})):
        yield session('HP1 again and again/%s, 8' % machine, machine,
                      again_and_again(6, **where), extra, 8, size=SMALL)
        yield session('lines only, again and again/' + machine, machine,
                      again_and_again(8, **where), extra, 2, 'pci=nomsi',
                      size=SMALL)
    two = ['-device', 'pcie-root-port,id=a,slot=1,chassis=1', '-device',
           'pcie-root-port,id=b,slot=2,chassis=2']
    for machine, cpus, extra, where in (
            ('pc', 2, (), ({}, {})),
            ('q35', 8, two, ({'bus': 'a'}, {'bus': 'b'}))):
        yield session('lines only/%s, %d' % (machine, cpus), machine,
                      lines_only(*where), extra, cpus, 'pci=nomsi', 180)
    yield program('HP11 network card/pc', net_card, 'pc', 2, limit=180)
    yield program('cable pulled/pc', cable_pulled, 'pc', limit=180)
    yield program('namespaces detached/pc', detached, 'pc', 2, [NVME],
                  with_qemu_words(with_namespaces), [NVME], limit=180)
