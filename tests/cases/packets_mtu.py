# SPDX-License-Identifier: ISC
"""packets_mtu.py - what routers report: the size of a path, for connections and
datagrams, and all else that ICMP says to a sender."""
import struct

from suite import packets as P
from suite.peer import GUEST6, PEER, PEER6
from suite.scripts import (ECONNREFUSED, EHOSTUNREACH, PATTERN, POLLOUT, SOL_SOCKET,
                           SO_ERROR, Scripts, must, same)
from cases.packets_ip import up6

script = Scripts()
EMSGSIZE = 90
SOL_IP, SOL_IPV6 = 0, 41
IP_MTU_DISCOVER, IP_RECVERR, IP_MTU = 10, 11, 14
IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR = 23, 24, 25
DONT, WANT, DO, PROBE = range(4)
ROUTER = '10.9.9.9'
DF = 2


def too_big(peer, p, mtu, quoted=28, **ip):
    """A router's report about a packet that came."""
    peer.send4(P.ICMP, P.icmp(3, 4, struct.pack('!HH', 0, mtu) +
                              p.raw[14:14 + quoted]), src=ROUTER, **ip)


def too_big6(peer, p, mtu, **ip):
    rest = struct.pack('!I', mtu) + p.raw[14:14 + 1100]
    peer.send6(P.ICMP6, P.icmp6(PEER6, GUEST6, 2, 0, rest), **ip)


def flags_of(p):
    """Those of an IPv4 header."""
    return p.raw[14 + 6] >> 5


def through(c, total, fits):
    """Takes `total` bytes from the machine, each segment acknowledged; what is
    larger than `fits` is lost."""
    got = 0
    base = c.ack
    while got < total:
        p = c.until(lambda p: p.data, 'data at %d of %d' % (got, total))
        at = (p.seq - base) & 0xffffffff
        must(len(p.raw) - 14 <= fits, 'a packet of %d bytes' %
             (len(p.raw) - 14))
        same(p.data, PATTERN[at:at + len(p.data)], 'data at %d' % at)
        if at == got:
            got += len(p.data)
        c.send('A', ack=base + got)


def wide(peer, port, sport, six=False):
    """A connection from here that takes all that the link can."""
    rest = {'src': PEER6, 'dst': GUEST6} if six else {}
    listener = peer.listen(port, 6 if six else 4)
    c = peer.conn(port, sport, **rest)
    c.open(P.mss(1440 if six else 1460))
    return peer.do('accept', listener), c


def narrow(peer, c, fd, lose, total=20000, fits=1000):
    """A connection whose first large segment is reported by lose()."""
    peer.do('send', fd, 0, total)
    p = c.until(lambda p: len(p.data) > fits, 'a large segment')
    c.ack = p.seq               # nothing of it has come
    lose(p, fits)
    peer.fence()
    with peer.change:           # what was on its way is lost, too
        c.inbox = [q for q in c.inbox if len(q.raw) - 14 <= fits]
    through(c, total, fits)
    c.send('R')


@script
def mtu__of_a_connection(peer):
    """What was lost comes again at once, in segments that fit."""
    fd, c = wide(peer, 80, 3000)
    peer.do('send', fd, 0, 100)
    p = c.expect('A')
    same(flags_of(p), DF, 'the flags of IP')
    c.send('A')
    fd, c = wide(peer, 81, 3001)
    narrow(peer, c, fd, lambda p, mtu: too_big(peer, p, mtu))


@script
def mtu__of_a_connection_remembered(peer):
    """Other connections to the same place begin with it, until it is old."""
    fd, c = wide(peer, 80, 3000)
    narrow(peer, c, fd, lambda p, mtu: too_big(peer, p, mtu))
    fd, c = wide(peer, 81, 3001)
    must(struct.unpack('!H', c.syn.options[2])[0] in (1460, 960),
         'the MSS it tells: the link\'s, or Linux: the path\'s')
    peer.do('send', fd, 0, 5000)
    through(c, 5000, 1000)
    fd = peer.do('socket', 4, 'udp')
    peer.do('connect', fd, PEER, 99)
    same(peer.do('get', fd, SOL_IP, IP_MTU), 1000, 'IP_MTU')


@script
def mtu__lies_about_a_connection(peer):
    """About what was not sent, with a wrong sum, larger than before, about a
    smaller size than any: all without effect, or a bounded one."""
    fd, c = wide(peer, 80, 3000)
    peer.do('send', fd, 0, 1460)
    p = c.expect('A')
    old = p.raw[:14 + 24] + struct.pack('!I', (p.seq - 5000) & 0xffffffff)
    for rest in (struct.pack('!HH', 0, 600) + old[14:] + p.raw[42:50],
                 struct.pack('!HH', 0, 1500) + p.raw[14:42],
                 struct.pack('!HH', 0, 9000) + p.raw[14:42],
                 struct.pack('!HH', 0, 600) + p.raw[14:38]):
        peer.send4(P.ICMP, P.icmp(3, 4, rest), src=ROUTER)
    peer.send4(P.ICMP, P.icmp(3, 4, struct.pack('!HH', 0, 600) +
                              p.raw[14:42], check=1), src=ROUTER)
    peer.fence()
    c.send('A')
    peer.do('send', fd, 1460, 1460)
    same(len(c.expect('A').data), 1460, 'a segment')
    c.send('A')
    peer.do('send', fd, 2920, 1460)
    p = c.expect('A')
    c.ack = p.seq
    too_big(peer, p, 68)
    p = c.until(lambda p: len(p.data) < 1460, 'a smaller segment')
    must(len(p.raw) - 14 == 552, 'a packet of %d bytes' % (len(p.raw) - 14))
    same(flags_of(p), 0, 'the flags of IP')


@script
def mtu__of_a_connection_by_ip6(peer):
    up6(peer)
    fd, c = wide(peer, 80, 3000, True)
    narrow(peer, c, fd, lambda p, mtu: too_big6(peer, p, mtu), fits=1300)


@script
def mtu__of_datagrams(peer):
    """Each way of IP_MTU_DISCOVER, before and after a router has spoken."""
    def sent(size, flags, dport=99):
        same(peer.do('send', fd, 0, size), size, 'send')
        p = peer.expect(lambda p: p.kind == P.IP4 and
                        p.raw[14 + 9] == P.UDP and
                        str(p.dst) == PEER, 'a datagram')
        same(flags_of(p), flags, 'the flags of IP of %d bytes' % size)
        return p

    def rest(fits):
        p = peer.expect(lambda p: p.kind == P.IP4 and
                        p.raw[14 + 9] == P.UDP and str(p.dst) == PEER,
                        'the rest')
        must(len(p.raw) - 14 <= fits, 'a fragment of %d bytes' % len(p.raw))
        same(flags_of(p), 0, 'the flags of the last fragment')

    fd = peer.do('socket', 4, 'udp')
    peer.do('connect', fd, PEER, 99)
    same(peer.do('get', fd, SOL_IP, IP_MTU_DISCOVER), WANT, 'at first')
    same(peer.do('get', fd, SOL_IP, IP_MTU), 1500, 'IP_MTU')
    sent(1472, DF)
    sent(1473, 1)
    rest(1500)
    peer.do('set', fd, SOL_IP, IP_MTU_DISCOVER, DONT)
    sent(100, 0)
    peer.do('set', fd, SOL_IP, IP_MTU_DISCOVER, DO)
    peer.do('set', fd, SOL_IP, IP_RECVERR, 1)
    p = sent(1472, DF)
    same(peer.call('send', fd, 0, 1473)[0], -EMSGSIZE, 'too large')
    same(peer.call('report', fd), (0, '%d 1 0 0 1500 ' % EMSGSIZE),
         'the report of that')
    too_big(peer, p, 1200, quoted=40)
    same(peer.call('report', fd),
         (12, '%d 2 3 4 1200 %s' % (EMSGSIZE, PATTERN[:12].hex())),
         'the report of a router')
    same(peer.do('get', fd, SOL_IP, IP_MTU), 1200, 'IP_MTU')
    same(peer.call('send', fd, 0, 1173)[0], -EMSGSIZE, 'too large now')
    same(peer.call('report', fd)[1], '%d 1 0 0 1200 ' % EMSGSIZE, 'it')
    sent(1172, DF)
    peer.do('set', fd, SOL_IP, IP_MTU_DISCOVER, PROBE)
    sent(1472, DF)
    same(peer.call('send', fd, 0, 1473)[0], -EMSGSIZE, 'the link is smaller')
    peer.do('report', fd)
    peer.do('set', fd, SOL_IP, IP_MTU_DISCOVER, WANT)
    p = sent(1473, 1)
    must(len(p.raw) - 14 <= 1200, 'a fragment of %d bytes' % len(p.raw))
    rest(1200)


@script
def mtu__of_datagrams_by_ip6(peer):
    up6(peer)
    fd = peer.do('socket', 6, 'udp')
    peer.do('connect', fd, PEER6, 99)
    peer.do('set', fd, SOL_IPV6, IPV6_MTU_DISCOVER, DO)
    peer.do('send', fd, 0, 1452)
    p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 99, 'it')
    for mtu in 0, 8, 1279, 1501, 1 << 31:
        too_big6(peer, p, mtu)
    peer.fence()
    same(peer.do('get', fd, SOL_IPV6, IPV6_MTU), 1500, 'IPV6_MTU, after lies')
    must(peer.do('get', fd, SOL_SOCKET, SO_ERROR) in (0, EMSGSIZE),
         'lies are dropped, or Linux: told')
    peer.do('set', fd, SOL_IPV6, IPV6_RECVERR, 1)
    same(peer.call('send', fd, 0, 1453)[0], -EMSGSIZE, 'too large')
    same(peer.call('report', fd)[1], '%d 1 0 0 1500 ' % EMSGSIZE, 'of that')
    too_big6(peer, p, 1280)
    value, text = peer.call('report', fd)
    same(text.split()[:5], ['90', '3', '2', '0', '1280'], 'the report')
    same(peer.do('get', fd, SOL_IPV6, IPV6_MTU), 1280, 'IPV6_MTU')
    same(peer.call('send', fd, 0, 1233)[0], -EMSGSIZE, 'too large now')


def report(peer, p, kind, code, src=PEER):
    peer.send4(P.ICMP, P.icmp(kind, code, b'\0' * 4 + p.raw[14:42]), src=src)


@script
def report__about_a_handshake(peer):
    """Any ends it, if it is about the SYN that was sent."""
    for port, kind, code, error in ((81, 3, 1, EHOSTUNREACH),
                                    (82, 3, 3, ECONNREFUSED),
                                    (83, 11, 0, EHOSTUNREACH)):
        fd, c = peer.connecting(port)
        other = bytearray(c.syn.raw)
        other[38:42] = b'abcd'          # another number
        peer.send4(P.ICMP, P.icmp(kind, code, b'\0' * 4 + other[14:42]))
        peer.fence()
        report(peer, c.syn, kind, code, ROUTER)
        peer.do('poll', fd, POLLOUT)
        same(peer.do('get', fd, SOL_SOCKET, SO_ERROR), error, 'SO_ERROR')
        peer.do('close', fd)


@script
def report__about_datagrams(peer):
    """A passing trouble is told only to who wants to know."""
    fd = peer.do('socket', 4, 'udp')
    peer.do('connect', fd, PEER, 99)

    def sent():
        peer.do('send', fd, 0, 8)
        return peer.expect(lambda p: p.proto == P.UDP and p.dport == 99, 'it')
    report(peer, sent(), 3, 1)
    report(peer, sent(), 11, 0)
    report(peer, sent(), 11, 1)
    peer.fence()
    same(peer.do('get', fd, SOL_SOCKET, SO_ERROR), 0, 'SO_ERROR')
    peer.do('set', fd, SOL_IP, IP_RECVERR, 1)
    report(peer, sent(), 11, 0, ROUTER)
    same(peer.call('report', fd), (0, '%d 2 11 0 0 ' % EHOSTUNREACH), 'it')
    report(peer, sent(), 12, 0)
    same(peer.call('report', fd)[1], '71 2 12 0 0 ', 'the second one')
    report(peer, sent(), 3, 13)
    same(peer.call('recv', fd, 9)[0], -EHOSTUNREACH, 'recv')


def cases(_):
    yield from script.cases()
