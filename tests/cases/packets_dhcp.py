# SPDX-License-Identifier: ISC
"""packets_dhcp.py - a server of DHCP whose offers and leases are odd or wrong
in one field or option at a time (RFC 2131, RFC 2132)."""
import re
import struct
import time

from cases.packets_ip import fragments
from cases.packets_load import dhcp_command, dhcp_of, dhcp_send
from suite import packets as P
from suite.case import Case
from suite.peer import (GUEST, GUEST_MAC, Over, PATIENCE, PEER,
                        script_case)
from suite.scripts import must, same

OFFER, ACK, NAK = 2, 5, 6
EVERYONE = '255.255.255.255'
OTHER = '10.7.0.99'           # of answers that must not be taken
STATE = '/sys/class/net/eth0/dhcp'


def option(code, value):
    return bytes([code, len(value)]) + value


def seconds(code, value):
    return option(code, struct.pack('!I', value))


def address(code, *values):
    return option(code, b''.join(map(P.packed, values)))


ROUTER = address(3, PEER)
TAKEN = [address(54, PEER), seconds(51, 3600), address(1, '255.255.255.0'),
         ROUTER]


def answer(xid, kind, change=None, *, op=2, htype=1, hlen=6, hops=0, secs=0,
           flags=0, ciaddr='0.0.0.0', yiaddr=GUEST, siaddr=PEER,
           giaddr='0.0.0.0', chaddr=GUEST_MAC, sname=b'', file=b'',
           cookie=b'\x63\x82\x53\x63', less=(), more=b''):
    """`change`: options in place of the usual ones of the same codes; `less`:
    codes of options that are not there."""
    own = {o[0]: o for o in TAKEN if o[0] not in less}
    own.update({o[0]: o for o in change or ()})
    return struct.pack(
        '!BBBB4sHH4s4s4s4s16s64s128s', op, htype, hlen, hops, xid, secs, flags,
        *map(P.packed, (ciaddr, yiaddr, siaddr, giaddr)), chaddr, sname,
        file) + cookie + option(53, bytes([kind])) + b''.join(
            own.values()) + more + b'\xff'


NO_STATION = ['0.0.0.0', '127.0.0.1', '127.255.255.254', '224.0.0.1',
              '239.1.2.3', '255.255.255.255']
SPLIT_MASKS = ['255.0.255.0', '0.255.255.255', '255.255.255.1']
# Nothing of these is taken, be it an offer or a lease.
WRONG = [dict(yiaddr=a) for a in NO_STATION] + [
    dict(change=[address(54, a)]) for a in NO_STATION] + [
    dict(change=[address(1, a)]) for a in SPLIT_MASKS] + [
    dict(less=[1], more=b'\x34\1\1', file=address(1, SPLIT_MASKS[0])),
    dict(less=[1], more=b'\x34\1\2', sname=address(1, SPLIT_MASKS[0])),
    dict(less=[54], more=b'\x34\1\3', sname=address(54, '0.0.0.0')),
    dict(op=0), dict(op=1), dict(op=255), dict(htype=0), dict(htype=6),
    dict(htype=255), dict(hlen=0), dict(hlen=5), dict(hlen=7), dict(hlen=255),
    dict(chaddr=b'\0' * 16), dict(chaddr=GUEST_MAC[:5] + b'\xee'),
    dict(chaddr=b'\xff' * 16), dict(cookie=b'\0\0\0\0'),
    dict(cookie=b'\x63\x53\x82\x63'), dict(cookie=b'\xff' * 4)] + [
    dict(change=[option(code, b'\0' * size)])
    for code in (1, 51, 54) for size in (0, 1, 3, 5, 8)] + [
    dict(more=option(code, b'\0' * size))
    for code in (58, 59) for size in (1, 3, 5, 8)] + [
    dict(change=[option(3, b'\0' * size)]) for size in (0, 1, 3)] + [
    dict(more=option(52, b'\1' * size)) for size in (0, 2, 4)] + [
    dict(more=b'\x34\1\1', file=b'\x34\1\1'),
    dict(more=b'\x34\1\2', sname=b'\x35\2\1\1'),
    dict(more=b'\6\xff\1')]
WRONG_OFFERS = [dict(less=[54])]

# A lease like this is taken, with the mask and router that are told.
MASK, WAY = '00FFFFFF', '0100070A'
HARMLESS = [(fields, MASK, WAY) for fields in (
    dict(hops=255), dict(secs=65535), dict(flags=65535), dict(flags=0x7fff),
    dict(ciaddr='255.255.255.255'), dict(ciaddr='10.7.0.99'),
    dict(siaddr='0.0.0.0'), dict(siaddr='255.255.255.255'),
    dict(giaddr='255.255.255.255'), dict(giaddr='224.0.0.1'),
    dict(chaddr=GUEST_MAC + b'\xff' * 10),
    dict(sname=b'\xff' * 64), dict(file=b'\xff' * 128),
    dict(sname=b'n' * 64, file=b'f' * 128),
    dict(more=b'\x34\1\0'), dict(more=b'\x34\1\4'), dict(more=b'\x34\1\xff'),
    dict(more=b'\x34\1\3', sname=b'\xff', file=b'\xff'),
    dict(more=b'\x34\1\3', sname=b'\0' * 64, file=b'\0' * 128),
    dict(less=[1], more=b'\x34\1\1', file=address(1, '255.255.255.0')),
    dict(less=[3], more=b'\x34\1\2', sname=address(3, PEER)),
    dict(change=[address(54, '10.7.0.77')]),
    dict(change=[seconds(51, 0xffffffff)]),
    dict(change=[seconds(51, 0xfffffffe)]),
    dict(change=[seconds(51, 3600)],
         more=seconds(58, 7200) + seconds(59, 5400)),
    dict(more=seconds(58, 0) + seconds(59, 0)),
    dict(more=seconds(58, 0xffffffff) + seconds(59, 0xffffffff)),
    dict(more=address(6, '0.0.0.0')), dict(more=option(6, b'\1' * 5)),
    dict(more=option(6, b'')), dict(more=option(6, b'\1' * 252)),
    dict(more=option(12, b'')), dict(more=option(12, b'a b/\n')),
    dict(more=option(12, b'n' * 255)), dict(more=option(15, b'\0')),
    dict(more=option(15, b'd' * 64)), dict(more=option(42, b'abc')),
    dict(more=address(42, '255.255.255.255')),
    dict(more=b'\0' * 200), dict(more=option(28, b'\0')))] + [
    (dict(change=[address(1, '0.0.0.0')]), '00000000', WAY),
    (dict(change=[address(1, '255.255.255.254')]), 'FEFFFFFF', WAY),
    (dict(less=[1]), '000000FF', WAY),
    (dict(change=[address(3, '10.7.0.1', '10.7.0.9')]), MASK, WAY),
    (dict(change=[address(3, '192.168.9.9')]), MASK, '0909A8C0'),
    (dict(change=[address(3, '0.0.0.0')]), MASK, None),
    (dict(less=[3]), MASK, None)]


class Client:
    """What the machine asks: by the number of its transaction, as what it
    said of an earlier one may have been repeated meanwhile."""

    def __init__(self, peer):
        self.peer, self.past, self.xid = peer, set(), None

    def discovers(self):
        def match(p):
            xid, kind = dhcp_of(p) or (None, None)
            return kind == 1 and xid not in self.past
        p = self.peer.expect(match, 'a discovery')
        self.xid = dhcp_of(p)[0]
        self.past.add(self.xid)

    def send(self, kind, **fields):
        dhcp_send(self.peer, answer(self.xid, kind, **fields))

    def send_split(self, kind, **fields):
        """In fragments, as no server does."""
        all_of_it = P.udp(PEER, EVERYONE, 67, 68, answer(self.xid, kind, **fields))
        for _, packet in fragments(all_of_it, 128, dst=EVERYONE):
            self.peer.frame(P.IP4, packet, dst=b'\xff' * 6)

    def requests(self, wanted, what):
        p = self.peer.expect(lambda p: dhcp_of(p) == (self.xid, 3),
                             'a request after ' + what)
        options = p.data[240:]
        at = options.index(b'\x32\4') + 2
        same(options[at:at + 4].hex(), P.packed(wanted).hex(),
             'the address that is asked for after ' + what)

    def refuse(self):
        self.send(NAK, yiaddr='0.0.0.0', less=[51, 1, 3])


def short_lease(client, lease):
    """It is taken, as the machine tells the others, however soon it ends;
    None: the answers say nothing of its length."""
    own = '10.7.0.%d' % (202 if lease is None else 200 + lease)
    fields = dict(yiaddr=own, less=[51]) if lease is None else \
        dict(yiaddr=own, change=[seconds(51, lease)])
    client.discovers()
    client.send(OFFER, **fields)
    client.requests(own, 'an offer for %s s' % lease)
    client.send(ACK, **fields)
    client.peer.expect(lambda p: p.kind == P.ARP and str(p.src) == own and
                       p.src == p.dst, 'word that it is at ' + own)


def offers(peer):
    """None that is wrong is asked for; each that is not is, whatever else it
    has."""
    client = Client(peer)
    client.discovers()
    for wrong in WRONG + WRONG_OFFERS:
        client.send(OFFER, **{'yiaddr': OTHER, **wrong})
    client.send_split(OFFER, yiaddr=OTHER)
    client.send(OFFER)
    client.requests(GUEST, 'wrong offers')
    for i, (fields, _, _) in enumerate(HARMLESS):
        client.refuse()
        client.discovers()
        own = '10.7.0.%d' % (100 + i)
        client.send(OFFER, yiaddr=own, **fields)
        client.requests(own, 'an offer with %s' % fields)
    client.refuse()
    client.discovers()
    client.send(OFFER, yiaddr='240.1.2.3')
    client.requests('240.1.2.3', 'an offer of class E')
    client.refuse()
    short_lease(client, 1)
    raise Over


def agent_is_there(peer):
    """Says no hello, as it does not know to whom: asked until it answers."""
    until, asked = time.monotonic() + PATIENCE, set()
    while not asked & peer.answers.keys():
        must(time.monotonic() < until, 'no answer of the agent')
        asked.add(peer.start('memory'))
        peer.fence()


def bound_with(peer, mask, way, what):
    """The state, the mask and the router of eth0, as the machine tells."""
    same(peer.call('grep', STATE)[1], 'bound\n', 'the state after ' + what)
    rows = [re.split(r'\s+', row) for row in peer.call(
        'grep', '/proc/net/route', 'eth0')[1].splitlines()]
    same([r[2] for r in rows if int(r[3], 16) & 2], [way] if way else [],
         'the router after ' + what)
    must(mask in [r[7] for r in rows if not int(r[3], 16) & 2],
         'the mask after %s: %s' % (what, rows))


def leases(peer):
    """None that is wrong is taken; each that is not is, whatever else it
    has."""
    client = Client(peer)
    client.discovers()
    client.send(OFFER)
    client.requests(GUEST, 'an offer')
    for wrong in WRONG:
        client.send(ACK, **{'yiaddr': OTHER, **wrong})
    client.send_split(ACK, yiaddr=OTHER)
    client.send(ACK)
    peer.fence()
    agent_is_there(peer)
    bound_with(peer, MASK, WAY, 'wrong leases')
    for i, (fields, mask, way) in enumerate(HARMLESS):
        peer.do('write', STATE, 1)
        client.discovers()
        client.send(OFFER)
        client.requests(GUEST, 'an offer')
        client.send(ACK, **{'yiaddr': OTHER, **WRONG[i % len(WRONG)]})
        same(peer.call('grep', STATE)[1], 'asking\n', 'the state before')
        client.send(ACK, **fields)
        bound_with(peer, mask, way, 'a lease with %s' % fields)
    peer.do('write', STATE, 1)
    short_lease(client, 0)
    raise Over


def no_length(peer):
    """A lease without a length."""
    short_lease(Client(peer), None)
    raise Over


def cases(_):
    for script in (offers, leases, no_length):
        yield Case('dhcp/' + script.__name__.replace('_', ' '), dhcp_command,
                   act=lambda context, argv, script=script: script_case(
                       context, argv, script), status=None, timeout=300)
