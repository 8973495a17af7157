# SPDX-License-Identifier: ISC
"""packets_ip.py - IPv4, ARP, IPv6 and neighbours, packet by packet."""
import re
import struct

from suite import packets as P
from suite.peer import (GUEST, GUEST6, GUEST_MAC, PEER, PEER6, PEER_MAC)
from suite.scripts import (ECONNREFUSED, ECONNRESET, ESTABLISHED, PATTERN,
                           POLLIN, Scripts, must, same, state)

script = Scripts()
EEXIST, EADDRNOTAVAIL = 17, 99


# ------------------------------------------------------------- IPv4, ARP --

def echo(peer, data, ident=1, **ip):
    """An echo request; returns the answer's data."""
    body = struct.pack('!HH', ident, 1) + data
    peer.send4(P.ICMP, P.icmp(8, 0, body), **ip)
    return body


def answered(peer, body):
    return peer.expect(lambda p: p.proto == P.ICMP and not p.fragment and
                       p.type == 0 and p.data == body, 'an answer to an echo')


def is_icmp(p):
    return p.proto == P.ICMP and not p.fragment


@script
def ip4__echo(peer):
    for n in 0, 1, 7, 1400:
        answered(peer, echo(peer, PATTERN[:n]))
    for kind, code, rest in (8, 0, b''), (8, 3, b'\0' * 4), (13, 0, b'\0' * 3), \
            (99, 1, b'abcd'), (0, 0, b'\0' * 4), (3, 3, b''), (3, 4, b'\0' * 30):
        peer.send4(P.ICMP, P.icmp(kind, code, rest))
    peer.send4(P.ICMP, P.icmp(8, 0, b'\0\1\0\1bad', check=0x1111))
    peer.send4(P.ICMP, b'')
    answered(peer, echo(peer, b'then'))
    same([p for p in peer.came(is_icmp) if p.data[4:] in (b'bad',)], [],
         'an answer to a wrong sum')


@script
def ip4__malformed_headers(peer):
    """None of these is answered, none does harm."""
    icmp = P.icmp(8, 0, b'\0\2\0\1wrong')
    for fields in ({'version': 6}, {'ihl': 4}, {'ihl': 6}, {'ihl': 15},
                   {'length': 0}, {'length': 19}, {'length': 20},
                   {'length': 9999}, {'check': 0x1234},
                   {'options': b'\x44\x28\5\0' + b'\0' * 36, 'ihl': 12}):
        peer.send4(P.ICMP, icmp, **fields)
    for src in '127.0.0.1', '224.0.0.1', '255.255.255.255', '10.7.0.255', \
            GUEST:
        peer.send4(P.ICMP, icmp, src=src)
    for dst in '10.7.0.77', '127.0.0.1', '192.168.9.9':
        peer.send4(P.ICMP, icmp, dst=dst)
    for n in range(20):
        peer.frame(P.IP4, P.ip4(PEER, GUEST, P.ICMP, icmp)[:n])
        peer.frame(P.ARP, b'\0\1\x08\0\6\4\0\1'[:n])
        peer.frame(P.IP6, b'\x60' + b'\0' * n)
    peer.frame(0x1234, b'who knows')
    peer.frame(P.IP4, b'')
    peer.fence()
    same(peer.came(is_icmp), [], 'answers')


@script
def ip4__options_are_passed_over(peer):
    """Record route, timestamps, no operations: the packet still counts."""
    for options in b'\1' * 4, b'\7\7\4' + b'\0' * 5, b'\x94\4\0\0':
        answered(peer, echo(peer, b'with options', options=options))


def fragments(payload, size, proto=P.UDP, ident=7, more_at_end=0, dst=GUEST):
    """(offset, IPv4 packet) of each."""
    out = []
    for at in range(0, len(payload), size):
        last = at + size >= len(payload)
        out.append((at, P.ip4(PEER, dst, proto, payload[at:at + size],
                              ident=ident, offset=at,
                              flags=more_at_end if last else 1)))
    return out


@script
def ip4__fragments(peer):
    """In any order, twice, overlapping, and those that never become whole."""
    fd = peer.do('socket', 4, 'udp')
    peer.do('bind', fd, '0.0.0.0', 9)
    whole = P.udp(PEER, GUEST, 4000, 9, PATTERN[:600])
    parts = [p for _, p in fragments(whole, 200)]
    orders = [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (0, 0, 1, 1, 2, 3),
              (3, 0, 3, 1, 2)]
    for i, order in enumerate(orders):
        for k in order:
            peer.frame(P.IP4, fragments(whole, 200, ident=100 + i)[k][1]
                       if k < len(parts) else parts[-1])
        same(peer.call('recv', fd, 650), (600, PATTERN[:600].hex()), 'recv')
    # A hole, an end before the end, beyond 64 KiB, nothing at all.
    for at, flags, n, ident in (0, 1, 80, 200), (160, 0, 80, 200), \
            (80, 0, 8, 201), (400, 0, 80, 201), (65528, 0, 100, 202), \
            (65000, 1, 1000, 202), (8, 1, 0, 203), (0, 1, 0, 203), \
            (0, 1, 7, 204), (8, 1, 9, 204):
        peer.frame(P.IP4, P.ip4(PEER, GUEST, P.UDP, whole[:n].ljust(n, b'.'),
                                ident=ident, offset=at, flags=flags))
    peer.udp(4000, 9, b'still here')
    same(peer.call('recv', fd, 600), (10, b'still here'.hex()), 'recv')
    # Overlapping with other bytes: both are dropped, or one of them stands.
    forged = P.udp(PEER, GUEST, 4000, 9, b'#' * 600, check=0)
    for at, packet in fragments(forged, 200, ident=300)[:2] + \
            fragments(P.udp(PEER, GUEST, 4000, 9, b'+' * 600, check=0), 104,
                      ident=300):
        peer.frame(P.IP4, packet)
    peer.udp(4000, 9, b'end')
    while (got := peer.call('recv', fd, 600))[1] != b'end'.hex():
        must(set(bytes.fromhex(got[1])) <= set(b'#+'), 'recv: %r' % (got,))


@script
def ip4__floods_of_fragments(peer):
    """Thousands of first fragments hold little memory; whole ones pass."""
    fd = peer.do('socket', 4, 'udp')
    peer.do('bind', fd, '0.0.0.0', 9)
    before = peer.do('memory')
    for k in range(20):
        peer.link.send(*(P.ethernet(GUEST_MAC, PEER_MAC, P.IP4, P.ip4(
            '10.7.%d.%d' % (1 + i // 250, 1 + i % 250), GUEST, P.UDP,
            b'.' * 1400, ident=i, flags=1)) for i in range(k * 200,
                                                          k * 200 + 200)))
        peer.fence()
    must(before - peer.do('memory') < 6000,
         'the fragments hold %d KiB' % (before - peer.do('memory')))
    peer.udp(4000, 9, b'whole')
    same(peer.call('recv', fd, 600), (5, b'whole'.hex()), 'recv')


@script
def ip4__nobody_at_the_port(peer):
    """Told by ICMP, with the packet's beginning; never about broadcasts."""
    peer.udp(4000, 4444, b'anybody?')
    p = peer.expect(lambda p: is_icmp(p) and p.type == 3, 'a report')
    same(p.code, 3, 'the code')
    same(p.data[4:32], P.ip4(PEER, GUEST, P.UDP, P.udp(
        PEER, GUEST, 4000, 4444, b'anybody?'))[:28], 'what is quoted')
    peer.udp(4000, 4444, b'', dst='10.7.0.255', to=b'\xff' * 6)
    peer.udp(4000, 4444, b'', dst='255.255.255.255', to=b'\xff' * 6)
    peer.send4(P.UDP, P.udp(PEER, GUEST, 4000, 4444, b'x', check=1))
    peer.send4(P.UDP, P.udp(PEER, GUEST, 4000, 4444, b'x', length=3))
    peer.send4(P.UDP, P.udp(PEER, GUEST, 4000, 4444, b'x', length=900))
    peer.fence()
    same(peer.came(is_icmp), [], 'reports')


@script
def ip4__reports(peer):
    """A port unreachable reaches the sender, a lie about a connection not."""
    fd = peer.do('socket', 4, 'udp')
    peer.do('connect', fd, PEER, 555)
    peer.do('send', fd, 0, 20)
    p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 555, 'it')
    peer.send4(P.ICMP, P.icmp(3, 3, b'\0' * 4 + p.raw[14:42]))
    same(peer.call('recv', fd, 10)[0], -ECONNREFUSED, 'recv')
    _, fd, c = peer.accepted(80, 3000)
    for kind, code in (3, 3), (3, 1), (3, 2), (11, 0), (12, 0), (4, 0):
        peer.send4(P.ICMP, P.icmp(kind, code, b'\0' * 4 + P.ip4(
            GUEST, PEER, P.TCP, P.tcp(GUEST, PEER, 80, 3000, 'A', 1))[:28]))
    peer.fence()
    same(state(peer, fd), ESTABLISHED, 'state')


@script
def ip4__to_itself(peer):
    """By its own address; and by a group, of which others hear, too."""
    group = '239.7.7.7'
    fd = peer.do('socket', 4, 'udp')
    peer.do('bind', fd, '0.0.0.0', 5000)
    peer.do('join', fd, group)
    for to in GUEST, group:
        same(peer.do('sendto', fd, to, 5000, 5), 5, 'sendto')
        same(peer.do('poll', fd, POLLIN), POLLIN, 'poll')
        same(peer.call('recv', fd, 9), (5, PATTERN[:5].hex()), 'recv')
    peer.expect(lambda p: p.proto == P.UDP and str(p.dst) == group, 'a copy')
    # That of another station that pretends to be this one is not taken.
    peer.send4(P.UDP, P.udp(GUEST, group, 5000, 5000, b'false'), GUEST, group,
               P.mac('01:00:5e:07:07:07'))
    peer.do('sendto', fd, GUEST, 5000, 3)
    same(peer.call('recv', fd, 9), (3, PATTERN[:3].hex()), 'the next one')


@script
def ip4__sources_of_a_group(peer):
    """A socket hears those whom it wants, and not those whom it does not."""
    group, other = '239.7.7.7', '10.7.0.9'
    fd = peer.do('socket', 4, 'udp')
    peer.do('bind', fd, '0.0.0.0', 5000)

    def heard():
        """Who is heard of two; a third datagram, to it alone, is the end."""
        for src in PEER, other:
            peer.udp(5000, 5000, src.encode(), src=src, dst=group,
                     to=P.mac('01:00:5e:07:07:07'))
        peer.udp(5000, 5000, b'end')
        got = []
        while (data := peer.call('recv', fd, 99)[1]) != b'end'.hex():
            got.append(bytes.fromhex(data).decode())
        return got
    same(peer.do('source', fd, 'join', group, other), 0, 'join')
    same(heard(), [other], 'who is heard')
    same(peer.do('source', fd, 'join', group, PEER), 0, 'join')
    same(heard(), [PEER, other], 'who is heard')
    for src in other, PEER:
        same(peer.do('source', fd, 'leave', group, src), 0, 'leave')
    same(heard(), [], 'who is heard')
    same(peer.do('join', fd, group), 0, 'join')
    same(peer.do('source', fd, 'block', group, PEER), 0, 'block')
    same(heard(), [other], 'who is heard')
    same(peer.do('source', fd, 'unblock', group, PEER), 0, 'unblock')
    same(heard(), [PEER, other], 'who is heard')
    # Another's group: only who has not said that it wants none of those.
    second = peer.do('socket', 4, 'udp')
    for value in 0, 1:
        peer.do('set', fd, 0, 49, value)        # IP_MULTICAST_ALL
        peer.do('join', second, '239.7.7.8')
        peer.udp(5000, 5000, b'8', dst='239.7.7.8',
                 to=P.mac('01:00:5e:07:07:08'))
        peer.udp(5000, 5000, b'end')
        same(peer.call('recv', fd, 99)[1], (b'8' if value else b'end').hex(),
             'of another group')
        second = peer.do('socket', 4, 'udp')


@script
def arp__answers(peer):
    def ask(op, target, sender=PEER, **fields):
        peer.frame(P.ARP, P.arp(op, PEER_MAC, sender, b'\0' * 6, target,
                                **fields), dst=b'\xff' * 6)

    def is_answer(p):
        return p.kind == P.ARP and p.op == 2
    ask(1, GUEST)
    p = peer.expect(is_answer, 'an answer')
    same((str(p.src), p.sender_mac), (GUEST, GUEST_MAC), 'who answers')
    ask(1, '10.7.0.99')
    ask(2, GUEST, sender='10.7.0.50')
    for fields in ({'hardware': 7}, {'protocol': 0x86dd}, {'hlen': 8},
                   {'plen': 16}):
        ask(1, GUEST, **fields)
    ask(9, GUEST)
    peer.fence()
    same(peer.came(is_answer), [], 'answers')


@script
def arp__a_neighbour_moves(peer):
    """It says so without being asked; what follows goes to its new place."""
    fd = peer.do('socket', 4, 'udp')
    peer.do('sendto', fd, PEER, 99, 5)
    p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 99, 'it')
    same(p.eth_dst, PEER_MAC, 'where to')
    new = P.mac('02:00:00:00:00:77')
    peer.addresses[PEER] = new
    peer.frame(P.ARP, P.arp(1, new, PEER, b'\0' * 6, PEER), dst=b'\xff' * 6,
               src=new)
    peer.do('sendto', fd, PEER, 99, 6)
    p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 99 and
                    len(p.data) == 6, 'it')
    same(p.eth_dst, new, 'where to')


# ------------------------------------------------- several IPv4 addresses --

SECOND = '10.7.0.3'
OTHER, OTHER_PEER = '192.168.5.1', '192.168.5.9'


def asks(peer, target, sender):
    peer.frame(P.ARP, P.arp(1, PEER_MAC, sender, b'\0' * 6, target),
               dst=b'\xff' * 6)


def is_arp(op, src, dst):
    return lambda p: p.kind == P.ARP and p.op == op and \
        str(p.src) == src and str(p.dst) == dst


def answers_as(peer, own, sender):
    """To ARP and echoes; and its sender's address is the right one."""
    asks(peer, own, sender)
    p = peer.expect(is_arp(2, own, sender), 'an answer of ' + own)
    same(p.sender_mac, GUEST_MAC, 'who answers')
    p = answered(peer, echo(peer, b'to ' + own.encode(), src=sender, dst=own))
    same((str(p.src), str(p.dst)), (own, sender), 'from, to')


@script
def addresses__all_are_answered_for(peer):
    """A second one of the same network, and one of another."""
    asks(peer, SECOND, PEER)
    peer.fence()
    same(peer.came(is_arp(2, SECOND, PEER)), [], 'answers before it has it')
    for ip in SECOND, OTHER:
        same(peer.do('address', 'add', ip, 24), 0, 'add')
        peer.expect(is_arp(1, ip, ip), 'that it has it')
        same(peer.call('address', 'add', ip, 24)[0], -EEXIST, 'once more')
    for own, sender in (GUEST, PEER), (SECOND, PEER), (OTHER, OTHER_PEER):
        answers_as(peer, own, sender)
    # Of a source that stands for all stations nothing is taken.
    echo(peer, b'all', src='192.168.5.255', dst=OTHER)
    peer.fence()
    same(peer.came(is_icmp), [], 'answers to all stations')


@script
def addresses__what_is_sent(peer):
    """From the address that was bound, else the one of the network."""
    peer.addresses[OTHER_PEER] = PEER_MAC
    peer.do('address', 'add', SECOND, 24)
    peer.do('address', 'add', OTHER, 24)
    for own, to, source in (SECOND, PEER, SECOND), (OTHER, OTHER_PEER, OTHER), \
            ('0.0.0.0', PEER, GUEST), ('0.0.0.0', OTHER_PEER, OTHER), \
            (OTHER, PEER, OTHER):
        fd = peer.do('socket', 4, 'udp')
        peer.do('bind', fd, own, 77)
        same(peer.do('sendto', fd, to, 99, 5), 5, 'sendto')
        p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 99, 'it')
        same((str(p.src), str(p.dst)), (source, to), 'from, to')
        peer.udp(99, 77, b'back', src=to, dst=source)
        same(peer.do('poll', fd, POLLIN), POLLIN, 'poll')
        same(peer.call('recv', fd, 9), (4, b'back'.hex()), 'recv')
        peer.do('close', fd)
    # Who is asked for is told the address of the network in common.
    fd = peer.do('socket', 4, 'udp')
    peer.do('sendto', fd, '192.168.5.77', 99, 5)
    peer.expect(is_arp(1, OTHER, '192.168.5.77'), 'a question')


@script
def addresses__one_is_removed(peer):
    """Connections of the others go on; nobody answers for it any more."""
    for ip in SECOND, OTHER:
        peer.do('address', 'add', ip, 24)
    listener = peer.listen(80)
    conns = []
    for own, sender, port in (GUEST, PEER, 3000), (SECOND, PEER, 3001), \
            (OTHER, OTHER_PEER, 3002):
        asks(peer, own, sender)
        conns.append(peer.conn(80, port, src=sender, dst=own))
        same(str(conns[-1].open().src), own, 'who answers')
        fd = peer.do('accept', listener)
    for _ in range(50):
        peer.do('address', 'del', OTHER, 24)
        peer.do('address', 'add', OTHER, 24)
    peer.do('address', 'del', OTHER, 24)
    same(peer.call('address', 'del', OTHER, 24)[0], -EADDRNOTAVAIL, 'again')
    peer.fence()
    peer.came(lambda p: p.kind == P.ARP)
    asks(peer, OTHER, PEER)
    echo(peer, b'gone', src=PEER, dst=OTHER)
    peer.fence()
    same(peer.came(lambda p: is_icmp(p) or is_arp(2, OTHER, PEER)(p)), [],
         'answers for it')
    for c in conns[:2]:
        c.send('PA', b'still')
        c.acked()
    peer.do('close', fd)


# --------------------------------------------------------- IPv6, neighbours --

ALL, ALL_MAC = 'ff02::1', P.mac('33:33:00:00:00:01')


def up6(peer):
    """Its address of the link stands, and it knows ours."""
    def ask():
        peer.send6(P.ICMP6, P.icmp6(PEER6, GUEST6, 135, 0, b'\0' * 4 + P.packed(
            GUEST6) + b'\1\1' + PEER_MAC), hops=255)
    until = lambda p: p.proto == P.ICMP6 and not p.fragment and p.type == 136 \
        and str(p.src) == GUEST6
    # An address that is being tried is not answered for: ask anew when the
    # machine says that it has it (solicitation of routers from it).
    ask()
    peer.expect(lambda p: until(p) or (
        p.proto == P.ICMP6 and not p.fragment and p.type == 133 and
        str(p.src) == GUEST6), 'its own address')
    ask()
    found = peer.expect(until, 'an advertisement')
    peer.fence()
    peer.came(until)
    return found


def echo6(peer, data, headers=(), hops=64, src=PEER6, dst=GUEST6):
    """An echo behind extension headers: (kind, bytes) of each."""
    body = struct.pack('!HH', 1, len(data)) + data
    payload = P.icmp6(src, dst, 128, 0, body)
    kind = P.ICMP6
    for before, rest in reversed(headers):
        payload, kind = bytes([kind]) + rest + payload, before
    peer.send6(kind, payload, src=src, dst=dst, hops=hops)
    return body


def answered6(peer, body):
    return peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                       p.type == 129 and p.data == body, 'an answer')


@script
def ip6__neighbours(peer):
    p = up6(peer)
    same(p.ttl, 255, 'hops')
    same(p.data[0] & 0x40, 0x40, 'solicited')
    same(p.data[4:20], P.packed(GUEST6), 'whose')
    must(p.data[20:28] == b'\2\1' + GUEST_MAC, 'its link address')
    wrong = P.icmp6(PEER6, GUEST6, 135, 0, b'\0' * 4 + P.packed(GUEST6))
    peer.send6(P.ICMP6, wrong, hops=254)
    peer.send6(P.ICMP6, wrong[:20], hops=255)
    for option in b'\1\0', b'\1\5' + b'\0' * 6, b'\1':
        peer.send6(P.ICMP6, P.icmp6(PEER6, GUEST6, 135, 0, b'\0' * 4 + P.packed(
            GUEST6) + option), hops=255)
    peer.send6(P.ICMP6, P.icmp6(PEER6, GUEST6, 135, 0, b'\0' * 4 + P.packed(
        ALL) + b'\1\1' + PEER_MAC), hops=255)
    peer.send6(P.ICMP6, P.icmp6(PEER6, GUEST6, 135, 1, b'\0' * 4 + P.packed(
        GUEST6) + b'\1\1' + PEER_MAC), hops=255)
    answered6(peer, echo6(peer, b'after'))
    same([p for p in peer.came(lambda p: p.proto == P.ICMP6 and
                               not p.fragment and p.type == 136)], [],
         'advertisements')


@script
def ip6__routers(peer):
    """A router's prefix becomes an address; what it says falsely does not."""
    up6(peer)

    def advertise(prefix, lifetime=1800, hops=255, length=64, flags=0xc0,
                  option=None, src=PEER6):
        option = option if option is not None else struct.pack(
            '!BBBBIII', 3, 4, length, flags, 3600, 3600, 0) + P.packed(prefix)
        peer.send6(P.ICMP6, P.icmp6(src, ALL, 134, 0, struct.pack(
            '!BBHII', 64, 0, lifetime, 0, 0) + b'\1\1' + PEER_MAC + option),
            src=src, dst=ALL, to=ALL_MAC, hops=hops)
    advertise('2001:db8:bad:1::', hops=64)
    advertise('2001:db8:bad:2::', length=200)
    advertise('fe80::')
    advertise('ff02::')
    advertise('2001:db8:bad:3::', src='2001:db8::1')
    advertise('::', option=b'\3\0')
    advertise('::', option=b'\3\4' + b'\0' * 5)
    advertise('::', option=b'\5\1\0\0\0\0\0\1')    # an MTU of 1
    advertise('::', option=b'\5\1\0\0\xff\xff\xff\xff')
    advertise('2001:db8:7::')
    own = '2001:db8:7::5054:ff:fe12:3456'
    peer.addresses['2001:db8:7::1'] = PEER_MAC
    peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                p.type == 135 and p.data[4:20] == P.packed(own),
                'a look whether somebody has the address')
    peer.fence()
    text = ''
    while not re.search('^20010db80007[0-9a-f]* .. 40 .. [08]0', text, re.M):
        text = peer.call('grep', '/proc/net/if_inet6', 'eth0')[1]
    must('bad' not in text, 'a false prefix was taken: ' + text)
    answered6(peer, echo6(peer, b'to the new one', dst=own,
                          src='2001:db8:7::1'))


@script
def ip6__extension_headers(peer):
    up6(peer)
    pad = b'\0\1\4\0\0\0\0'
    for headers in ([(0, pad)], [(60, pad)], [(0, pad), (60, pad)],
                    [(43, b'\0\0\0\0\0\0\0')], [(60, pad)] * 5,
                    [(44, b'\0\0\0\0\0\0\7')],
                    [(60, b'\1\1\x0c' + b'\0' * 12)]):
        answered6(peer, echo6(peer, b'behind', headers))
    # An option that must be reported, one that must be passed over, dropped.
    echo6(peer, b'unknown', [(60, b'\0\x80\0\1\2\0\0')])
    p = peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                    p.type == 4, 'a parameter problem')
    same(p.code, 2, 'code')
    answered6(peer, echo6(peer, b'passed', [(60, b'\0\x1e\0\1\2\0\0')]))
    echo6(peer, b'dropped', [(60, b'\0\x4e\0\1\2\0\0')])
    # A routing header of type 0 with segments left, an unknown protocol.
    echo6(peer, b'routed', [(43, b'\2\0\1' + b'\0' * 20)])
    p = peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                    p.type == 4, 'a parameter problem')
    same(p.code, 0, 'code')
    peer.send6(200, b'what is this')
    p = peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                    p.type == 4, 'a parameter problem')
    same(p.code, 1, 'code')
    # Headers that do not fit.
    for kind in 0, 43, 44, 60:
        for rest in b'', b'\x3a', b'\x3a\xff' + b'\0' * 6, \
                b'\x3a\0\5\xff\0\0\0\0':
            peer.send6(kind, rest)
    answered6(peer, echo6(peer, b'after'))
    same(peer.came(lambda p: p.proto == P.ICMP6 and not p.fragment and
                   p.type == 129), [], 'answers')


@script
def ip6__fragments(peer):
    up6(peer)

    def send(body, pieces, ident, order=None):
        payload = P.icmp6(PEER6, GUEST6, 128, 0, body)
        step = -(-len(payload) // pieces // 8) * 8
        cuts = list(range(0, len(payload), step))
        for at in (cuts[k] for k in (order or range(len(cuts)))):
            last = at + step >= len(payload)
            peer.send6(44, struct.pack('!BBHI', P.ICMP6, 0, at | (not last),
                                       ident) + payload[at:at + step])

    def whole(body):
        """The answer may come in pieces, too, which are put together."""
        answered6(peer, body)
    for i, order in enumerate([None, (2, 1, 0), (1, 0, 2), (0, 0, 1, 2)]):
        body = struct.pack('!HH', 9, i) + PATTERN[:900]
        send(body, 3, 50 + i, order)
        whole(body)
    # Overlapping ones are dropped whole (RFC 5722).
    body = struct.pack('!HH', 9, 99) + PATTERN[:900]
    payload = P.icmp6(PEER6, GUEST6, 128, 0, body)
    for at, n, more in (0, 304, 1), (296, 304, 1), (600, 304, 0):
        peer.send6(44, struct.pack('!BBHI', P.ICMP6, 0, at | more, 77) +
                   payload[at:at + n])
    for at, n, more in (0, 0, 1), (8, 7, 1), (65528, 64, 0), (0, 8, 1), \
            (8, 0, 1):
        peer.send6(44, struct.pack('!BBHI', P.ICMP6, 0, at | more, 88) +
                   b'.' * n)
    answered6(peer, echo6(peer, b'after'))


@script
def ip6__tcp(peer):
    up6(peer)
    listener, fd, c = peer.accepted(80, 3000, src=PEER6, dst=GUEST6)
    c.send('PA', PATTERN[:100])
    c.acked()
    same(peer.call('drain', fd, 100), (100, '0 0'), 'drain')
    # A packet too big: what follows goes in smaller pieces.
    peer.do('send', fd, 0, 1200)
    first = c.expect('A')
    c.send('A')
    c.send('R')
    peer.do('poll', fd, POLLIN)
    same(peer.call('recv', fd, 10)[0], -ECONNRESET, 'recv')
    must(len(first.data) > 0, 'no data')


def cases(_):
    yield from script.cases()
