# SPDX-License-Identifier: ISC
"""packets.py - frames taken apart, and put together: Ethernet, ARP, IPv4,
IPv6, ICMP, UDP, TCP.  What a builder is not told it fills in rightly; what it
is told stands in the packet, right or wrong.
"""
import ipaddress
import struct

IP4, ARP, IP6 = 0x0800, 0x0806, 0x86dd
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
LETTERS = 'FSRPAU'


def checksum(data):
    if len(data) & 1:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address):
    return address if isinstance(address, bytes) else \
        ipaddress.ip_address(address).packed


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def pseudo(src, dst, proto, length):
    src, dst = packed(src), packed(dst)
    if len(src) == 4:
        return src + dst + struct.pack('!BBH', 0, proto, length)
    return src + dst + struct.pack('!I3xB', length, proto)


def flag_bits(letters):
    return sum(1 << LETTERS.index(c) for c in letters)


def flag_letters(bits):
    """In the order S F R P A U, as one says them."""
    return ''.join(c for c in 'SFRPAU' if bits >> LETTERS.index(c) & 1)


# ---------------------------------------------------------------- building --

def ethernet(dst, src, kind, payload):
    return dst + src + struct.pack('!H', kind) + payload


def ip4(src, dst, proto, payload, ttl=64, ident=0, flags=0, offset=0, tos=0,
        options=b'', version=4, ihl=None, length=None, check=None):
    """offset in bytes; flags: 1 more fragments, 2 do not fragment."""
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if length is None else length

    def head(c):
        return struct.pack('!BBHHHBBH4s4s', version << 4 | ihl, tos, length,
                           ident, flags << 13 | offset // 8, ttl, proto, c,
                           packed(src), packed(dst)) + options
    return head(checksum(head(0)) if check is None else check) + payload


def ip6(src, dst, proto, payload, hops=64, length=None, version=6):
    length = len(payload) if length is None else length
    return struct.pack('!IHBB16s16s', version << 28, length, proto, hops,
                       packed(src), packed(dst)) + payload


def tcp(src, dst, sport, dport, flags, seq, ack=0, data=b'', window=65535,
        options=b'', offset=None, check=None, urgent=0):
    options += b'\0' * (-len(options) % 4)
    offset = 5 + len(options) // 4 if offset is None else offset

    def whole(c):
        return struct.pack('!HHIIBBHHH', sport, dport, seq & 0xffffffff,
                           ack & 0xffffffff, offset << 4, flag_bits(flags),
                           window, c, urgent) + options + data
    if check is None:
        raw = whole(0)
        check = checksum(pseudo(src, dst, TCP, len(raw)) + raw)
    return whole(check)


def udp(src, dst, sport, dport, data, length=None, check=None):
    length = 8 + len(data) if length is None else length

    def whole(c):
        return struct.pack('!HHHH', sport, dport, length, c) + data
    if check is None:
        raw = whole(0)
        check = checksum(pseudo(src, dst, UDP, len(raw)) + raw) or 0xffff
    return whole(check)


def icmp(kind, code, rest, check=None):
    raw = struct.pack('!BBH', kind, code, 0) + rest
    check = checksum(raw) if check is None else check
    return struct.pack('!BBH', kind, code, check) + rest


def icmp6(src, dst, kind, code, rest, check=None):
    raw = struct.pack('!BBH', kind, code, 0) + rest
    if check is None:
        check = checksum(pseudo(src, dst, ICMP6, len(raw)) + raw)
    return struct.pack('!BBH', kind, code, check) + rest


def arp(op, sender_mac, sender, target_mac, target, hardware=1, protocol=IP4,
        hlen=6, plen=4):
    return struct.pack('!HHBBH6s4s6s4s', hardware, protocol, hlen, plen, op,
                       sender_mac, packed(sender), target_mac, packed(target))


def mss(n):
    return struct.pack('!BBH', 2, 4, n)


def scale(n):
    return struct.pack('!BBB', 3, 3, n)


def stamp(value, echo):
    return struct.pack('!BBII', 8, 10, value, echo)


SACK_OK = b'\4\2'
NOP = b'\1'


# ------------------------------------------------------------- taking apart --

class Packet:
    """A frame's fields, as far as it has them; `wrong`: what it has wrong."""

    def __init__(self, raw):
        self.raw, self.wrong = raw, []
        self.kind = self.proto = self.src = self.dst = None
        self.data = b''
        self.options = {}
        self.fragment = False
        self.eth_dst, self.eth_src = raw[:6], raw[6:12]
        self.kind = struct.unpack('!H', raw[12:14])[0]
        body = raw[14:]
        if self.kind == IP4:
            self._ip4(body)
        elif self.kind == IP6:
            self._ip6(body)
        elif self.kind == ARP and len(body) >= 28:
            (self.op, self.sender_mac, sender, self.target_mac,
             target) = struct.unpack('!6xH6s4s6s4s', body[:28])
            self.src = ipaddress.ip_address(sender)
            self.dst = ipaddress.ip_address(target)

    def _ip4(self, b):
        (v, self.tos, length, self.ident, frag, self.ttl, self.proto, _, src,
         dst) = struct.unpack('!BBHHHBBH4s4s', b[:20])
        head = (v & 15) * 4
        if checksum(b[:head]):
            self.wrong.append('sum of IP')
        self.src, self.dst = map(ipaddress.ip_address, (src, dst))
        self.df, self.more = bool(frag & 0x4000), bool(frag & 0x2000)
        self.offset = (frag & 0x1fff) * 8
        self.fragment = self.more or self.offset > 0
        self.payload = b[head:length]
        self._above()

    def _ip6(self, b):
        (_, length, self.proto, self.ttl, src, dst) = struct.unpack(
            '!IHBB16s16s', b[:40])
        self.src, self.dst = map(ipaddress.ip_address, (src, dst))
        self.payload = b[40:40 + length]
        self.extensions = []
        while self.proto in (0, 43, 60):
            self.extensions.append(self.proto)
            self.proto, size = self.payload[0], self.payload[1]
            self.payload = self.payload[8 * (size + 1):]
        if self.proto == 44:
            self.proto, _, frag, self.ident = struct.unpack(
                '!BBHI', self.payload[:8])
            self.offset, self.more = frag & 0xfff8, bool(frag & 1)
            self.fragment = self.more or self.offset > 0
            self.payload = self.payload[8:]
        self._above()

    def _above(self):
        p = self.payload
        if self.fragment:
            return
        if self.proto in (TCP, UDP, ICMP6):
            if checksum(pseudo(self.src.packed, self.dst.packed, self.proto,
                               len(p)) + p):
                self.wrong.append('sum of protocol %d' % self.proto)
        if self.proto == TCP:
            (self.sport, self.dport, self.seq, self.ack, offset, bits,
             self.window, _, self.urgent) = struct.unpack('!HHIIBBHHH', p[:20])
            self.flags = flag_letters(bits)
            self._tcp_options(p[20:(offset >> 4) * 4])
            self.data = p[(offset >> 4) * 4:]
        elif self.proto == UDP:
            self.sport, self.dport = struct.unpack('!HH', p[:4])
            self.data = p[8:]
        elif self.proto in (ICMP, ICMP6):
            if self.proto == ICMP and checksum(p):
                self.wrong.append('sum of ICMP')
            self.type, self.code = p[0], p[1]
            self.data = p[4:]

    def _tcp_options(self, o):
        while o and o[0] != 0:
            if o[0] == 1:
                o = o[1:]
                continue
            self.options[o[0]] = o[2:o[1]]
            o = o[o[1]:]

    @property
    def end(self):
        """The sequence number behind it."""
        return (self.seq + len(self.data) + ('S' in self.flags) +
                ('F' in self.flags)) & 0xffffffff

    @property
    def key(self):
        """What a segment has that one sent once more has, too."""
        return (self.seq, self.ack, self.flags, self.data, self.window,
                self.options.get(5))

    def sack(self):
        b = self.options.get(5, b'')
        return [struct.unpack('!II', b[i:i + 8]) for i in range(0, len(b), 8)]

    def __repr__(self):
        return str(self)

    def __str__(self):
        where = '%s > %s' % (self.src, self.dst)
        if self.kind == ARP:
            return 'ARP %d %s' % (self.op, where)
        if self.fragment:
            return '%s protocol %d fragment at %d, %d bytes%s' % (
                where, self.proto, self.offset, len(self.payload),
                ', more' if self.more else '')
        if self.proto == TCP:
            return '%s TCP %d > %d %s seq %d ack %d win %d len %d' % (
                where, self.sport, self.dport, self.flags, self.seq, self.ack,
                self.window, len(self.data)) + (
                    ' options %s' % {k: v.hex() for k, v in
                                     self.options.items()}
                    if self.options else '')
        if self.proto == UDP:
            return '%s UDP %d > %d %r' % (where, self.sport, self.dport,
                                          self.data[:40])
        if self.proto in (ICMP, ICMP6):
            return '%s ICMP %d.%d %s' % (where, self.type, self.code,
                                         self.data[:16].hex())
        return 'type %#x %s protocol %s' % (self.kind, where, self.proto)
