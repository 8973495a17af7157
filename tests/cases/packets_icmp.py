# SPDX-License-Identifier: ISC
"""packets_icmp.py - how often a machine reports by ICMP, and what makes it
answer echoes or not.  Upper bounds grow with the time that has passed here;
nothing has to happen within one."""
import struct
import time

from suite import packets as P
from suite.peer import GUEST, GUEST6, GUEST_MAC, PEER, PEER6, PEER_MAC
from suite.scripts import Scripts, must, same
from cases.packets_ip import ALL, ALL_MAC, answered, echo, up6

script = Scripts()
EINVAL = 22
IPV4, IPV6 = '/proc/sys/net/ipv4/', '/proc/sys/net/ipv6/icmp/'
MANY = 200
BURST, ALL_BURST = 6, 50


def reports(peer, six=False):
    """Those that came."""
    proto, kind = (P.ICMP6, 1) if six else (P.ICMP, 3)
    return peer.came(lambda p: p.proto == proto and not p.fragment and
                     p.type == kind)


def ask(peer, n=MANY, src=PEER):
    """Datagrams for a port that nobody has."""
    six = ':' in src
    dst = GUEST6 if six else GUEST
    pack = P.ip6 if six else P.ip4
    peer.link.send(*(P.ethernet(
        GUEST_MAC, PEER_MAC, P.IP6 if six else P.IP4,
        pack(src, dst, P.UDP, P.udp(src, dst, 4000, 4444, b'anybody?')))
        for _ in range(n)))


def flood(peer, n=MANY, src=PEER):
    """The same: how many reports that made, and how long it took."""
    begun = time.monotonic()
    ask(peer, n, src)
    peer.fence()
    return len(reports(peer, ':' in src)), time.monotonic() - begun


def settle(peer, **values):
    for name, value in values.items():
        peer.do('write', IPV4 + name, value)


@script
def icmp__reports_to_a_peer(peer):
    """Six at once, then one a second: to each peer, whatever others get."""
    settle(peer, icmp_msgs_per_sec=1000000, icmp_msgs_burst=1000000)
    begun = time.monotonic()
    n, _ = flood(peer)
    more, _ = flood(peer)
    most = BURST + (time.monotonic() - begun) + 2
    must(BURST <= n + more <= most, '%d reports, at most %d' % (n + more, most))
    for k in range(50, 54):
        other = '10.7.0.%d' % k
        peer.addresses[other] = PEER_MAC
        ask(peer, MANY, other)
        for _ in range(BURST):
            peer.expect(lambda p: p.proto == P.ICMP and not p.fragment and
                        p.type == 3 and str(p.dst) == other, 'a report')
    # Of the loopback nobody is asked, and other messages are not counted.
    for i in range(2 * BURST):
        answered(peer, echo(peer, b'echo %d' % i))


@script
def icmp__reports_in_all(peer):
    """However many peers there are; and without any limit."""
    settle(peer, icmp_msgs_per_sec=0, icmp_ratelimit=0)
    n, _ = flood(peer)
    must(n <= ALL_BURST, '%d reports' % n)
    same(flood(peer)[0], 0, 'reports of none')
    settle(peer, icmp_ratemask=0)
    same(flood(peer)[0], MANY, 'reports without a limit')
    settle(peer, icmp_ratemask=6168, icmp_msgs_per_sec=1000000,
           icmp_msgs_burst=1000)
    n = 0
    while n == 0:               # a millisecond is worth thousand
        n, _ = flood(peer, 50)
    for name, value in (('icmp_ratelimit', '-1'), ('icmp_ratelimit', 'x'),
                        ('icmp_echo_ignore_all', '2')):
        must(peer.call('write', IPV4 + name, value)[0] in (-EINVAL, len(value)),
             'a wrong number')
    same(peer.call('grep', IPV4 + 'icmp_msgs_burst', '1')[1].strip(), '1000',
         'icmp_msgs_burst')


@script
def icmp__echoes_that_are_ignored(peer):
    answered(peer, echo(peer, b'before'))
    settle(peer, icmp_echo_ignore_all=1)
    body = echo(peer, b'meanwhile')
    peer.do('memory')           # what came before is dealt with
    same(peer.came(lambda p: p.proto == P.ICMP and not p.fragment and
                   p.data == body), [], 'an answer')
    settle(peer, icmp_echo_ignore_all=0)
    answered(peer, echo(peer, b'after'))


def echo6(peer, data, dst=GUEST6):
    body = struct.pack('!HH', 1, len(data)) + data
    peer.send6(P.ICMP6, P.icmp6(PEER6, dst, 128, 0, body), dst=dst,
               to=ALL_MAC if dst == ALL else GUEST_MAC)
    return lambda p: p.proto == P.ICMP6 and not p.fragment and \
        p.type == 129 and p.data == body and str(p.src) == GUEST6


@script
def icmp__of_ip6(peer):
    """A peer of a network of 64 bits is reported to four times a second."""
    up6(peer)
    settle(peer, icmp_msgs_per_sec=1000000, icmp_msgs_burst=1000000)
    n, took = flood(peer, src=PEER6)
    must(BURST <= n <= BURST + 4 * took + 2, '%d reports' % n)
    peer.do('write', IPV6 + 'ratelimit', '0')
    n = 0
    while n < 20:               # of all together there is still one
        n, _ = flood(peer, 20, PEER6)
    for dst, name in (GUEST6, 'echo_ignore_all'), \
            (ALL, 'echo_ignore_multicast'):
        peer.expect(echo6(peer, b'before', dst), 'an answer to ' + dst)
        peer.do('write', IPV6 + name, '1')
        match = echo6(peer, b'meanwhile', dst)
        peer.do('memory')
        same(peer.came(match), [], 'an answer')
        peer.do('write', IPV6 + name, '0')
        peer.expect(echo6(peer, b'after', dst), 'an answer to ' + dst)


def cases(_):
    yield from script.cases()
