# SPDX-License-Identifier: ISC
"""packets_loss.py - TCP: what the machine sends again, when segments are lost
and the peer says what it has, or lies about it.

When something comes again is not looked at: a copy more may come by the timer.
"""
import struct

from suite import packets as P
from suite.scripts import (ESTABLISHED, ETIMEDOUT, IPPROTO_TCP, PATTERN,
                           POLLERR, POLLIN, Scripts, must, same, state)

MSS = 1000
WITH_SACK = P.mss(MSS) + P.SACK_OK + P.NOP + P.NOP
TCP_SYNCNT, TCP_USER_TIMEOUT = 7, 18

script = Scripts()


def blocks(*pairs):
    """A SACK option of [left, right) in numbers of TCP."""
    return P.NOP + P.NOP + struct.pack('!BB', 5, 2 + 8 * len(pairs)) + \
        b''.join(struct.pack('!II', a & 0xffffffff, b & 0xffffffff)
                 for a, b in pairs)


class Flight:
    """n segments that the machine sent at once; numbers begin with 0."""

    def __init__(self, peer, n, sport=81, options=WITH_SACK):
        self.peer = peer
        self.fd, self.c = peer.connected(sport, options=options)
        self.first, self.sent = self.c.ack, 0
        self.more(n)

    def more(self, n):
        """n more, all of which come."""
        self.peer.do('send', self.fd, self.sent, n * MSS)
        for i in range(n):
            self.copy(self.sent // MSS + i)
        self.sent += n * MSS

    def number(self, p):
        return ((p.seq - self.first) & 0xffffffff) // MSS

    def at(self, n):
        return self.first + n * MSS

    def copy(self, n):
        """Segment n comes, perhaps others before it."""
        p = self.c.until(lambda p: len(p.data) > 0 and self.number(p) == n,
                         'segment %d' % n)
        same(p.data, PATTERN[n * MSS:n * MSS + len(p.data)], 'its bytes')
        return p

    def say(self, n, *pairs):
        """All below n has come, and what lies between the pairs."""
        options = blocks(*((self.at(a), self.at(b)) for a, b in pairs)) \
            if pairs else b''
        self.c.send('A', ack=self.at(n), options=options)

    def passed(self):
        """Numbers of the segments that have come since."""
        self.peer.fence()
        with self.peer.change:
            came = [self.number(p) for p in self.c.inbox if len(p.data) > 0]
            self.c.inbox.clear()
        return came

    def end(self):
        """All has come: the connection goes on as if nothing was."""
        n = self.sent // MSS
        self.say(n)
        self.passed()
        self.more(2)
        self.say(n + 2)
        self.peer.fence()
        same(state(self.peer, self.fd), ESTABLISHED, 'state')
        self.c.nothing()


@script
def loss__of_one(peer):
    """Sent again when three others have come, and alone."""
    f = Flight(peer, 6)
    for right in 2, 3, 4, 5, 6:
        f.say(0, (1, right))
    f.copy(0)
    same(set(f.passed()) - {0}, set(), 'others that were sent again')
    f.end()


@script
def loss__of_two(peer):
    f = Flight(peer, 8)
    f.say(0, (1, 3))
    f.say(0, (4, 8), (1, 3))
    f.copy(0)
    same(set(f.passed()) - {0, 3}, set(), 'others that were sent again')
    f.say(3, (4, 8))
    f.copy(3)
    same(set(f.passed()) - {3}, set(), 'others that were sent again')
    f.end()


@script
def loss__of_each_third(peer):
    f = Flight(peer, 10)
    pairs = [(7, 9), (4, 6), (1, 3)]
    for k in range(3):
        f.say(0, *pairs[2 - k:])
    f.copy(0)
    same(set(f.passed()) - {0, 3, 6, 9}, set(), 'others')
    f.say(3, (4, 6), (7, 9))
    f.copy(3)
    f.say(6, (7, 9))
    f.copy(6)
    same(set(f.passed()) - {6, 9}, set(), 'others')
    f.say(9)
    f.copy(9)
    f.end()


@script
def loss__of_the_tail(peer):
    """Nobody is there to say what is missing: one is sent to ask."""
    f = Flight(peer, 6)
    f.say(4)
    p = f.c.until(lambda p: len(p.data) > 0 and f.number(p) in (4, 5),
                  'one of the two')
    if f.number(p) == 5:
        f.say(4, (5, 6))
    else:
        f.say(5)
    f.copy(4 if f.number(p) == 5 else 5)
    f.end()


@script
def loss__of_all(peer):
    """The first comes again, and again; when it is there the others."""
    f = Flight(peer, 6)
    for _ in range(3):
        f.copy(0)
    for n in range(1, 6):
        f.say(n)
        f.copy(n)
    f.end()


@script
def loss__of_a_copy(peer):
    """What was sent again is lost again."""
    f = Flight(peer, 6)
    f.say(0, (1, 4))
    for _ in range(3):
        f.copy(0)
    same(set(f.passed()) & {1, 2, 3}, set(), 'what has come')
    f.say(4)
    f.copy(4)
    f.end()


@script
def loss__without_SACK(peer):
    """Three duplicates; and each part that comes asks for the next."""
    f = Flight(peer, 8, options=P.mss(MSS))
    for _ in range(4):
        f.say(0)
    f.copy(0)
    f.say(3)
    f.copy(3)
    f.say(6)
    f.copy(6)
    f.end()


@script
def loss__new_ones_in_between(peer):
    """What came makes room for what was not sent yet."""
    f = Flight(peer, 10)
    peer.do('send', f.fd, f.sent, 4 * MSS)
    f.say(0, (1, 10))
    f.copy(0)
    f.sent += 4 * MSS
    f.say(10)
    for n in 10, 11, 12, 13:
        f.copy(n)
        f.say(n + 1)
    f.end()


@script
def loss__and_a_peer_that_forgets(peer):
    """It had them, and has them no more (RFC 2018, 8)."""
    f = Flight(peer, 6)
    f.say(0, (1, 6))
    f.copy(0)
    f.passed()
    for n in range(1, 6):
        f.say(n)
        f.copy(n)
    f.end()


@script
def loss__and_copies_that_came_twice(peer):
    """D-SACK, RFC 2883: below what is acknowledged, and within a block."""
    f = Flight(peer, 4)
    f.say(2, (0, 1))
    f.say(2, (0, 2))
    f.say(2, (3, 4), (2, 4))
    f.copy(2)
    f.say(4, (2, 3))
    f.say(4, (2, 3))
    f.passed()
    f.more(2)
    f.say(6)
    f.end()


@script
def loss__and_lies(peer):
    """Blocks of what was never sent, or acknowledged; upside down, empty, half
    of all numbers, parts of segments: the connection goes on."""
    f = Flight(peer, 5)
    f.say(1)
    for a, b in ((0, 1), (-5, 1), (-5, 4), (3, 2), (3, 3), (4, 9), (5, 7),
                 (100, 101), (2, 1 << 21), (1 << 20, 1 << 21), (-9, 99)):
        f.say(1, (a, b))
    f.c.send('A', ack=f.at(1), options=blocks(
        (f.at(2) + 1, f.at(3) - 1), (f.at(3) + 7, f.at(3) + 8)))
    f.say(1, *[(9, 8)] * 4)
    f.c.send('A', ack=f.at(1), options=P.NOP + P.NOP + b'\5\x0a' + b'\xff' * 4)
    f.c.send('A', ack=f.at(7), options=blocks((f.at(8), f.at(9))))
    peer.fence()
    same(state(peer, f.fd), ESTABLISHED, 'state')
    for n in range(1, 5):
        f.copy(n)
        f.say(n + 1)
    f.end()


@script
def loss__of_a_SYN(peer):
    fd, c = peer.connecting(81)
    for _ in range(2):
        c.until(lambda p: p.flags == 'S' and p.seq == c.syn.seq, 'a SYN')
    c.take_syn(options=WITH_SACK)
    peer.do('poll', fd, 4)
    peer.do('send', fd, 0, MSS)
    c.expect('A', data=PATTERN[:MSS])
    c.send('A')
    c.nothing()


@script
def loss__of_a_FIN(peer):
    fd, c = peer.connected(81, options=WITH_SACK)
    peer.do('close', fd)
    p = c.expect('FA')
    for _ in range(3):
        c.until(lambda q: q.flags == 'FA' and q.seq == p.seq, 'a FIN')
    c.send('A')
    c.send('FA')
    c.acked()


@script
def loss__of_each_SYN(peer):
    """As many as the program wants (TCP_SYNCNT); then it is told."""
    fd = peer.do('socket', 4, 'tcp')
    peer.do('set', fd, IPPROTO_TCP, TCP_SYNCNT, 1)
    peer.call('connect', fd, '10.7.0.1', 82)
    must(peer.do('poll', fd, POLLIN) & POLLERR, 'no error')
    same(peer.call('recv', fd, 1)[0], -ETIMEDOUT, 'recv')
    syns = peer.came(lambda p: p.proto == P.TCP and p.flags == 'S')
    same(len(syns), 2, 'SYNs')


@script
def loss__for_longer_than_the_program_waits(peer):
    """TCP_USER_TIMEOUT."""
    f = Flight(peer, 2)
    peer.do('set', f.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500)
    must(peer.do('poll', f.fd, POLLIN) & POLLERR, 'no error')
    same(peer.call('recv', f.fd, 1)[0], -ETIMEDOUT, 'recv')


@script
def loss__as_proc_tells(peer):
    """What a connection waits for, and how often it was in vain."""
    def fields():
        return peer.call('grep', '/proc/net/tcp', ':0051')[1].split()

    f = Flight(peer, 1)
    for _ in range(3):
        f.copy(0)
    timer, tries = fields()[5:7]
    must(timer.startswith('01:'), 'the timer: ' + timer)
    must(int(tries, 16) > 0, 'the tries: ' + tries)
    f.say(1)
    peer.fence()
    same(fields()[5:7], ['00:00000000', '00000000'], 'the timer, and tries')
    for name in 'TCPTimeouts', 'TCPLossProbes':
        must(peer.call('grep', '/proc/net/netstat', name)[0] > 0, name)
    must(peer.call('grep', '/proc/net/snmp', 'RetransSegs')[0] > 0, 'snmp')


def cases(_):
    yield from script.cases()
