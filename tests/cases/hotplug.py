# SPDX-License-Identifier: ISC
"""hotplug.py - disks that come and go while the machine runs: ACPI tells of
them, on pc and on q35.

QEMU says DEVICE_DELETED when the guest has ejected what it was asked for.
"""
import re

from cases.disk import pattern
from cases.pci import BUSYBOX, Session, raw, wants
from suite.case import Case, Failure, Outcome
from suite.machine import LISTENING
from suite.monitor import LIMIT, Monitor

LISTEN = '''
/bin/busybox mount -t proc proc /proc 2>/dev/null
/bin/busybox mount -t sysfs sysfs /sys 2>/dev/null
/bin/busybox dmesg -n 1 # lines of the log would stand in the answers
there() { while [ ! -b $1 ]; do /bin/busybox usleep 2000; done; }
left() { while [ -e $1 ]; do /bin/busybox usleep 2000; done; }
memory() { /bin/busybox awk '/^MemFree/ { print "free", $2 }' /proc/meminfo; }
# ACPI has said that it listens
while ! /bin/busybox dmesg | /bin/busybox grep -q '\\] acpi0 at'; do
    /bin/busybox usleep 10000
done
echo READY
''' + LISTENING + '\n'
FLAT = 160              # KiB that many rounds may cost
PORT = ['-device', 'pcie-root-port,id=p%d,slot=%d,chassis=%d']


# How a disk is called in the guest, and where the second one stands.
NAMES = {'virtio-blk-pci': ('/dev/vda', '/dev/vdb'),
         'nvme': ('/dev/nvme0n1', '/dev/nvme1n1')}


class Board:
    """A machine, its shell and its monitor, with a spare place for a disk."""

    def __init__(self, context, argv, driver, where):
        self.session = Session(context, argv)
        self.driver, self.where = driver, where
        self.disk, self.other = NAMES[driver]
        try:
            self.session.until(b'READY')
            self.monitor = Monitor(context.path('qmp'))
        except BaseException:
            self.end()
            raise

    def do(self, line):
        return self.session.do(line.replace('DISK', self.disk)
                               .replace('OTHER', self.other))

    def add(self, name='new', drive='n0', **more):
        place = dict(self.where)
        place.update(more)
        if self.driver == 'nvme':
            place['serial'] = name
        self.monitor('device_add', driver=self.driver, drive=drive, id=name,
                     **place)

    def remove(self, name='new'):
        self.monitor('device_del', id=name)

    def free(self):
        return int(re.search(r'free (\d+)', self.do('memory')).group(1))

    def end(self):
        self.session.end()

    def play(self, act):
        """A failure comes with what the machine has said, and its log."""
        try:
            act(self)
        except (Failure, TimeoutError) as wrong:
            seen = self.session.seen + self.session.rest()
            raise Failure('%s; events %s\n%s' % (
                wrong, self.monitor.events,
                seen.decode(errors='replace'))) from None
        return Outcome(0, self.session.seen, b'', 0)


def board(act, driver='virtio-blk-pci', where=None):
    def run(context, argv):
        machine = Board(context, argv, driver, where or {})
        try:
            return machine.play(act)
        finally:
            machine.end()
    return run


def md5(text):
    return re.search(r'\b[0-9a-f]{32}\b', text).group(0)


def cycles(rounds):
    """Comes, is read, is asked for, goes; over and over."""
    def act(m):
        sum_ = before = None
        for i in range(rounds):
            m.add()
            text = m.do('there DISK; /bin/busybox md5sum DISK')
            sum_ = sum_ or md5(text)
            wants(sum_, text)
            m.remove()
            m.monitor.deleted('new')
            wants("can't open", m.do('/bin/busybox md5sum DISK'))
            if i == rounds // 4:
                before = m.free()
        used = before - m.free()
        if used > FLAT:
            raise Failure('%d KiB went in %d rounds' % (used, rounds))
    return act


def busy(m):
    """Open, and written to, while it is ejected: who writes gets an error."""
    for _ in range(5):
        m.add()
        m.do('there DISK; exec 5<>DISK')
        m.do('{ (while /bin/busybox dd if=/dev/zero bs=64k count=8 '
             'oflag=direct conv=notrunc of=/proc/self/fd/5 2>/dev/null; '
             'do :; done; echo writer has ended) & }')
        m.remove()
        m.monitor.deleted('new')
        m.session.until(b'writer has ended', LIMIT)
        wants('error', m.do('/bin/busybox dd bs=4k count=1 <&5 2>&1 '
                            '>/dev/null').lower())
        m.do('exec 5>&-')
        wants("can't open", m.do('/bin/busybox md5sum DISK'))


def at_once(m):
    """Two come, and two go, faster than they are handled."""
    for _ in range(10):
        m.add('one', 'n0', **m.first)
        m.add('two', 'n1', **m.second)
        m.do('there DISK; there OTHER')
        m.do('/bin/busybox cat DISK OTHER >/dev/null')
        m.remove('one')
        m.remove('two')
        m.monitor.deleted('one')
        m.monitor.deleted('two')
        m.do('left DISK; left OTHER')


def two(first, second):
    def act(m):
        m.first, m.second = first, second
        at_once(m)
    return act


def back_to_back(m):
    """Asked for before it has been looked at, and back as soon as it is out."""
    for _ in range(20):
        m.add()
        m.remove()
        m.monitor.deleted('new')
    m.add()
    text = m.do('there DISK; /bin/busybox md5sum DISK')
    m.remove()
    m.monitor.deleted('new')
    m.add()
    wants(md5(text), m.do('there DISK; /bin/busybox md5sum DISK'))


def images(context):
    """Nodes n0 and n1: they stay when a disk on them goes."""
    out = []
    for i, content in enumerate((pattern(1 << 20), pattern(1 << 20, 5))):
        out += ['-blockdev', 'driver=raw,node-name=n%d,file.driver=file,'
                'file.filename=%s' % (i, context.write('n%d' % i, content))]
    return out


def asked_when(said):
    """Asked to go while the machine has not begun (None), or when it has just
    said that: nobody listens yet."""
    def act(context, argv):
        session = Session(context, argv + ['-S'])
        try:
            monitor = Monitor(context.path('qmp'))
            if said is None:
                monitor('device_del', id='new')
            monitor('cont')
            if said is not None:
                session.until(said)
                monitor('device_del', id='new')
            monitor.deleted('new')
            session.until(b'READY')
            session.do('left /dev/vda')
            return Outcome(0, session.seen, b'', 0)
        finally:
            session.end()
    return act


def case(name, machine, act, extra=(), where=None, driver='virtio-blk-pci',
         cpus=1, timeout=120):
    return Case(name, lambda c: raw(c, machine, LISTEN, [
        *images(c), '-smp', str(cpus), *extra]), timeout=timeout, needs=[BUSYBOX],
                act=board(act, driver, where))


def ports(n):
    return [word % ((i + 1,) * 3) if '%' in word else word
            for i in range(n) for word in PORT]


def cases(_build):
    for machine, extra in (('pc', []), ('q35', ports(1))):
        bus = ',bus=p1' if extra else ''
        for name, said in (('', None), (', tables read', b'acpi: '),
                           (', bus found', b'pci0 at'),
                           (', disk found', b'vtblk0 at')):
            yield Case('before anybody listens%s/%s' % (name, machine),
                       lambda c, m=machine, e=extra, b=bus: raw(c, m, LISTEN, [
                           *images(c), *e, '-device',
                           'virtio-blk-pci,drive=n0,id=new' + b]),
                       timeout=60, needs=[BUSYBOX], act=asked_when(said))
    bridge = ['-device', 'pci-bridge,id=b,chassis_nr=1']
    for cpus in (1, 4):
        yield case('cycles/pc/%d' % cpus, 'pc', cycles(40), cpus=cpus)
        yield case('cycles/q35/%d' % cpus, 'q35', cycles(40), ports(1),
                   {'bus': 'p1'}, cpus=cpus)
    yield case('cycles behind a bridge/pc', 'pc', cycles(20), bridge,
               {'bus': 'b'})
    for machine, extra, where, first, second in (
            ('pc', (), {}, {'addr': '6'}, {'addr': '8'}),
            ('q35', ports(2), {'bus': 'p1'}, {}, {'bus': 'p2'})):
        for act, name in ((cycles(20), 'cycles'), (busy, 'busy'),
                          (two(first, second), 'two at once'),
                          (back_to_back, 'back to back')):
            yield case('nvme %s/%s' % (name, machine), machine, act, extra,
                       where, 'nvme')
        yield case('busy/' + machine, machine, busy, extra, where)
        yield case('two at once/' + machine, machine, two(first, second),
                   extra, where)
        yield case('back to back/' + machine, machine, back_to_back, extra,
                   where)
