# SPDX-License-Identifier: ISC
"""packets_route6.py - which way packets of IPv6 take: by routes that programs
add, by routers and what they tell, and from which address."""
import re
import struct

from suite import packets as P
from suite.peer import GUEST6, PEER6, PEER_MAC
from suite.scripts import Scripts, must, same
from cases.packets_ip import ALL, ALL_MAC, up6

script = Scripts()
EEXIST, ESRCH, ENETUNREACH, EHOSTUNREACH = 17, 3, 101, 113
ROUTER, ROUTER_MAC = 'fe80::ff:fe00:2', P.mac('02:00:00:00:00:02')
OWN = '2001:db8:7:0:5054:ff:fe12:3456'


def advertise(peer, lifetime=1800, prefix=None, life=3600, src=PEER6,
              mac=PEER_MAC):
    """What a router says of itself, and of a network of the link."""
    options = b'\1\1' + mac
    if prefix is not None:
        options += struct.pack('!BBBBIII', 3, 4, 64, 0xc0, life, life,
                               0) + P.packed(prefix)
    peer.send6(P.ICMP6, P.icmp6(src, ALL, 134, 0, struct.pack(
        '!BBHII', 64, 0, lifetime, 0, 0) + options), src=src, dst=ALL,
        to=ALL_MAC, hops=255)


def sender(peer):
    """Sends a datagram; says to whom it went on the link, and from which
    address."""
    fd = peer.do('socket', 6, 'udp')

    def send(to):
        same(peer.do('sendto', fd, to, 99, 5), 5, 'sendto')
        p = peer.expect(lambda p: p.proto == P.UDP and str(p.dst) == to,
                        'a datagram to ' + to)
        return p.eth_dst, str(p.src)

    def refused(to, error):
        same(peer.call('sendto', fd, to, 99, 5)[0], -error, 'to ' + to)
    return send, refused


def has_address(peer, address):
    """Until the machine has it for good."""
    words = P.packed(address).hex()
    text = ''
    while not re.search('^%s .. .. .. [08]0' % words, text, re.M):
        text = peer.call('grep', '/proc/net/if_inet6', 'eth0')[1]


@script
def route6__of_programs(peer):
    """By a gateway, on the link, the longest of several, none any more."""
    up6(peer)
    peer.addresses[ROUTER] = ROUTER_MAC
    send, refused = sender(peer)
    refused('2001:db8:1::5', ENETUNREACH)
    peer.do('route6', 'add', '2001:db8:1::', 64, ROUTER)
    same(peer.call('route6', 'add', '2001:db8:1::', 64, ROUTER)[0], -EEXIST,
         'again')
    same(peer.call('route6', 'add', '2001:db8:2::', 64, '2001:db8:3::1')[0],
         -EHOSTUNREACH, 'by who is no neighbour')
    same(send('2001:db8:1::5'), (ROUTER_MAC, GUEST6), 'by a gateway')
    peer.do('route6', 'add', '2001:db8:1::', 96, PEER6)
    peer.do('route6', 'add', '2001:db8:1:0:1::', 80, '-')
    same(send('2001:db8:1::5')[0], PEER_MAC, 'by a longer route')
    same(send('2001:db8:1:0:2::5')[0], ROUTER_MAC, 'by the shorter one')
    peer.addresses['2001:db8:1:0:1::7'] = ROUTER_MAC
    same(send('2001:db8:1:0:1::7')[0], ROUTER_MAC, 'on the link')
    peer.do('route6', 'del', '2001:db8:1::', 96, PEER6)
    same(send('2001:db8:1::5')[0], ROUTER_MAC, 'by what is left')
    peer.do('route6', 'del', '2001:db8:1::', 64, '-')
    refused('2001:db8:1::5', ENETUNREACH)
    same(peer.call('route6', 'del', '2001:db8:1::', 64, '-')[0], -ESRCH,
         'once more')


@script
def route6__of_routers(peer):
    """The default, the network of the link, and their ends."""
    up6(peer)
    peer.addresses.update({ROUTER: ROUTER_MAC, '2001:db8:7::1': PEER_MAC,
                           '2001:db8:7::2': ROUTER_MAC})
    send, refused = sender(peer)
    refused('2001:db8:8::5', ENETUNREACH)
    advertise(peer, prefix='2001:db8:7::')
    has_address(peer, OWN)
    same(send('2001:db8:8::5'), (PEER_MAC, OWN), 'by the router')
    same(send('2001:db8:7::2'), (ROUTER_MAC, OWN), 'on the link')
    same(send(PEER6), (PEER_MAC, GUEST6), 'to the link itself')
    # A longer route goes before the link's, and a shorter one before none.
    peer.do('route6', 'add', '2001:db8:7::2', 128, PEER6)
    same(send('2001:db8:7::2')[0], PEER_MAC, 'by a gateway on the link')
    peer.do('route6', 'add', '2001:db8::', 32, ROUTER)
    same(send('2001:db8:8::5')[0], ROUTER_MAC, 'not by the default')
    peer.do('route6', 'del', '2001:db8::', 32, ROUTER)
    peer.do('route6', 'del', '2001:db8:7::2', 128, PEER6)
    same(send('2001:db8:7::2')[0], ROUTER_MAC, 'on the link again')
    # A second router, when the first is one no more.
    advertise(peer, src=ROUTER, mac=ROUTER_MAC)
    advertise(peer, lifetime=0)
    peer.fence()
    send('2001:db8:8::5')
    same(send('2001:db8:8::6')[0], ROUTER_MAC, 'by the other router')
    advertise(peer, lifetime=0, src=ROUTER, mac=ROUTER_MAC)
    peer.fence()
    text = 'default'
    while re.search('^0{32} 00 .* eth0', text, re.M):
        text = peer.call('grep', '/proc/net/ipv6_route', 'eth0')[1]
    refused('2001:db8:8::5', ENETUNREACH)
    same(send('2001:db8:7::2'), (ROUTER_MAC, OWN), 'on the link still')


@script
def route6__while_connected(peer):
    """A connection goes on by another router."""
    up6(peer)
    peer.addresses.update({ROUTER: ROUTER_MAC})
    far = '2001:db8:9::9'
    peer.do('route6', 'add', '2001:db8:9::', 64, PEER6)
    listener = peer.listen(80, 6)
    c = peer.conn(80, 3000, src=far, dst=GUEST6)
    c.open(P.mss(1440))
    fd = peer.do('accept', listener)
    peer.do('send', fd, 0, 100)
    same(c.expect('A').eth_dst, PEER_MAC, 'by the first')
    c.send('A')
    peer.do('route6', 'add', '2001:db8:9::', 80, ROUTER)
    peer.do('send', fd, 100, 100)
    same(c.expect('A').eth_dst, ROUTER_MAC, 'by the second')
    c.send('A')
    must(peer.alive, 'the machine goes on')


def cases(_):
    yield from script.cases()
