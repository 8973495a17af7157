# SPDX-License-Identifier: ISC
"""packets.py - TCP: what the machine sends for what it gets, packet by packet."""
import struct

from suite import packets as P
from suite.peer import (GUEST, PEER)
from suite.scripts import (CLOSE, CLOSE_WAIT, CLOSING, EAGAIN, ECONNREFUSED,
                           ECONNRESET, EINVAL, ESTABLISHED, ETIMEDOUT,
                           FIN_WAIT1, FIN_WAIT2, IPPROTO_TCP, LAST_ACK,
                           PATTERN, POLLERR, POLLIN, POLLOUT, POLLPRI,
                           SOL_SOCKET, SO_ERROR, Scripts, TIMED, must, same,
                           state)

script = Scripts()


@script
def tcp__handshake(peer):
    """From here: options of the answer, data both ways, both close."""
    listener, fd, c = None, None, peer.conn(80, 3000)
    listener = peer.listen(80)
    p = c.open(P.mss(1000) + P.SACK_OK + P.NOP + P.scale(3))
    same(struct.unpack('!H', p.options[2])[0], 1460, 'MSS')
    must(4 in p.options and 3 in p.options, 'SACK or scale is not taken up')
    must(8 not in p.options, 'timestamps nobody asked for')
    fd = peer.do('accept', listener)
    c.send('PA', b'hello')
    c.acked()
    same(peer.call('recv', fd, 10), (5, b'hello'.hex()), 'recv')
    same(peer.do('send', fd, 0, 1500), 1500, 'send')
    same(len(c.expect('A').data), 1000, 'a segment of our MSS')
    c.send('A')
    same(len(c.expect('A').data), 500, 'and the rest')
    c.send('A')
    c.send('FA')
    c.acked()
    same(peer.call('recv', fd, 10)[0], 0, 'the end')
    peer.do('close', fd)
    c.expect('FA')
    c.send('A')
    c.nothing()


@script
def tcp__handshake_from_the_machine(peer):
    fd, c = peer.connecting(81)
    must({2, 4, 3} <= set(c.syn.options), 'options of the SYN')
    c.take_syn(P.mss(536))
    same(peer.do('poll', fd, POLLOUT), POLLOUT, 'poll')
    same(state(peer, fd), ESTABLISHED, 'state')
    peer.do('send', fd, 0, 1000)
    same(c.expect('A').data, PATTERN[:536], 'the first segment')
    c.send('A')
    same(c.expect('A').data, PATTERN[536:1000], 'the second')
    c.send('A')
    peer.do('close', fd)
    c.expect('FA')
    c.send('FA')
    c.acked()


@script
def tcp__handshake_crosswise(peer):
    """Both send a SYN (RFC 9293, 3.5, figure 7)."""
    fd, c = peer.connecting(82)
    c.send('S')
    c.expect('SA', seq=c.syn.seq, ack=c.isn + 1)
    c.send('A')
    same(peer.do('poll', fd, POLLOUT), POLLOUT, 'poll')
    c.send('PA', b'x')
    c.acked()
    same(peer.call('recv', fd, 10), (1, b'x'.hex()), 'recv')


@script
def tcp__nobody_listens(peer):
    c = peer.conn(99, 3000)
    c.send('S')
    c.expect('RA', seq=0, ack=c.isn + 1)
    c.send('S', b'data', seq=5)
    c.expect('RA', seq=0, ack=5 + 5)
    c.send('A', seq=7, ack=77)
    c.expect('R', seq=77)
    c.send('FA', seq=8, ack=78)
    c.expect('R', seq=78)
    for flags in 'R', 'RA':
        c.send(flags, seq=9, ack=79)
        c.nothing()
    c.send('F', seq=19)
    c.expect('RA', seq=0, ack=20)
    c.send('', b'ab', seq=29)
    c.expect('RA', seq=0, ack=31)


@script
def tcp__listener_gets_nonsense(peer):
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.send('A', seq=7, ack=77)
    c.expect('R', seq=77)
    c.send('SA', seq=8, ack=78)
    c.expect('R', seq=78)
    for flags in 'R', 'SR', 'F', '', 'FPU', 'SF':
        if flags != 'SF':
            c.send(flags, seq=9)
            c.nothing()
    c.open()
    peer.do('accept', listener)


@script
def tcp__answers_to_a_SYN(peer):
    """A reset refuses, but only with the right number."""
    fd, c = peer.connecting(82)
    c.send('RA', ack=c.ack + 5)
    c.send('R', seq=0)
    c.nothing()
    for flags, more in ('A', 7), ('SA', 9):
        c.send(flags, ack=c.ack + more)
        c.until(lambda p: p.flags == 'R' and p.seq == c.ack + more, 'a reset')
    c.send('RA')
    must(peer.do('poll', fd, POLLOUT) & POLLERR, 'no error is told')
    same(peer.do('get', fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED, 'SO_ERROR')


@script
def tcp__reset(peer):
    """RFC 5961, 3: only the very next number ends a connection."""
    _, fd, c = peer.accepted(80, 3000)
    c.send('R', seq=c.seq - 1)
    c.nothing()
    c.send('R', seq=c.seq + 100000)
    c.nothing()
    c.send('R', seq=c.seq + 1)
    c.until(lambda p: p.flags == 'A' and p.ack == c.seq, 'a challenge')
    same(state(peer, fd), ESTABLISHED, 'state')
    c.send('R')
    peer.do('poll', fd, POLLIN)
    same(peer.call('recv', fd, 10)[0], -ECONNRESET, 'recv')
    same(peer.call('recv', fd, 10)[0], 0, 'recv once more')


@script
def tcp__SYN_within_a_connection(peer):
    """RFC 5961, 4: answered with an ACK (Linux sends few of them)."""
    _, fd, c = peer.accepted(80, 3000)
    c.send('S', seq=c.seq)
    c.until(lambda p: p.flags == 'A' and p.ack == c.seq, 'a challenge')
    for seq in c.seq + 5, c.isn, c.seq + 1000000, c.seq + (1 << 31):
        c.send('S', seq=seq)
    peer.fence()
    same(state(peer, fd), ESTABLISHED, 'state')
    c.send('PA', b'on')
    c.acked()
    same(peer.call('recv', fd, 10), (2, b'on'.hex()), 'recv')


@script
def tcp__SYN_once_more(peer):
    """Retransmissions of the handshake, from both sides."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.send('S')
    p = c.expect('SA', ack=c.isn + 1)
    c.send('S', seq=c.isn)
    c.until(lambda q: q.seq == p.seq and q.flags in ('SA', 'A'),
            'the answer once more')
    c.until(lambda q: q.flags == 'SA' and q.seq == p.seq, 'by itself')
    c.send('A')
    fd = peer.do('accept', listener)
    c.send('PA', b'x')
    c.acked()
    peer.do('close', fd)


@script
def tcp__reset_of_a_half_open_one(peer):
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.send('S')
    c.expect('SA')
    c.send('R')
    c.nothing()
    c.send('A')
    c.expect('R', seq=c.ack)
    d = peer.conn(80, 3001)
    d.open()
    peer.do('accept', listener)


@script
def tcp__ACK_of_what_was_not_sent(peer):
    """In the handshake it is reset, within a connection answered."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.send('S')
    c.expect('SA')
    c.send('A', ack=c.ack + 10)
    c.until(lambda p: p.flags == 'R' and p.seq == (c.ack + 10) & 0xffffffff,
            'a reset')
    c.send('A')
    fd = peer.do('accept', listener)
    c.send('A', ack=c.ack + 100000)
    c.send('A', ack=c.ack - 100000)
    peer.fence()
    same(state(peer, fd), ESTABLISHED, 'state')


@script
def tcp__window_zero(peer):
    """Our window closes; the machine probes, and goes on when it opens."""
    fd, c = peer.connected(81, options=P.mss(1460))
    c.window = 0
    c.send('A', window=1000)
    peer.do('send', fd, 0, 5000)
    p = c.expect('A', seq=c.ack)
    same(p.data, PATTERN[:1000], 'what the window allows')
    c.send('A')
    probe = c.until(lambda p: p.seq in (c.ack, c.ack - 1) and
                    len(p.data) <= 1, 'a probe')
    c.send('A', ack=c.syn.end + 1000)
    c.until(lambda p: p.seq in (probe.seq, probe.seq + 1),
            'a second probe')
    c.window = 65535
    c.send('A', ack=c.syn.end + 1000)
    got = {}
    c.ack = c.syn.end + 1000
    while c.ack != c.syn.end + 5000:
        p = c.until(lambda p: len(p.data) > 0 and p.seq <= c.ack, 'the rest')
        c.send('A')
        got[p.seq] = p.data
    peer.do('close', fd)


@script
def tcp__tiny_window(peer):
    """A peer that never has room for more than some bytes."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.window = 3
    c.send('S', options=TIMED + P.mss(1460))
    start = c.ack = c.expect('SA').end
    c.send('A', options=TIMED)
    fd = peer.do('accept', listener)
    peer.do('send', fd, 0, 200)
    p = c.until(lambda p: len(p.data) > 0, 'some bytes')
    must(len(p.data) <= 3, '%d bytes, but the window is 3' % len(p.data))
    c.window = 65535
    while c.ack != start + 200:
        c.send('A', options=TIMED)
        c.until(lambda p: len(p.data) > 0 and p.seq <= c.ack < p.end,
                'the rest')


@script
def tcp__own_window_zero(peer):
    """The machine's window closes as nobody reads, and opens again."""
    listener = peer.listen(80)
    peer.do('set', listener, SOL_SOCKET, 8, 8192)
    c = peer.conn(80, 3000)
    c.open()
    fd = peer.do('accept', listener)
    sent, window = 0, c.syn.window
    while window > 0:
        n = min(window, 1460)
        c.send('A', PATTERN[sent:sent + n])
        sent += n
        p = c.acked()
        window = p.window
        must(sent < 1 << 18, 'the window never closes')
    c.send('A', b'?')
    p = c.until(lambda p: p.window == 0, 'a refusal')
    same(p.ack, c.seq - 1, 'what is acknowledged')
    c.seq -= 1
    same(peer.call('drain', fd, sent), (sent, '0 0'), 'drain')
    c.until(lambda p: p.window > 0 and p.ack == c.seq, 'an open window')
    c.send('PA', b'x')
    c.acked()


def fill(c, most):
    """Sends until the machine's window is shut; how much that was."""
    sent, p = 0, c.syn
    while p.window > 0:
        for n in p.window // 2, p.window - p.window // 2:
            n = min(n, 1400) # the second is acknowledged at once
            c.send('A', PATTERN[sent:sent + n])
            sent += n
        must(sent <= most, '%d bytes, and the window is not shut' % sent)
        p = c.syn = c.acked()
    return sent


@script
def tcp__receive_buffer(peer):
    """SO_RCVBUF bounds the window, whenever it is set; and what was offered
    is not taken back."""
    listener = peer.listen(80)
    peer.do('set', listener, SOL_SOCKET, 8, 6000)
    same(peer.do('get', listener, SOL_SOCKET, 8), 12000, 'SO_RCVBUF')
    c = peer.conn(80, 3000)
    c.open()
    must(c.syn.window <= 6000, 'a window of %d' % c.syn.window)
    fd = peer.do('accept', listener)
    same(peer.do('get', fd, SOL_SOCKET, 8), 12000, 'SO_RCVBUF')
    sent = fill(c, 12000)
    must(sent > 2000, 'shut after %d bytes' % sent)
    peer.do('set', fd, SOL_SOCKET, 8, 30000)
    c.send('A', b'', seq=c.seq - 1) # what is the window now?
    c.syn = c.until(lambda p: p.window > 0, 'a larger window')
    sent += fill(c, 60000)
    must(sent > 12000, 'shut after %d bytes' % sent)
    peer.do('set', fd, SOL_SOCKET, 8, 6000)
    left = sent
    while left > 0:
        n = min(left, 5000)
        peer.call('drain', fd, n)
        left -= n
    c.send('A', b'', seq=c.seq - 1)
    c.syn = c.until(lambda p: p.window > 0 and p.ack == c.seq, 'a window')
    sent = fill(c, 12000)
    must(sent > 2000, 'shut after %d bytes' % sent)
    same(peer.call('drain', fd, sent)[0], sent, 'drain')
    peer.do('close', fd)


@script
def tcp__retransmission(peer):
    fd, c = peer.connected(81)
    peer.do('send', fd, 0, 100)
    p = c.expect('A', data=PATTERN[:100])
    for _ in range(3):
        c.until(lambda q: q.seq == p.seq and q.data == p.data, 'once more')
    c.send('A')
    peer.do('send', fd, 100, 100)
    c.until(lambda q: q.data == PATTERN[100:200], 'what follows')
    c.send('A')
    c.nothing()


@script
def tcp__fast_retransmission(peer):
    """Three duplicates of an acknowledgement: the first one once more."""
    fd, c = peer.connected(81, options=P.mss(1460))
    peer.do('send', fd, 0, 1460)
    c.expect('A')
    c.send('A')
    first = c.ack
    peer.do('send', fd, 1460, 3 * 1460)
    c.until(lambda p: p.end == first + 3 * 1460, 'all')
    for _ in range(3):
        c.send('A', ack=first)
    c.until(lambda p: p.seq == first and len(p.data) > 0, 'the first again')
    c.send('A', ack=first + 3 * 1460)
    c.nothing()


@script
def tcp__reordering(peer):
    """Segments in all orders; what came first waits, and is told by SACK."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.open(P.SACK_OK + P.mss(1460))
    fd = peer.do('accept', listener)
    base = c.seq
    for k in 3, 1, 4, 2:
        c.send('A', PATTERN[100 * k:100 * k + 100], seq=base + 100 * k)
        p = c.until(lambda p: p.ack == base, 'a duplicate')
        must((base + 100 * k, base + 100 * k + 100) == p.sack()[0] or
             p.sack()[0][0] <= base + 100 * k < p.sack()[0][1],
             'the first block is not the newest one: %s' % p)
    c.send('A', PATTERN[:100], seq=base)
    c.seq = base + 500
    c.acked()
    same(peer.call('drain', fd, 500), (500, '0 0'), 'drain')


@script
def tcp__duplication(peer):
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    for _ in range(3):
        c.send('A', PATTERN[:100], seq=base)
        c.until(lambda p: p.ack == base + 100, 'an ACK')
    c.send('A', PATTERN[100:200], seq=base + 100)
    c.seq = base + 200
    c.acked()
    same(peer.call('drain', fd, 200), (200, '0 0'), 'drain')


@script
def tcp__overlap(peer):
    """Parts that came before come again with more, before and behind."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq

    def part(begin, end):
        c.send('A', PATTERN[begin:end], seq=base + begin)
    part(0, 100)
    part(50, 150)
    part(200, 300)
    part(180, 250)
    part(250, 400)
    part(190, 390)
    part(600, 700)
    part(500, 800)
    part(150, 450)
    part(440, 510)
    part(0, 900)
    c.seq = base + 900
    c.acked()
    same(peer.call('drain', fd, 900), (900, '0 0'), 'drain')


@script
def tcp__outside_of_the_window(peer):
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    for seq in base - 70000, base + (1 << 24), base + (1 << 31), base - 10:
        c.send('A', b'x', seq=seq)
        c.until(lambda p: p.flags == 'A' and p.ack == base, 'an ACK')
    c.send('A', PATTERN[:10])
    c.acked()
    same(peer.call('drain', fd, 10), (10, '0 0'), 'drain')


@script
def tcp__closed_by_us_first(peer):
    """ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED."""
    _, fd, c = peer.accepted(80, 3000)
    c.send('FA', PATTERN[:7])
    c.acked()
    same(state(peer, fd), CLOSE_WAIT, 'state')
    c.send('FA', seq=c.seq - 1)
    c.until(lambda p: p.ack == c.seq, 'the ACK once more')
    same(peer.call('drain', fd, 0), (7, '0 0'), 'drain')
    peer.do('send', fd, 0, 50)
    same(c.expect('A').data, PATTERN[:50], 'data in CLOSE_WAIT')
    peer.do('close', fd)
    c.expect('FA')
    c.send('A', ack=c.ack - 1)
    c.until(lambda p: 'F' in p.flags, 'the FIN once more')
    c.send('A')
    c.nothing()
    c.send('A')
    c.expect('R')


@script
def tcp__closed_by_the_machine_first(peer):
    """FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT."""
    _, fd, c = peer.accepted(80, 3000)
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    same(state(peer, fd), FIN_WAIT1, 'state')
    c.send('A')
    peer.fence()
    same(state(peer, fd), FIN_WAIT2, 'state')
    c.send('PA', PATTERN[:20])
    c.acked()
    same(peer.call('drain', fd, 20), (20, '0 0'), 'drain')
    c.send('FA')
    c.acked()
    same(peer.call('recv', fd, 1)[0], 0, 'the end')
    c.send('FA', seq=c.seq - 1)
    c.until(lambda p: p.flags == 'A' and p.ack == c.seq,
            'an ACK in TIME_WAIT')
    same(peer.do('close', fd), 0, 'close')
    c.send('R')
    c.nothing()


@script
def tcp__closed_by_both_at_once(peer):
    """FIN_WAIT_1, CLOSING, TIME_WAIT."""
    _, fd, c = peer.accepted(80, 3000)
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    c.send('FA', ack=c.ack - 1)
    c.acked()
    c.send('A')
    peer.fence()
    same(peer.call('recv', fd, 1)[0], 0, 'the end')
    c.send('FA', seq=c.seq - 1)
    c.until(lambda p: p.flags == 'A' and p.ack == c.seq,
            'an ACK in TIME_WAIT')


@script
def tcp__FIN_that_acknowledges_one(peer):
    """FIN_WAIT_1, TIME_WAIT."""
    _, fd, c = peer.accepted(80, 3000)
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    c.send('FA')
    c.acked()
    same(peer.call('recv', fd, 1)[0], 0, 'the end')


@script
def tcp__FIN_before_data(peer):
    """A FIN that comes before the bytes ahead of it counts when they come."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    c.send('FA', PATTERN[50:100], seq=base + 50)
    c.until(lambda p: p.ack == base, 'a duplicate')
    same(state(peer, fd), ESTABLISHED, 'state')
    c.send('A', PATTERN[:50], seq=base)
    c.until(lambda p: p.ack == base + 101, 'all with the FIN')
    same(peer.call('drain', fd, 0), (100, '0 0'), 'drain')


@script
def tcp__FIN_in_the_handshake(peer):
    """With the ACK of the SYN, and with data."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.send('S')
    c.expect('SA')
    c.send('FA', PATTERN[:30])
    c.acked()
    fd = peer.do('accept', listener)
    same(peer.call('drain', fd, 0), (30, '0 0'), 'drain')
    peer.do('close', fd)
    c.expect('FA')
    c.send('A')


@script
def tcp__FIN_before_the_connection(peer):
    """SYN_SENT, SYN_RCVD: nothing is there that it could close."""
    fd, c = peer.connecting(83)
    c.send('F', seq=c.isn)
    c.send('F', b'data', seq=c.isn)
    c.nothing()
    c.take_syn()
    peer.do('poll', fd, POLLOUT)
    same(state(peer, fd), ESTABLISHED, 'state')
    listener, d = peer.listen(80), peer.conn(80, 3000)
    d.send('S')
    d.expect('SA')
    d.send('F', seq=d.seq)
    d.send('F', b'data', seq=d.seq)
    peer.fence()
    d.send('A')
    fd = peer.do('accept', listener)
    same(state(peer, fd), ESTABLISHED, 'state')
    d.send('PA', b'x')
    d.acked()
    same(peer.call('recv', fd, 10), (1, b'x'.hex()), 'recv')


@script
def tcp__FIN_once_more(peer):
    """CLOSE_WAIT, LAST_ACK: bytes and a FIN behind the first one do not
    count, the first one is acknowledged whenever it comes."""
    _, fd, c = peer.accepted(80, 3000)
    c.send('FA', PATTERN[:3])
    c.acked()
    c.send('FA', b'behind', seq=c.seq)
    c.send('A', b'behind', seq=c.seq)
    c.send('FA', seq=c.seq + 1)
    peer.fence()
    same(state(peer, fd), CLOSE_WAIT, 'state')
    same(peer.call('drain', fd, 0), (3, '0 0'), 'drain')
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    same(state(peer, fd), LAST_ACK, 'state')
    for _ in range(2):
        c.send('FA', seq=c.seq - 1, ack=c.ack - 1)
        c.until(lambda p: 'A' in p.flags and p.ack == c.seq, 'an ACK')
    c.send('FA', b'behind', seq=c.seq, ack=c.ack - 1)
    peer.fence()
    same(state(peer, fd), LAST_ACK, 'state')
    c.send('A')
    peer.fence()
    same(state(peer, fd), CLOSE, 'state')
    c.send('A')
    c.until(lambda p: p.flags == 'R', 'a reset: nobody knows it any more')


@script
def tcp__FIN_out_of_order(peer):
    """FIN_WAIT_1: it counts when the bytes before it are there; FIN_WAIT_2:
    one beyond the window does not; CLOSING: again and again."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    c.send('FA', PATTERN[10:20], seq=base + 10, ack=c.ack - 1)
    peer.fence()
    same(state(peer, fd), FIN_WAIT1, 'state')
    c.send('A', PATTERN[:10], seq=base, ack=c.ack - 1)
    c.seq = base + 21
    c.acked()
    for _ in range(2):
        c.send('FA', seq=c.seq - 1, ack=c.ack - 1)
        c.until(lambda p: 'A' in p.flags and p.ack == c.seq, 'an ACK')
    must(state(peer, fd) in (CLOSING, CLOSE), 'state %d' % state(peer, fd))
    same(peer.call('drain', fd, 0), (20, '0 0'), 'drain')
    c.send('A')
    peer.fence()
    c.send('FA', seq=c.seq - 1)
    c.until(lambda p: p.flags == 'A' and p.ack == c.seq,
            'an ACK in TIME_WAIT')
    _, fd, c = peer.accepted(81, 3001)
    peer.do('shutdown', fd, 1)
    c.expect('FA')
    c.send('A')
    for seq in c.seq + 10000000, c.seq - 5:
        c.send('FA', seq=seq)
    peer.fence()
    same(state(peer, fd), FIN_WAIT2, 'state')
    c.send('FA')
    c.acked()
    same(peer.call('recv', fd, 1)[0], 0, 'the end')


@script
def tcp__data_after_the_close(peer):
    """Nobody is there to read them: a reset (RFC 9293, 3.10.7.4)."""
    _, fd, c = peer.accepted(80, 3000)
    peer.do('close', fd)
    c.expect('FA')
    c.send('PA', b'too late')
    c.until(lambda p: 'R' in p.flags, 'a reset')


@script
def tcp__close_with_unread(peer):
    """RFC 1122, 4.2.2.13: the peer learns that bytes were lost."""
    _, fd, c = peer.accepted(80, 3000)
    c.send('PA', b'unread')
    c.acked()
    peer.do('close', fd)
    c.until(lambda p: 'R' in p.flags, 'a reset')


@script
def tcp__peer_has_forgotten(peer):
    fd, c = peer.connected(81)
    peer.do('send', fd, 0, 10)
    c.expect('A')
    c.send('R', seq=c.seq)
    same(peer.do('poll', fd, POLLIN) & POLLIN, POLLIN, 'poll')
    same(peer.call('send', fd, 0, 10)[0], -ECONNRESET, 'send')
    same(peer.call('send', fd, 0, 10)[0], -32, 'send once more')


@script
def tcp__time_wait_begins_anew(peer):
    """A SYN with a higher number opens the same pair of ports again."""
    listener, fd, c = peer.accepted(80, 3000)
    peer.do('close', fd)
    c.expect('FA')
    c.send('FA')
    c.acked()
    c.isn = c.seq = c.seq + 100000
    c.seen.clear()
    c.send('S')
    p = c.until(lambda p: 'S' in p.flags or 'R' in p.flags, 'a SYN/ACK')
    same(p.flags, 'SA', 'the answer')
    c.ack = p.end
    c.send('A')
    peer.do('accept', listener)


@script
def tcp__wrong_sums_and_headers(peer):
    """Whatever is not whole is dropped without a word."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    for fields in ({'check': 0x1234}, {'offset': 4}, {'offset': 0},
                   {'offset': 15}):
        c.send('A', b'bad', seq=base, **fields)
        c.nothing()
    whole = P.tcp(PEER, GUEST, 3000, 80, 'A', base, c.ack, b'bad')
    for n in 0, 1, 10, 19:
        peer.send4(P.TCP, whole[:n])
    c.nothing()
    for length in 0, 19, 20, 39, 1000, 65535:
        peer.send4(P.TCP, whole, length=length)
    for fields in ({'version': 5}, {'ihl': 4}, {'ihl': 15}, {'check': 7}):
        peer.send4(P.TCP, whole, **fields)
    c.nothing()
    c.send('A', PATTERN[:4])
    c.acked()
    same(peer.call('drain', fd, 4), (4, '0 0'), 'drain')


@script
def tcp__malformed_options(peer):
    """Options that end nowhere, or have no sense, do not stop a handshake."""
    listener = peer.listen(80)
    strange = [b'\2', b'\2\0\0\0', b'\2\4\0\0', b'\3\3\xff', b'\xfe\0',
               b'\xfe\1', b'\xfe\xff\0\0', b'\5\2', b'\5\x0a' + b'x' * 8,
               b'\x08\x0a\0', b'\3\2', b'\4\1', b'\1' * 40, b'\2\4\0\1',
               b'\x08\x0a' + b'\xff' * 8, b'\3\3\x0e\2\4\xff\xff',
               b'\0' + b'\xff' * 39]
    for i, options in enumerate(strange):
        c = peer.conn(80, 3000 + i)
        c.open(options)
        fd = peer.do('accept', listener)
        c.send('R')
        peer.do('close', fd)


@script
def tcp__tiny_segments(peer):
    """An MSS of 1 does not make the machine send thousands of headers."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    c.open(P.mss(1))
    fd = peer.do('accept', listener)
    peer.do('send', fd, 0, 200)
    p = c.until(lambda p: len(p.data) > 0, 'data')
    must(len(p.data) >= 8, 'segments of %d bytes' % len(p.data))


@script
def tcp__timestamps(peer):
    """Echoed; and a segment from the past is not taken (RFC 7323, 5)."""
    listener, c = peer.listen(80), peer.conn(80, 3000)
    p = c.open(TIMED)
    same(p.options[8][4:], struct.pack('!I', 1000), 'the echo')
    fd = peer.do('accept', listener)
    base = c.seq

    def send(data, value, seq):
        c.send('A', data, seq=seq, options=P.NOP + P.NOP + P.stamp(value, 0))
    send(PATTERN[:10], 1010, base)
    p = c.until(lambda p: p.ack == base + 10, 'an ACK')
    same(p.options[8][4:], struct.pack('!I', 1010), 'the echo')
    send(b'old bytes!', 900, base + 10)
    p = c.until(lambda p: p.flags == 'A', 'an ACK')
    same(p.ack, base + 10, 'what is acknowledged')
    send(PATTERN[10:20], 1011, base + 10)
    c.until(lambda p: p.ack == base + 20, 'an ACK')
    same(peer.call('drain', fd, 20), (20, '0 0'), 'drain')


@script
def tcp__keepalive(peer):
    """Idle connections are asked; those that say nothing end."""
    fd, c = peer.connected(81)
    for name, value in (4, 1), (5, 1), (6, 100):
        peer.do('set', fd, IPPROTO_TCP, name, value)
    peer.do('set', fd, SOL_SOCKET, 9, 1)
    c.until(lambda p: p.seq == c.ack - 1 and len(p.data) <= 1, 'a probe')
    c.send('A')
    c.until(lambda p: p.seq == c.ack - 1, 'a probe')
    peer.do('set', fd, IPPROTO_TCP, 6, 2)
    must(peer.do('poll', fd, POLLIN) & POLLERR, 'no error')
    same(peer.call('recv', fd, 1)[0], -ETIMEDOUT, 'recv')


@script
def tcp__urgent(peer):
    """An urgent pointer does no harm, wherever it points."""
    _, fd, c = peer.accepted(80, 3000)
    peer.do('set', fd, SOL_SOCKET, 10, 1)
    total = 0
    for pointer in 0, 1, 3, 5, 60000:
        c.send('AU', PATTERN[total:total + 5], urgent=pointer)
        total += 5
        c.acked()
    same(peer.call('drain', fd, total), (total, '0 0'), 'drain')


OOB = 1


@script
def tcp__urgent_pointer_sent(peer):
    """It points behind the last byte, from each segment before that."""
    fd, c = peer.connected(81, options=P.mss(1000))
    peer.do('send', fd, 0, 3, OOB)
    p = c.expect('AU', data=PATTERN[:3])
    same(p.urgent, 3, 'the pointer')
    c.send('A')
    peer.do('send', fd, 3, 2500, OOB)
    for start, n, ahead in (3, 1000, 2500), (1003, 1000, 1500), (2003, 500, 500):
        p = c.until(lambda p: p.data, 'a segment')
        same((p.data, p.urgent, 'U' in p.flags),
             (PATTERN[start:start + n], ahead, True), 'a segment')
    c.send('A')
    peer.do('send', fd, 2503, 10)
    p = c.until(lambda p: p.data, 'what is not urgent')
    must('U' not in p.flags, 'a pointer to what is over')
    c.send('A')


@script
def tcp__urgent_pointer_while_the_window_is_shut(peer):
    """It is told by a segment without data, too."""
    fd, c = peer.connected(81)
    peer.do('send', fd, 0, 10)
    c.expect('A', data=PATTERN[:10])
    c.send('A', window=0)
    peer.fence()
    peer.do('send', fd, 10, 20, OOB)
    c.send('PA', b'x', window=0)
    p = c.until(lambda p: p.ack == c.seq, 'an ACK')
    same((p.flags, p.urgent), ('AU', 20), 'flags and pointer')
    c.send('A')
    p = c.until(lambda p: len(p.data) == 20, 'the bytes')
    same(p.urgent, 20, 'pointer')
    c.send('A')


@script
def tcp__urgent_byte_that_overtakes(peer):
    """The byte is there before those that come before it are."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    c.send('AU', PATTERN[10:20], seq=base + 10, urgent=5)
    c.until(lambda p: p.ack == base, 'an ACK')
    same(peer.do('poll', fd, POLLIN | POLLPRI), POLLPRI, 'poll')
    same(peer.call('recv', fd, 9, OOB), (1, PATTERN[14:15].hex()), 'recv')
    c.send('A', PATTERN[:10], seq=base)
    c.until(lambda p: p.ack == base + 20, 'an ACK')
    same(peer.call('recv', fd, 99), (14, PATTERN[:14].hex()), 'up to the mark')
    same(peer.call('recv', fd, 99), (5, PATTERN[15:20].hex()), 'the rest')


@script
def tcp__urgent_pointer_ahead(peer):
    """What is urgent comes later, and again; then it is behind."""
    _, fd, c = peer.accepted(80, 3000)
    base = c.seq
    c.send('AU', PATTERN[:5], urgent=8)
    c.acked()
    same(peer.call('recv', fd, 1, OOB)[0], -EAGAIN, 'recv')
    c.send('AU', PATTERN[5:10], urgent=3)
    c.acked()
    same(peer.call('recv', fd, 1, OOB), (1, PATTERN[7:8].hex()), 'recv')
    c.send('AU', PATTERN[5:10], seq=base + 5, urgent=3)
    peer.fence()
    same(peer.call('recv', fd, 1, OOB)[0], -EINVAL, 'a second time')
    same(peer.call('recv', fd, 99), (7, PATTERN[:7].hex()), 'up to the mark')
    same(peer.call('recv', fd, 99), (2, PATTERN[8:10].hex()), 'the rest')
    c.send('AU', b'', urgent=0)
    peer.fence()
    c.send('A', PATTERN[:4])
    c.acked()
    peer.do('poll', fd, POLLIN)


@script
def tcp__land(peer):
    """A SYN from oneself to oneself, on the same port."""
    peer.listen(80)
    for src in GUEST, '127.0.0.1', '0.0.0.0', '255.255.255.255', '224.0.0.1':
        peer.tcp(80, 80, 'S', 77, src=src)
    peer.fence()
    same(peer.came(lambda p: p.proto == P.TCP), [], 'answers')
    peer.send4(P.TCP, P.tcp(PEER, '10.7.0.255', 3000, 80, 'S', 1),
               dst='10.7.0.255', to=b'\xff' * 6)
    peer.send4(P.TCP, P.tcp(PEER, '224.0.0.1', 3000, 80, 'S', 1),
               dst='224.0.0.1', to=P.mac('01:00:5e:00:00:01'))
    peer.fence()
    same(peer.came(lambda p: p.proto == P.TCP), [], 'answers')


def cases(_):
    yield from script.cases()
