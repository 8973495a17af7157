# SPDX-License-Identifier: ISC
"""packets_counts.py - what /proc/net counts, after traffic that is known."""
from suite import packets as P
from suite.peer import GUEST6, PEER6
from suite.scripts import Scripts, must, same
from cases.packets_icmp import echo6
from cases.packets_ip import ALL, answered, echo, up6
from cases.packets_mtu import through

script = Scripts()
SNMP, SNMP6 = '/proc/net/snmp', '/proc/net/snmp6'


def counted(peer, protocol):
    """The numbers of one, by their names."""
    lines = [line.split() for line in peer.call(
        'grep', SNMP, protocol + ': ')[1].splitlines()]
    names, numbers = [w[1:] for w in lines if w[0] == protocol + ':'][:2]
    return dict(zip(names, map(int, numbers)))


def counted6(peer, name):
    return int(peer.call('grep', SNMP6, name + ' ')[1].split()[1])


def more(peer, protocol, before, **wanted):
    now = counted(peer, protocol)
    for name, n in wanted.items():
        same(now[name] - before[name], n, '%s %s' % (protocol, name))


@script
def counts__messages_and_datagrams(peer):
    icmp, udp = counted(peer, 'Icmp'), counted(peer, 'Udp')
    for i in range(3):
        answered(peer, echo(peer, b'echo %d' % i))
    more(peer, 'Icmp', icmp, InMsgs=3, InErrors=0, InEchos=3, OutMsgs=3,
         OutEchoReps=3, OutDestUnreachs=0)
    for _ in range(2):
        peer.udp(4000, 4444, b'anybody?')
        peer.expect(lambda p: p.proto == P.ICMP and p.type == 3, 'a report')
    more(peer, 'Udp', udp, NoPorts=2, RcvbufErrors=0)
    more(peer, 'Icmp', icmp, InMsgs=3, OutMsgs=5, OutDestUnreachs=2)
    # A question and its answer are each a datagram; this one is under way.
    before = counted(peer, 'Udp')
    for _ in range(5):
        peer.do('memory')
    now = counted(peer, 'Udp')
    same(now['OutDatagrams'] - before['OutDatagrams'], 6, 'OutDatagrams')
    same(now['InDatagrams'] - before['InDatagrams'], 6, 'InDatagrams')
    fd = peer.do('socket', 4, 'udp')
    peer.do('connect', fd, '10.7.0.1', 99)
    peer.do('send', fd, 0, 8)
    p = peer.expect(lambda p: p.proto == P.UDP and p.dport == 99, 'it')
    icmp = counted(peer, 'Icmp')
    peer.send4(P.ICMP, P.icmp(3, 3, b'\0' * 4 + p.raw[14:42]))
    peer.fence()
    more(peer, 'Icmp', icmp, InDestUnreachs=1)
    text = peer.call('grep', SNMP, 'IcmpMsg: ')[1]
    must('InType3' in text and 'OutType3' in text, text)


@script
def counts__connections(peer):
    before = counted(peer, 'Tcp')
    _, fd, c = peer.accepted(80, 3000)
    more(peer, 'Tcp', before, ActiveOpens=0, PassiveOpens=1, CurrEstab=1,
         InSegs=2, OutSegs=1, EstabResets=0)
    c.send('R')
    peer.fence()
    more(peer, 'Tcp', before, EstabResets=1, CurrEstab=0, InSegs=3, OutSegs=1,
         OutRsts=0)
    before = counted(peer, 'Tcp')
    peer.tcp(3001, 99, 'S', 5)
    peer.expect(lambda p: p.proto == P.TCP and p.dport == 3001, 'a reset')
    more(peer, 'Tcp', before, InSegs=1, OutSegs=1, OutRsts=1, PassiveOpens=0)
    before = counted(peer, 'Tcp')
    fd, c = peer.connecting(81)
    c.send('RA', seq=0)
    peer.do('poll', fd, 4)
    more(peer, 'Tcp', before, ActiveOpens=1, AttemptFails=1, EstabResets=0)
    # Segments count one by one, however many leave at once.
    _, fd, c = peer.accepted(83, 3003)
    before = counted(peer, 'Tcp')
    peer.do('send', fd, 0, 5360)
    through(c, 5360, 576)
    peer.fence()
    more(peer, 'Tcp', before, OutSegs=10)
    # What is not acknowledged comes again, and is counted apart.
    _, fd, c = peer.accepted(82, 3002)
    before = counted(peer, 'Tcp')
    peer.do('send', fd, 0, 100)
    first = c.expect('A')
    c.ack = first.seq
    c.until(lambda p: p.seq == first.seq and p.data, 'it once more')
    now = counted(peer, 'Tcp')
    must(now['RetransSegs'] > before['RetransSegs'], 'RetransSegs')
    same(now['OutSegs'] - before['OutSegs'], 1, 'OutSegs')
    must(peer.call('grep', '/proc/net/netstat', 'TcpExt: ')[0] >= 2, 'TcpExt')


@script
def counts__of_ip6(peer):
    up6(peer)
    names = ['Icmp6InEchos', 'Icmp6OutEchoReplies', 'Udp6NoPorts',
             'Icmp6OutDestUnreachs']
    before = [counted6(peer, name) for name in names]
    for i in range(3):
        peer.expect(echo6(peer, b'echo %d' % i), 'an answer')
    peer.expect(echo6(peer, b'to all', ALL), 'an answer')
    peer.send6(P.UDP, P.udp(PEER6, GUEST6, 4000, 4444, b'anybody?'))
    peer.expect(lambda p: p.proto == P.ICMP6 and not p.fragment and
                p.type == 1, 'a report')
    same([counted6(peer, name) - n for name, n in zip(names, before)],
         [4, 4, 1, 1], ', '.join(names))
    for name in 'Icmp6OutNeighborSolicits', 'Icmp6InNeighborSolicits', \
            'Icmp6OutRouterSolicits', 'Ip6InReceives', 'Ip6OutRequests', \
            'Ip6InDelivers':
        must(counted6(peer, name) > 0, name)


@script
def counts__who_listens(peer):
    """Groups, by their three names, and sockets of echoes."""
    fd = peer.do('socket', 4, 'udp')
    had = peer.call('grep', '/proc/net/dev_mcast', '01005e0102ff')[0]
    peer.do('join', fd, '239.1.2.255')
    n = [peer.call('grep', '/proc/net/' + name, words)[0] for name, words in (
        ('igmp', 'FF0201EF'), ('dev_mcast', '01005e0102ff'),
        ('igmp6', 'ff02' + '0' * 27 + '1'),
        ('dev_mcast', '333300000001'))]
    must(n[0] in (1, -2) and n[1] == 1 and n[2] >= 2 and n[3] == 1,
         'groups (some Linux shows none of IGMP): %r' % n)
    peer.do('close', fd)
    same([had, peer.call('grep', '/proc/net/dev_mcast', '01005e0102ff')[0]],
         [0, 0], 'groups before and after')
    peer.do('write', '/proc/sys/net/ipv4/ping_group_range', '0\t10')
    for family, name in (4, 'icmp'), (6, 'icmp6'):
        fd = peer.do('socket', family, 'ping')
        same(peer.call('grep', '/proc/net/' + name, ':04D2 ')[0], 0, name)
        peer.do('bind', fd, '0.0.0.0' if family == 4 else '::', 1234)
        same(peer.call('grep', '/proc/net/' + name, ':04D2 ')[0], 1, name)
        same(peer.call('grep', '/proc/net/udp', ':04D2 ')[0], 0, 'udp')
        peer.do('close', fd)


def cases(_):
    yield from script.cases()
