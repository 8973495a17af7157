# SPDX-License-Identifier: ISC
"""nvme.py - NVMe disks on pc and q35: data both ways, programs that look at
them, errors, time-outs, and disks that come and go by command (HP1 to HP12 are
the cases of docs/hotplug.md)."""
import hashlib
import os
import re
import select
import time

from cases.disk import MIB, disk, holds, pattern
from cases.hotplug_pcie import CUT_POWER, NATIVE
from cases.pci import LISTEN, Session, initrd, wants
from suite.case import Case, Failure, Outcome, deadline
from suite.machine import TEST_ARGS, program, qemu
from suite.monitor import Monitor

BUSYBOX = '/bin/busybox'
NVME = '/usr/sbin/nvme'
SIZE = 4 * MIB
SMALL = MIB // 4
MACHINES = ('pc', 'q35')
SOAK = int(os.environ.get('SOAK_CYCLES', 0))  # make soak


def shell(name, script, machine='pc', cpus=1, word='', add=(), append='',
          size=SIZE, **wanted):
    def options(context):
        out = ['--machine', machine, '--cpus', str(cpus), '--nvme',
               disk(context, size) + word]
        for path in add:
            out += ['--add', path]
        return out + (['--append', append] if append else [])
    return program(name, [BUSYBOX, 'sh', '-c', script], options,
                   needs=[BUSYBOX, *add], **wanted)


def transfers(machine, cpus):
    where = '/%s, %d' % (machine, cpus)
    yield shell('read' + where, 'cat /dev/nvme0n1', machine, cpus,
                stdout=pattern(SIZE))
    yield shell('read past the cache' + where,
                'dd if=/dev/nvme0n1 bs=1M iflag=direct status=none', machine,
                cpus, stdout=pattern(SIZE))
    yield shell('write' + where,
                'dd if=/dev/nvme0n1 of=/x bs=128k count=9 skip=3 2>/dev/null;'
                'dd if=/x of=/dev/nvme0n1 bs=64k seek=40 oflag=direct '
                '2>/dev/null', machine, cpus, stdout=b'',
                check=holds(40 << 16, pattern(SIZE)[3 << 17:12 << 17]))
    yield program('calls' + where, ['guest:glibc/disk', '/dev/nvme0n1'],
                  lambda c: ['--machine', machine, '--cpus', str(cpus),
                             '--nvme', disk(c, 16 * MIB)],
                  lacks=[r'^not ok'], has=[r'^# \d+ passed, 0 failed$'])


def raw(context, machine, script, extra=(), cpus=1, append='', size=SIZE):
    """QEMU itself, with the test's pattern as drive d0."""
    disk(context, size)
    return qemu(context.kernel, initrd(context, script),
                ' '.join([TEST_ARGS, 'PATH=/bin rdinit=/init', append]),
                '96M', machine, control=context.path('control'),
                extra=['-smp', str(cpus), '-blockdev',
                       'raw,node-name=d0,file.driver=file,file.filename='
                       + context.path('disk'), *extra])


def several(context):
    """Four namespaces of three sizes of blocks behind one controller."""
    extra = ['-device', 'nvme,serial=many,id=n']
    for i, size in enumerate((512, 4096, 512, 1024)):
        path = disk(context, SIZE, i + 1, 'n%d' % i)
        extra += ['-drive', 'if=none,id=n%d,format=raw,file=%s' % (i, path),
                  '-device', 'nvme-ns,drive=n%d,bus=n,nsid=%d,'
                  'logical_block_size=%d,physical_block_size=%d'
                  % (i, i * 3 + 1, size, size)]
    return raw(context, 'q35', '''
B=/bin/busybox
for i in 1 4 7 10; do
    $B md5sum /dev/nvme0n$i
    $B blockdev --getss /dev/nvme0n$i
    $B printf nvme | $B dd of=/dev/nvme0n$i bs=1 seek=5000 conv=notrunc,fsync
done 2>/dev/null
$B poweroff -f
''', extra)


def several_wrote(context, outcome):
    for i, size in enumerate((512, 4096, 512, 1024)):
        was = pattern(SIZE, i + 1)
        text = outcome.stdout.decode(errors='replace')
        if hashlib.md5(was).hexdigest() not in text:
            raise Failure('namespace %d was not read' % i)
        with open(context.path('n%d' % i), 'rb') as f:
            if f.read() != was[:5000] + b'nvme' + was[5004:]:
                raise Failure('namespace %d was not written' % i)


def farewell(context):
    return raw(context, 'pc', '/bin/busybox md5sum /dev/nvme0n1\n'
               '/bin/busybox poweroff -f\n', [
                   '-device', 'nvme,serial=a,drive=d0', '-trace',
                   'pci_nvme_mmio_shutdown*', '-D', context.path('trace')])


def was_told(context, _):
    with open(context.path('trace')) as f:
        wants('shutdown bit set', f.read())


# -------------------------------------------------------------- machines --

FLAT = 160              # KiB that any number of rounds may cost
PATIENT = 60            # seconds until what is freed is free
KEPT = 10               # seconds; a node that is kept so long is kept for ever


class Machine(Session):
    """A machine with a shell on its console, and QEMU's monitor."""

    def __init__(self, context, argv):
        super().__init__(context, argv)
        self.execute = None

    def begin(self, context):
        """Waits until it listens."""
        self.disk, self.nodes_made = context.path('disk'), 0
        self.users = {}  # of QEMU's nodes: devices that we added
        self.until(b'READY', 30)
        self.logged('acpi0 at root')  # it hears requests from now on
        self.execute = Monitor(context.path('qmp'))

    def ended(self, n, limit=20):
        """So many of the programs behind have said so, all in all."""
        end, fd = deadline(limit), self.process.stdout.fileno()
        while self.seen.count(b'has ended') < n:
            ready = select.select([fd], [], [], max(0, end - time.monotonic()))
            data = os.read(fd, 65536) if ready[0] else b''
            if not data:
                raise Failure('not all have ended')
            self.seen += data

    def log(self):
        return self.do('/bin/busybox dmesg')

    def logged(self, text, limit=30):
        end = deadline(limit)
        while text not in self.log():
            if time.monotonic() > end:
                raise Failure('no %r in the log' % text)
            time.sleep(0.05)

    def add(self, name, drive='d0', **where):
        """As soon as QEMU has let go of it from the last time."""
        drive, end = self.let_go(drive), deadline(20)
        while True:
            try:
                self.execute('device_add', driver='nvme', id=name, serial=name,
                             drive=drive, **where)
                self.users[name] = drive
                return
            except Failure as wrong:
                again = re.search('in use|conflict|Duplicate', str(wrong))
                if not again or time.monotonic() > end:
                    raise
                time.sleep(0.005)

    def let_go(self, drive):
        """The node, when no device that has gone holds it any more; or another
        one of the same file.  To try it by device_add is no way: QEMU 7.2 keeps
        what it made for one that fails, and looks at all of them each time."""
        end = time.monotonic() + KEPT
        while self.held(drive):
            if time.monotonic() > end:
                return self.same_disk() if drive == 'd0' else drive
            time.sleep(0.005)
        return drive

    def held(self, drive):
        names = [name for name, its in self.users.items() if its == drive]
        if not names or any([self.present(name) for name in names]):
            return False
        for event in self.execute.events:
            if event['event'] == 'DEVICE_DELETED':
                self.users.pop(event['data'].get('device'), None)
        self.execute.events.clear()
        return drive in self.users.values()

    def same_disk(self):
        """QEMU 7.2 may keep the node of a device that is no more for ever."""
        self.nodes_made += 1
        node = 'again%d' % self.nodes_made
        self.execute('blockdev-add', driver='raw', **{
            'node-name': node, 'file': {
                'driver': 'file', 'filename': self.disk, 'locking': 'off'}})
        return node

    def remove(self, name, limit=20):
        """Asks for it, and waits until the slot is empty."""
        self.execute('device_del', id=name)
        end = deadline(limit)
        while time.monotonic() < end:
            if not self.present(name):
                return
            time.sleep(0.005)
        raise Failure('%s is still there after %d s: %s' % (
            name, limit, self.seen[-2000:].decode(errors='replace')))

    def present(self, name):
        try:
            self.execute('qom-get', path='/machine/peripheral/' + name,
                         property='type')
            return True
        except Failure:
            return False

    def sum(self, node='/dev/nvme0n1', limit=20):
        """What is on the disk, as soon as it is there."""
        end = deadline(limit)
        while time.monotonic() < end:
            words = self.do('/bin/busybox md5sum ' + node).split()
            if words and re.fullmatch('[0-9a-f]{32}', words[0]):
                return words[0]
        raise Failure('no %s after %d s' % (node, limit))

    def without(self, node='/dev/nvme0n1', limit=20):
        end = deadline(limit)
        while 'No such' not in self.do('/bin/busybox ls ' + node):
            if time.monotonic() > end:
                raise Failure(node + ' stays')

    def memory(self):
        """Free KiB, less what caches hold."""
        text = self.do("/bin/busybox grep -E '^(MemFree|Cached|Buffers):' "
                       "/proc/meminfo")
        return sum(int(n) for n in re.findall(r':\s+(\d+) kB', text))

    def names(self):
        """What comes and goes with disks: nodes, functions of the bus, open
        files, interrupts.  The folder of the links stays once there was one,
        which needs that its disk stayed long enough."""
        files = self.do('/bin/busybox ls -1d /dev/* /sys/bus/pci/devices/* '
                        '/sys/block/* /sys/class/nvme/* /proc/1/fd/*')
        lines = self.do('/bin/busybox cat /proc/interrupts').splitlines()
        return sorted(set(re.findall(r'^/\S+', files, re.M)) - {'/dev/disk'} | {
            '%s %s' % (line.split()[0], line.split()[-1])
            for line in lines if ':' in line})


def played(play, kind=Machine):
    """What a case does: `play` with such a machine; its log must be clean."""
    def act(context, argv):
        m = kind(context, argv)
        try:
            m.begin(context)
            play(m, context)
            for bad in ('panic', 'kept aside', 'lost', 'nobody'):
                if bad in m.log():
                    raise Failure('%r in the log: %s' % (bad, m.log()))
            return Outcome(0, m.seen, b'', 0)
        except (Failure, OSError) as wrong:
            raise Failure('%s: %s\n--- console\n%s' % (
                type(wrong).__name__, wrong,
                (m.seen + m.rest())[-4000:].decode(errors='replace'))
                          ) from None
        finally:
            m.end()
    return act


def session(name, machine, play, extra=(), cpus=1, append='', limit=90,
            size=SIZE):
    script = '/bin/busybox mount -t proc proc /proc\n' + CUT_POWER + LISTEN
    # Its log would stand between what programs say.
    return Case(name, lambda c: raw(c, machine, script, extra, cpus,
                                    'loglevel=1 ' + append, size),
                timeout=limit, needs=[BUSYBOX], act=played(play))


# ------------------------------------------------------ coming and going --

def again_and_again(rounds, **where):
    """HP1: the same slot, often; all is as it was before."""
    def once(m):
        m.add('x', **where)
        sum_ = m.do('there /dev/nvme0n1; /bin/busybox md5sum /dev/nvme0n1')
        m.remove('x')
        m.do('left /dev/nvme0n1')
        return sum_.split()[0]

    def play(m, context):
        # No program is started to wait a millisecond.
        m.do('/bin/busybox mkfifo /never; exec 9<>/never; '
             'there() { until [ -b $1 ]; do read -t 0.001 x <&9; done; }; '
             'left() { while [ -e $1 ]; do read -t 0.001 x <&9; done; }')
        with open(context.path('disk'), 'rb') as f:
            sum_ = hashlib.md5(f.read()).hexdigest()
        for _ in range(3):  # what is made once and stays
            once(m)
        names, free = m.names(), m.memory()
        for i in range(rounds):
            if SOAK and i % 500 == 0:
                print('%d times, %d KiB less free' % (i, free - m.memory()),
                      flush=True)
            wants(sum_, once(m))
        if m.names() != names:
            raise Failure('%r was %r' % (m.names(), names))
        left = m.memory()
        end = deadline(PATIENT)
        while left < free - FLAT: # some is freed a moment later
            if time.monotonic() > end:
                raise Failure('%d KiB free of %d' % (left, free))
            m.do('read -t 0.1 x <&9')
            left = m.memory()
        if SOAK:
            print('%d times: %d names of nodes, functions, files and interrupts'
                  ' are as before, %d KiB are less free' % (
                      rounds, len(names), free - left), flush=True)
    return play


def under_writes(**where):
    """HP2: asked to go while programs write and sync; the others' disk works
    on, the writers end with EIO or done."""
    def play(m, _):
        m.add('x', **where)
        m.sum()
        # By an open one: the name would be made anew, as a plain file.
        m.do('exec 8<>/dev/nvme0n1')
        m.do('for i in 1 2 3 4; do (while /bin/busybox dd if=/dev/zero '
             'of=/proc/self/fd/8 bs=64k count=16 conv=fsync,notrunc '
             '2>/dev/null; do :; done; echo writer $i has" "ended) & done')
        time.sleep(0.5)
        m.remove('x')
        m.ended(4)
        m.without()
        m.do('exec 8<&-')
    return play


def while_open(**where):
    """HP6: open, and the root of a shell's redirections: it is told EIO, can be
    closed, and the name is not used again before."""
    def play(m, _):
        m.add('x', **where)
        m.sum()
        m.do('exec 7<>/dev/nvme0n1')
        m.do('/bin/busybox head -c 4096 <&7 >/x; echo new >&7')
        m.remove('x')
        m.without()
        wants('error', m.do('/bin/busybox dd bs=4k count=1 <&7 >/x').lower())
        m.add('y', **where)
        m.sum('/dev/nvme1n1')
        m.do('exec 7<&-')
        m.remove('y')
        m.add('z', **where)
        m.sum('/dev/nvme0n1')
    return play


def back_to_back(**where):
    """HP5, HP7: gone before it could be looked at; gone twice; never there."""
    def play(m, _):
        for i in range(12):
            m.add('x', **where)
            time.sleep((0, 0.002, 0.01, 0.05)[i % 4])
            m.remove('x')
        m.add('x', **where)
        for _ in range(400):  # again and again, until it has gone
            try:
                m.execute('device_del', id='x')
            except Failure as wrong:
                if 'not found' in str(wrong):
                    break  # else one is under way, which is enough for QEMU
            time.sleep(0.05)
        m.without()
        m.add('x', **where)
        m.sum()
        try:
            m.execute('device_del', id='never')
            raise Failure('QEMU deletes what is not there')
        except Failure as wrong:
            wants('not found', str(wrong))
        m.remove('x')
    return play


def by_hand(m, _):
    """/sys: removed, found, unbound, bound, while it is read."""
    m.add('x')
    sum_ = m.sum()
    place = m.do('cd /sys/bus/pci/devices; /bin/busybox grep -l 0x010802 '
                 '*/class').split('/')[0].split()[-1]
    for i in range(10):
        m.do('(while /bin/busybox md5sum /dev/nvme0n1 >/dev/null 2>&1; do :; '
             'done; echo reader has" "ended) & :')
        m.do('echo 1 >/sys/bus/pci/devices/%s/remove' % place)
        m.ended(i + 1)
        m.do('echo 1 >/sys/bus/pci/rescan')
        wants(sum_, m.sum())
        m.do('echo %s >/sys/bus/pci/drivers/nvme/unbind' % place)
        m.without()
        m.do('echo %s >/sys/bus/pci/drivers/nvme/bind' % place)
        wants(sum_, m.sum())


def surprise(m, _):
    """HP3: the slot's power goes off while programs read: registers read as
    ones, no interrupt comes.  They get an error within seconds."""
    m.sum()
    m.do('exec 5</dev/nvme0n1')
    m.do('(while /bin/busybox dd if=/dev/nvme0n1 of=/dev/null bs=256k '
         'iflag=direct 2>/dev/null; do :; done; echo reader has" "ended) & :')
    time.sleep(0.3)
    m.do('power_off 0000:00:01.0')
    m.ended(1)
    m.do('echo 1 >/sys/bus/pci/rescan')
    m.without()
    wants('error', m.do('/bin/busybox dd bs=4k count=1 <&5 >/x').lower())


def resets(m, _):
    """A program resets the controller while others read: what is under way
    ends first, what comes meanwhile waits, and no reader notices."""
    sum_ = m.sum()
    m.do('for i in 1 2; do (while [ ! -e /stop ]; do /bin/busybox dd '
         'if=/dev/nvme0n1 bs=64k iflag=direct 2>/dev/null | /bin/busybox '
         'md5sum >>/sums; done; echo reader $i has" "ended) & done')
    for _ in range(8):
        m.do('echo 1 >/sys/class/nvme/nvme0/reset_controller')
        wants('live', m.do('/bin/busybox cat /sys/class/nvme/nvme0/state'))
    m.do('>/stop')
    m.ended(2)
    sums = set(re.findall('[0-9a-f]{32}', m.do('/bin/busybox sort -u /sums')))
    if sums != {sum_}:
        raise Failure('readers read %r, not %r' % (sums, sum_))


def stopped_backend(m, context):
    """The host serves nothing for a while (eight seconds for each read):
    time-outs, aborts, a reset, and then all is as it was."""
    m.execute('object-add', **{'qom-type': 'throttle-group', 'id': 'g',
                               'limits': {'iops-total': 0}})
    m.execute('blockdev-add', driver='throttle', **{
        'node-name': 'slow', 'throttle-group': 'g',
        'file': {'driver': 'raw', 'file': {
            'driver': 'file', 'filename': context.path('disk2')}}})
    m.add('s', 'slow')
    sum_ = m.sum()
    m.execute('qom-set', path='/objects/g', property='limits',
              value={'iops-total': 1, 'iops-total-max': 1, 'iops-size': 512})
    m.do('(/bin/busybox dd if=/dev/nvme0n1 bs=4k count=40 iflag=direct '
         '2>&1 | /bin/busybox md5sum; echo reader has" "ended) & :')
    m.logged('unanswered for')
    m.execute('qom-set', path='/objects/g', property='limits',
              value={'iops-total': 0, 'iops-total-max': 0, 'iops-size': 0})
    m.ended(1, 40)
    wants(sum_, m.sum())


def no_room(m, _):
    """HP9: a bridge without memory for it: an error, and the machine lives."""
    m.do('cat /proc/uptime')
    m.add('x', bus='b')
    m.sum()
    m.remove('x')
    m.without()


def storm(m, _):
    """Rescans from programs while disks come and go."""
    m.do('for i in 1 2 3; do (for k in 1 2 3 4 5 6 7 8 9 10; do echo 1 '
         '>/sys/bus/pci/rescan; done; echo scanner has" "ended) & done')
    for _ in range(6):
        m.add('x')
        m.remove('x')
    m.ended(3)
    m.add('x')
    m.sum()


def two_at_once(m, context):
    m.execute('blockdev-add', driver='raw', **{
        'node-name': 'd1', 'file': {'driver': 'file',
                                    'filename': context.path('disk2')}})
    for _ in range(5):
        m.add('x', bus='a')
        m.add('y', 'd1', bus='b')
        m.sum('/dev/nvme0n1')
        m.sum('/dev/nvme1n1')
        m.execute('device_del', id='x')
        m.remove('y')
        while m.present('x'):
            time.sleep(0.005)
        m.without('/dev/nvme0n1')
        m.without('/dev/nvme1n1')


def with_second_disk(case):
    """The case, with another file for a second disk."""
    command = case.argv

    def argv(context):
        disk(context, SIZE, 9, 'disk2')
        return command(context)
    case.argv = argv
    return case


# ---------------------------------------------------------------- errors --

def errors(context):
    """blkdebug: the third read fails once, and all writes do."""
    rules = context.write('rules', b'''
[inject-error]
event = "read_aio"
errno = "5"
once = "on"
immediately = "off"

[inject-error]
event = "write_aio"
errno = "5"
''')
    argv = raw(context, 'pc', '''
B=/bin/busybox
$B md5sum /dev/nvme0n1
$B dd if=/dev/zero of=/dev/nvme0n1 bs=4k count=1 oflag=direct
$B dd if=/dev/zero of=/dev/nvme0n1 bs=4k count=1 conv=fsync
$B md5sum /dev/nvme0n1
$B poweroff -f
''', ['-drive', 'if=none,id=e,format=raw,file=blkdebug:%s:%s' % (
        rules, context.path('disk')), '-device', 'nvme,drive=e,serial=e'])
    return argv


def tools(machine):
    where = '/' + machine
    add = [NVME]
    yield shell('nvme list' + where, 'nvme list; nvme id-ctrl /dev/nvme0; '
                'nvme id-ns /dev/nvme0n1; nvme smart-log /dev/nvme0; '
                'nvme get-log /dev/nvme0 --log-id=2 --log-len=512 -b | wc -c; '
                'nvme error-log /dev/nvme0 | head -3', machine, add=add,
                append='PATH=/usr/sbin:/bin',
                has=[r'/dev/nvme0n1 .*disk0 .*QEMU NVMe Ctrl',
                     r'sn +: disk0', r'nsze +: 0x2000', r'temperature',
                     r'^512$', r'Error Log Entries'])
    yield shell('nvme reset, format' + where,
                'nvme reset /dev/nvme0; cat /sys/class/nvme/nvme0/state; '
                'nvme format /dev/nvme0n1 --force; md5sum /dev/nvme0n1; '
                'nvme ns-rescan /dev/nvme0; echo $?', machine, add=add,
                append='PATH=/usr/sbin:/bin',
                has=[r'^live', r'not permitted|Permission', r'^0$'],
                check=holds(0, b''))


def cases(_):
    for machine in MACHINES:
        for cpus in (1, 2, 8):
            yield from transfers(machine, cpus)
        yield from tools(machine)
    # QEMU tells nobody that it will not write: the first flush does.
    yield shell('read-only', 'dd of=/dev/nvme0n1 if=/dev/zero count=1 '
                'conv=fsync; echo status $?', word=',ro',
                has=[r'Input/output error', r'^status 1$'],
                check=holds(0, b''))
    yield shell('what is shown', 'cat /proc/partitions; grep nvme '
                '/proc/interrupts; ls /sys/class/nvme/nvme0/nvme0n1/size; '
                'dmesg | grep nvme', cpus=2,
                has=[r'259 +0 +4096 nvme0n1', r'edge +nvme0',
                     r'nvme0 at pci0 dev \d+ function 0: NVMe 1.4, 3 vectors',
                     r'nvme0n1 at nvme0: 4096 KiB'])
    yield program('microvm has no PCI', [BUSYBOX, 'true'],
                  lambda c: ['--nvme', disk(c, SIZE)], status=125,
                  says=[r'microvm has no PCI'], needs=[BUSYBOX])
    yield Case('several namespaces', several, timeout=40, status=None,
               needs=[BUSYBOX], check=several_wrote)
    yield Case('told before power goes', farewell, timeout=40, status=None,
               needs=[BUSYBOX], check=was_told)
    yield Case('errors of the host', errors, timeout=40, status=None,
               needs=[BUSYBOX], has=[r'Input/output error', r'/dev/nvme0n1'])
    # HP10: more processors than vectors, one message, the interrupt line.
    for name, properties in (('two vectors', 'msix_qsize=2'),
                             ('one vector', 'msix_qsize=1'),
                             ('one queue', 'max_ioqpairs=1')):
        yield Case('HP10 %s' % name, lambda c, p=properties: raw(c, 'q35', '''
/bin/busybox dd if=/dev/nvme0n1 bs=64k iflag=direct 2>/dev/null | \
    /bin/busybox md5sum
/bin/busybox md5sum /dev/nvme0n1
/bin/busybox poweroff -f
''', ['-device', 'nvme,serial=a,drive=d0,' + p], 4), timeout=40, status=None,
                   needs=[BUSYBOX], has=[r'(?s)([0-9a-f]{32}).*\1'])
    for machine, extra, where in (
            ('pc', [], {}),
            ('pc', ['-device', 'pci-bridge,id=b,chassis_nr=1'], {'bus': 'b'}),
            ('q35', ['-device', 'pcie-root-port,id=b,slot=1'], {'bus': 'b'}),
            ('q35', [*NATIVE, '-device', 'pcie-root-port,id=b,slot=1'],
             {'bus': 'b'})):
        name = machine + (', bridge' if machine == 'pc' and extra else
                          ', native' if len(extra) > 2 else '')
        # Without the five seconds in which a button could be pressed again.
        append = 'pci.button=0' if len(extra) > 2 else ''
        for cpus in (1, 2) if ',' not in name else (1,):
            at = '/%s, %d' % (name, cpus)
            rounds = SOAK or (4 if append else 25 if name == 'pc' else 10)
            yield session('HP1 again and again' + at, machine,
                          again_and_again(rounds, **where), extra, cpus,
                          append, 180 + 4 * rounds, SMALL)
            yield session('HP2 under writes' + at, machine,
                          under_writes(**where), extra, cpus, append)
            yield session('HP5 back to back' + at, machine,
                          back_to_back(**where), extra, cpus, append)
            yield session('HP6 while open' + at, machine,
                          while_open(**where), extra, cpus, append)
    yield session('by hand/pc', 'pc', by_hand, cpus=2)
    yield session('HP3 surprise/q35', 'q35', surprise, [
        *NATIVE, '-device', 'pcie-root-port,id=b,slot=1', '-device',
        'nvme,serial=a,drive=d0,bus=b'])
    for cpus in (1, 2):
        yield session('resets under load/%d' % cpus, 'q35', resets,
                      ['-device', 'nvme,serial=a,drive=d0'], cpus)
    yield with_second_disk(session('stopped backend/pc', 'pc',
                                   stopped_backend, append='nvme.io_timeout=2'))
    yield session('HP9 bridge/pc', 'pc', no_room, [
        '-device', 'pci-bridge,id=b,chassis_nr=1'])
    yield session('rescan storm/pc', 'pc', storm, cpus=2)
    yield with_second_disk(session('two at once/q35', 'q35', two_at_once, [
        '-device', 'pcie-root-port,id=a,slot=1,chassis=1', '-device',
        'pcie-root-port,id=b,slot=2,chassis=2'], 2))
