# SPDX-License-Identifier: ISC
"""packets_load.py - floods of packets, a server of DHCP that says anything, and
links that lose, double and swap."""
import contextlib
import random
import re
import struct
import subprocess
import threading
import time

from suite import packets as P
from suite.case import Case, Failure, Outcome, kill_session
from suite.machine import run_command
from suite.peer import (GUEST, GUEST_MAC, Gone, Link, Over, PATIENCE, PEER,
                        PEER_MAC, agent_command, script_case, scripted)
from suite.scripts import (PATTERN, Scripts, must, same)

script = Scripts()


# ------------------------------------------------------------------ floods --

def pokes(peer):
    """How often one processor has interrupted another."""
    line = peer.call('grep', '/proc/interrupts', 'RES:')[1]
    return sum(int(n) for n in re.findall(r'\d+', line))


def few_pokes(peer):
    """Each question wakes the network's thread, and that the agent: all on the
    processor that the card interrupts, though another one is idle."""
    before, questions = pokes(peer), 300
    for _ in range(questions):
        peer.do('memory')
    more = pokes(peer) - before
    must(more < questions / 2, '%d interrupts between processors' % more)


def settled(peer, before, slack, what):
    """Free memory comes back to what it was, in KiB."""
    def look():
        return peer.do('memory') >= before - slack
    until = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > until:
            raise Failure('%s: %d KiB are missing' % (
                what, before - peer.do('memory')))
        peer.fence()


def flood(peer, port, count, step=100):
    """SYNs from many stations, with a fence now and then."""
    for k in range(0, count, step):
        peer.link.send(*(P.ethernet(GUEST_MAC, PEER_MAC, P.IP4, P.ip4(
            '10.7.%d.%d' % (1 + i // 250 % 250, 1 + i % 250), GUEST, P.TCP,
            P.tcp('10.7.%d.%d' % (1 + i // 250 % 250, 1 + i % 250), GUEST,
                  1024 + i % 60000, port, 'S', i, options=P.mss(1460))))
            for i in range(k, k + step)))
        peer.fence()
        peer.came(lambda p: p.proto == P.TCP or p.kind == P.ARP)


@script
def flood__SYN(peer):
    """Half-open connections take little, and one who means it comes in."""
    listener = peer.listen(80, backlog=64)
    before = peer.do('memory')
    flood(peer, 80, 4000)
    used = before - peer.do('memory')
    must(used < 4000, 'the flood holds %d KiB' % used)
    c = peer.conn(80, 3000)
    c.open()
    fd = peer.do('accept', listener)
    c.send('PA', PATTERN[:50])
    c.acked()
    same(peer.call('drain', fd, 50), (50, '0 0'), 'drain')
    peer.do('close', listener)
    c.reset()
    peer.do('close', fd)
    settled(peer, before, 300, 'after the flood')


def many_at_once(peer):
    """Those who come all at once come in all, as far as the backlog goes."""
    listener = peer.listen(80, backlog=4096)
    conns = [peer.conn(80, 4000 + i) for i in range(1500)]
    for c in conns:
        c.send('S')
    for c in conns:
        c.until(lambda p: p.flags == 'SA', 'a SYN/ACK')
    for c in conns:
        c.send('A')
    peer.fence()
    same(peer.do('accept_all', listener), len(conns), 'accepted')


@script
def flood__connections(peer):
    """More than the backlog holds: they wait, none is lost, all come in."""
    listener = peer.listen(80, backlog=300)
    before = peer.do('memory')
    conns = [peer.conn(80, 4000 + i) for i in range(290)]
    for c in conns:
        c.send('S')
    for c in conns:
        p = c.until(lambda p: p.flags == 'SA', 'a SYN/ACK')
        c.send('A')
    for c in conns:
        c.send('PA', b'x')
    for c in conns:
        c.acked()
    total, first = 0, None
    while total < len(conns):
        value = peer.do('accept', listener)
        first = value if first is None else min(first, value)
        total += 1
    for c in conns:
        c.reset()
    peer.fence()
    peer.do('close_from', first, first + 400)
    settled(peer, before, 400, 'after the connections')


@script
def flood__slow_readers(peer):
    """Who does not read holds at most a window of the machine's memory; who
    does is served meanwhile."""
    listener = peer.listen(80, backlog=64)
    fds, before = [], peer.do('memory')
    slow = [peer.conn(80, 5000 + i) for i in range(20)]
    for c in slow:
        c.open(P.mss(1460))
        c.send('A', window=0)
        fds.append(peer.do('accept', listener))
    for fd in fds:
        peer.call('send', fd, 0, 65536)
        peer.call('send', fd, 0, 65536)
    used = before - peer.do('memory')
    must(used < 20 * 1200, 'they hold %d KiB' % used)
    c = peer.conn(80, 3000)
    c.open()
    fd = peer.do('accept', listener)
    peer.do('send', fd, 0, 100)
    c.until(lambda p: p.data == PATTERN[:100], 'the answer')
    c.send('A')
    for s in slow + [c]:
        s.reset()
    peer.fence()
    peer.do('close_from', min(fds), max(fds) + 2)
    settled(peer, before, 400, 'after the readers')


class Crowd:
    """Stations that connect to a port of the machine's and then say nothing."""

    def __init__(self, peer, port):
        self.peer, self.port = peer, port
        self.answers = {}       # (address, port) -> the number of a SYN/ACK
        peer.on_packet = self.take

    def take(self, p):
        """The connections' packets are ours; those of port 3000 are not."""
        if p.proto != P.TCP or p.fragment or p.sport != self.port or \
                p.dport == 3000:
            return False
        if p.flags == 'SA':
            self.answers[str(p.dst), p.dport] = p.seq
        return True

    @staticmethod
    def member(i):
        return '10.7.%d.%d' % (1 + i // 200 % 50, 1 + i % 200), 4000 + i

    def send(self, flags, first, last, seq, ack=0):
        frames = []
        for i in range(first, last):
            src, sport = self.member(i)
            number = self.answers[src, sport] + 1 if ack else 0
            frames.append(P.ethernet(GUEST_MAC, PEER_MAC, P.IP4, P.ip4(
                src, GUEST, P.TCP, P.tcp(src, GUEST, sport, self.port, flags,
                                         seq, number))))
        self.peer.link.send(*frames)

    def connect(self, first, last):
        self.send('S', first, last, 1000)
        self.peer.wait(lambda: all(self.member(i) in self.answers
                                   for i in range(first, last)),
                       'an answer to each SYN')
        self.send('A', first, last, 1001, ack=1)
        self.peer.fence()

    def reset(self, first, last):
        self.send('R', first, last, 1001)
        self.peer.fence()


def served(peer, listener):
    """One more connection is answered: its descriptor."""
    c = peer.conn(80, 3000)
    c.open(P.mss(1460))
    fd = peer.do('accept', listener)
    c.send('PA', PATTERN[:100])
    c.acked()
    same(peer.call('drain', fd, 100), (100, '0 0'), 'drain')
    peer.do('send', fd, 0, 100)
    c.until(lambda p: p.data == PATTERN[:100], 'the answer')
    c.send('A')
    c.reset()
    peer.fence()
    peer.do('close', fd)
    return fd


def idle_connections(peer, count=10000, step=200):
    """Many connections on which nothing comes take little memory each, others
    are served meanwhile, and when they are over all of it comes back."""
    listener = peer.listen(80, backlog=1024)
    first = served(peer, listener)
    before = peer.do('memory')
    crowd = Crowd(peer, 80)
    for i in range(0, count, step):
        crowd.connect(i, i + step)
        same(peer.do('accept_all', listener), step, 'connections that came in')
    used = before - peer.do('memory')
    must(used * 1024 <= count * 2560, '%d hold %d KiB' % (count, used))
    same(served(peer, listener), first + count, 'descriptor beside the others')
    for i in range(0, count, step):
        crowd.reset(i, i + step)
    same(peer.do('close_from', first, first + count), count, 'closed')
    settled(peer, before, 512, 'after %d connections' % count)


# -------------------------------------------------------------------- DHCP --

def dhcp_of(p):
    """(xid, message type) of a client's packet; None: another one."""
    if p.proto != P.UDP or p.fragment or p.dport != 67 or len(p.data) < 240:
        return None
    options, kind = p.data[240:], None
    while options and options[0] != 255:
        if options[0] == 0:
            options = options[1:]
            continue
        if options[0] == 53:
            kind = options[2]
        options = options[2 + options[1]:]
    return p.data[4:8], kind


def dhcp_answer(xid, kind, lease=3600, op=2, cookie=b'\x63\x82\x53\x63',
                chaddr=GUEST_MAC, yiaddr=GUEST, htype=1, hlen=6, server=PEER,
                more=b'', cut=None):
    o = b'' if kind is None else b'\x35\1' + bytes([kind])
    o += b'\x36\4' + P.packed(server) + b'\x33\4' + struct.pack(
        '!I', lease) + b'\1\4' + P.packed('255.255.255.0') + b'\3\4' + \
        P.packed(PEER) + more + b'\xff'
    data = struct.pack('!BBBB4sHH4s4s4s4s16s', op, htype, hlen, 0, xid, 0, 0,
                       b'\0' * 4, P.packed(yiaddr), P.packed(PEER), b'\0' * 4,
                       chaddr) + b'\0' * 192 + cookie + o
    return data[:cut]


def dhcp_send(peer, data):
    peer.send4(P.UDP, P.udp(PEER, '255.255.255.255', 67, 68, data),
               dst='255.255.255.255', to=b'\xff' * 6)


def dhcp_ask(peer, kinds, what):
    """The next of the client's messages of these kinds: its packet, xid."""
    p = peer.expect(lambda p: (dhcp_of(p) or (0, 0))[1] in kinds, what)
    return p, dhcp_of(p)[0]


MALFORMED = [
    dict(op=1), dict(op=9), dict(cookie=b'\0\0\0\0'), dict(htype=7),
    dict(chaddr=PEER_MAC), dict(hlen=16), dict(cut=0), dict(cut=4),
    dict(cut=43), dict(cut=235), dict(cut=239), dict(cut=240), dict(cut=241),
    dict(cut=243), dict(cut=250), dict(kind=None), dict(kind=0),
    dict(kind=99), dict(kind=1), dict(kind=3), dict(kind=6),
    dict(xid=b'\1\2\3\4')]
ODD_OPTIONS = [
    b'\x0c\xff' + b'n' * 255, b'\x0c\0', b'\x0c\5a b/\n', b'\6\1\1',
    b'\6\x28' + b'\1' * 40, b'\x2a\3abc', b'\x0f\x40' + b'd' * 64, b'\x34\1\3',
    b'\0' * 64, b'\x33\1\1', b'\1\1\1', b'\3\0', b'\x36\3abc',
    b'\x34\1\1\xff']


def dhcp_script(peer):
    """Offers and acknowledgements wrong in every field, and then a right one;
    the lease is renewed before it ends."""
    _, xid = dhcp_ask(peer, (1,), 'a discovery')
    for i, wrong in enumerate(MALFORMED):
        dhcp_send(peer, dhcp_answer(**{
            'xid': xid, 'kind': 2, 'yiaddr': '10.7.0.%d' % (100 + i),
            **wrong}))
    for more in ODD_OPTIONS:
        dhcp_send(peer, dhcp_answer(b'\1\2\3\4', 2, more=more))
    _, xid = dhcp_ask(peer, (1,), 'a discovery once more')
    dhcp_send(peer, dhcp_answer(xid, 2, more=b''.join(ODD_OPTIONS[:7])))
    p, xid = dhcp_ask(peer, (3,), 'a request')
    same(p.data[240:][p.data[240:].index(b'\x32\4') + 2:][:4].hex(),
         P.packed(GUEST).hex(), 'the address that is asked for')
    dhcp_send(peer, dhcp_answer(xid, 6))            # refused: begins anew
    _, xid = dhcp_ask(peer, (1,), 'a discovery after a refusal')
    dhcp_send(peer, dhcp_answer(xid, 2))
    _, xid = dhcp_ask(peer, (3,), 'a request')
    for wrong in MALFORMED:
        if wrong.get('kind') != 6:
            dhcp_send(peer, dhcp_answer(**{'xid': xid, 'kind': 5,
                                           'yiaddr': '10.7.0.66', **wrong}))
    dhcp_send(peer, dhcp_answer(xid, 5, lease=121, more=ODD_OPTIONS[0] +
                                ODD_OPTIONS[2] + ODD_OPTIONS[4]))
    p, xid = dhcp_ask(peer, (3,), 'a renewal')
    same(p.data[12:16], P.packed(GUEST), 'whose address')
    dhcp_send(peer, dhcp_answer(xid, 5, lease=121))
    peer.fence()


def dhcp_command(context):
    return run_command(context, ['guest:glibc/net_agent', '-'], [
        '--net', 'socket=' + context.path('link'), '--append', 'ip=dhcp'], 280)


def dhcp(context, argv):
    def whole(peer):
        dhcp_script(peer)
        raise Over
    return script_case(context, argv, whole)


# ----------------------------------------------------------- a lossy link --

LIMIT = 240       # seconds


class Cable(threading.Thread):
    """One direction of a link that loses, doubles, delays and swaps frames,
    always the same of them."""

    def __init__(self, source, sink, seed, loss, double, swap):
        super().__init__(daemon=True)
        self.source, self.sink = source, sink
        self.random = random.Random(seed)
        self.loss, self.double, self.swap = loss, double, swap
        self.late, self.counts = [], [0, 0, 0, 0]

    def run(self):
        with contextlib.suppress(Gone):
            while (frame := self.source.receive()) is not None:
                self.carry(frame)

    def carry(self, frame):
        self.counts[0] += 1
        luck = self.random.random()
        out = [frame]
        if luck < self.loss:
            self.counts[1] += 1
            out = []
        elif luck < self.loss + self.double:
            self.counts[2] += 1
            out = [frame, frame]
        elif luck < self.loss + self.double + self.swap:
            self.counts[3] += 1
            self.late.append([frame, self.random.randint(1, 5)])
            out = []
        for waiting in self.late:
            waiting[1] -= 1
        out += [f for f, left in self.late if left <= 0]
        self.late = [w for w in self.late if w[1] > 0]
        if out:
            self.sink.send(*out)


BUSYBOX = '/bin/busybox'


def lossy_machine(context, name, own, other):
    """Serves a file, fetches the other's, says both sums."""
    script = 'i=0; while test $i -lt 40; do cat /bin/busybox; i=$((i+1)); ' \
        'done | head -c 204800 >/f; httpd -p 80 -h /; ' \
        'until wget -q -O /g http://%s/f && test $(wc -c </g) = 204800; ' \
        'do usleep 100000; done; md5sum /f /g; echo over; ' \
        'while true; do sleep 100; done' % other
    return run_command(context, [BUSYBOX, 'sh', '-c', script], [
        '--net', 'socket=' + context.path(name), '--mac',
        '52:54:00:00:00:%02x' % int(own.rsplit('.', 1)[1]), '--append',
        'ip=%s::10.7.0.9:255.255.255.0::eth0:off' % own], 280)


def lossy(seed, loss, double, swap):
    """A file each from one machine to the other, over such a link."""
    def read(machine, out, over):
        while line := machine.stdout.readline():
            out.append(line)
            if line.strip() == b'over':
                break
        over.set()

    def act(context, _):
        links = [Link(context.path(n)) for n in 'ab']
        machines = [subprocess.Popen(
            lossy_machine(context, name, own, other), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True) for name, own, other in (
                ('a', '10.7.0.2', '10.7.0.3'), ('b', '10.7.0.3', '10.7.0.2'))]
        outputs, overs = ([], []), (threading.Event(), threading.Event())
        cables = [Cable(links[0], links[1], seed, loss, double, swap),
                  Cable(links[1], links[0], seed + 1, loss, double, swap)]
        try:
            for link, machine in zip(links, machines):
                link.accept(machine)
            for one in cables + [threading.Thread(
                    target=read, args=a, daemon=True)
                                 for a in zip(machines, outputs, overs)]:
                one.start()
            if not all(over.wait(LIMIT) for over in overs):
                raise Failure('no end; carried, lost, doubled, swapped: %s' % [
                    c.counts for c in cables])
        finally:
            for machine in machines:
                kill_session(machine)
                machine.wait()
            for link in links:
                link.close()
        text = b''.join(outputs[0] + outputs[1])
        sums = re.findall(rb'[0-9a-f]{32}', text)
        if len(sums) != 4 or len(set(sums)) != 1:
            raise Failure('the sums differ: %r' % text)
        must(sum(sum(c.counts[1:]) for c in cables) > 0,
             'the link did nothing to the frames')
        return Outcome(0, text, b'', 0)
    return act


def lossy_cases():
    for name, values in (('loss', (0.03, 0, 0)), ('duplication', (0, 0.2, 0)),
                         ('reordering', (0, 0, 0.1)),
                         ('all', (0.02, 0.05, 0.05))):
        yield Case('link/' + name, [], act=lossy(7, *values), timeout=300,
                   needs=[BUSYBOX])


def cases(_):
    yield from script.cases()
    yield Case('flood/many at once',
               lambda context: agent_command(context, ['--memory', '256M']),
               act=scripted(many_at_once), timeout=300)
    yield Case('two processors',
               lambda context: agent_command(context, ['--cpus', '2']),
               act=scripted(few_pokes), timeout=300)
    yield Case('idle connections',
               lambda context: agent_command(context, ['--memory', '96M']),
               act=scripted(idle_connections), timeout=300)
    yield Case('dhcp', dhcp_command, act=dhcp, status=None, timeout=300)
    yield from lossy_cases()
