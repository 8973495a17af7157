# SPDX-License-Identifier: ISC
"""peer.py - the other side of a machine's network card, for scripts.

The machine runs with `--net socket=PATH`; QEMU connects there, and each frame
is a length (4 bytes, big-endian) and its bytes.  A Peer is the one station at
the other end: it answers ARP and neighbour solicitations for its addresses
unless told otherwise, tells the agent in the machine (tests/guest/net_agent.c)
what to do with sockets, and lets a script send and expect packets.

Nothing is measured: what must come is awaited, for long; that nothing came is
known when the answer to a later question (fence()) is there, as a machine
looks at packets one after another.
"""
import contextlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

from . import packets as P
from .case import Failure, Outcome, kill_session
from .machine import run_command

PATIENCE = int(os.environ.get('PACKETS_PATIENCE', 120))   # seconds
GUEST_MAC = P.mac('52:54:00:12:34:56')
PEER_MAC = P.mac('02:00:00:00:00:01')
GUEST, PEER, MASK = '10.7.0.2', '10.7.0.1', '255.255.255.0'
PEER6 = 'fe80::ff:fe00:1'
GUEST6 = 'fe80::5054:ff:fe12:3456'
AGENT_PORT = 7


class Gone(Failure):
    """The machine has closed its link."""


class Over(Exception):
    """The script has seen all it wants; the machine need not end itself."""


class Link:
    """Frames to and from a machine's card."""

    def __init__(self, path):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(1)
        self.stream = None
        self.lock = threading.Lock()

    def accept(self, process):
        """Returns when the machine's card is there."""
        self.server.settimeout(0.2)
        until = time.monotonic() + PATIENCE
        while self.stream is None:
            if process.poll() is not None:
                raise Failure('the machine ended before its card was there')
            if time.monotonic() > until:
                raise Failure('the machine has not connected its card')
            with contextlib.suppress(TimeoutError):
                self.stream = self.server.accept()[0]
        self.stream.settimeout(None)
        self.file = self.stream.makefile('rb')

    def send(self, *frames):
        data = b''.join(struct.pack('!I', len(f)) + f for f in frames)
        try:
            with self.lock:
                self.stream.sendall(data)
        except OSError as error:
            raise Gone('the machine is gone: %s' % error) from None

    def receive(self):
        """The next frame; None: the machine is gone."""
        try:
            head = self.file.read(4)
            if len(head) < 4:
                return None
            size = struct.unpack('!I', head)[0]
            frame = self.file.read(size)
        except (OSError, ValueError):
            return None
        return frame if len(frame) == size else None

    def close(self):
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.shutdown(socket.SHUT_RDWR)
            self.stream.close()
        self.server.close()


class Peer:
    """The station; `quiet`: addresses for which ARP and ND stay unanswered."""

    def __init__(self, link):
        self.link = link
        self.addresses = {PEER: PEER_MAC, PEER6: PEER_MAC}
        self.inbox = []         # packets that no connection and no call took
        self.conns = {}
        self.answers = {}
        self.number = 0
        self.alive = True
        self.wrong = None
        self.on_packet = None   # sees each; true: it is dealt with
        self.change = threading.Condition()
        self.thread = threading.Thread(target=self._receive, daemon=True)

    # ---- what comes

    def _receive(self):
        while (raw := self.link.receive()) is not None:
            try:
                packet = P.Packet(raw)
            except (struct.error, IndexError) as error:
                self.wrong = 'the machine sent %s: %s' % (raw.hex(), error)
                continue
            with self.change:
                if packet.wrong:
                    self.wrong = 'the machine sent a packet whose %s is ' \
                        'wrong: %s' % (packet.wrong, packet)
                self._take(packet)
                self.change.notify_all()
        with self.change:
            self.alive = False
            self.change.notify_all()

    def _take(self, p):
        if self.on_packet is not None and self.on_packet(p):
            return
        if self._neighbour(p):
            return
        if p.proto == P.UDP and not p.fragment and p.sport == AGENT_PORT:
            number, value, *text = p.data.decode().split(' ', 2)
            self.answers[int(number)] = (int(value), ''.join(text))
            return
        key = (p.dport, p.sport, str(p.dst)) \
            if p.proto == P.TCP and not p.fragment else None
        self.conns[key].inbox.append(p) if key in self.conns else \
            self.inbox.append(p)

    def _neighbour(self, p):
        """Answers who asks for one of our addresses."""
        if p.kind == P.ARP and p.op == 1 and str(p.dst) in self.addresses:
            own = self.addresses[str(p.dst)]
            with contextlib.suppress(Gone):
                self.link.send(P.ethernet(p.sender_mac, own, P.ARP, P.arp(
                    2, own, str(p.dst), p.sender_mac, str(p.src))))
            return True
        if p.proto == P.ICMP6 and not p.fragment and p.type == 135:
            import ipaddress
            target = str(ipaddress.ip_address(p.data[4:20]))
            own = self.addresses.get(target)
            if own is not None and p.src != ipaddress.ip_address('::'):
                with contextlib.suppress(Gone):
                    self.send6(P.ICMP6, P.icmp6(
                        target, str(p.src), 136, 0, struct.pack(
                            '!I', 0x60000000) + P.packed(target) + b'\2\1' +
                        own), src=target, dst=str(p.src), hops=255)
                return True
        return False

    def wait(self, look, what):
        """The first true value of look(), called with the inbox held."""
        until = time.monotonic() + PATIENCE
        with self.change:
            while True:
                if self.wrong is not None:
                    raise Failure(self.wrong)
                found = look()
                if found:
                    return found
                if not self.alive:
                    raise Gone('the machine ended, awaited: ' + what)
                left = until - time.monotonic()
                if left <= 0:
                    raise Failure('did not come: %s; there were: %s' % (
                        what, [str(p) for p in self.inbox[-20:]]))
                self.change.wait(min(left, 1))

    def expect(self, match, what):
        """The next packet outside of connections that matches; takes it."""
        def look():
            for p in self.inbox:
                if match(p):
                    self.inbox.remove(p)
                    return p
            return None
        return self.wait(look, what)

    def came(self, match):
        """Those that have come and match; takes them."""
        with self.change:
            found = [p for p in self.inbox if match(p)]
            self.inbox = [p for p in self.inbox if not match(p)]
            return found

    # ---- what goes

    def frame(self, kind, payload, dst=GUEST_MAC, src=PEER_MAC):
        self.link.send(P.ethernet(dst, src, kind, payload))

    def send4(self, proto, payload, src=PEER, dst=GUEST, to=GUEST_MAC, **ip):
        self.frame(P.IP4, P.ip4(src, dst, proto, payload, **ip), to)

    def send6(self, proto, payload, src=PEER6, dst=GUEST6, to=GUEST_MAC, **ip):
        self.frame(P.IP6, P.ip6(src, dst, proto, payload, **ip), to)

    def udp(self, sport, dport, data, src=PEER, dst=GUEST, **ip):
        self.send4(P.UDP, P.udp(src, dst, sport, dport, data), src, dst, **ip)

    def tcp(self, sport, dport, flags, seq, src=PEER, dst=GUEST, **fields):
        """A segment that belongs to no Conn."""
        segment = P.tcp(src, dst, sport, dport, flags, seq, **fields)
        (self.send6 if ':' in dst else self.send4)(P.TCP, segment, src, dst)

    def fence(self):
        """All that was sent before has been looked at by the machine."""
        self.number += 1
        mark = struct.pack('!HHI', 0xfe9c, self.number & 0xffff, self.number)
        self.send4(P.ICMP, P.icmp(8, 0, mark))
        self.expect(lambda p: p.proto == P.ICMP and not p.fragment and
                    p.type == 0 and p.data == mark, 'an answer to an echo')

    # ---- the agent

    def call(self, *words):
        """The agent does it: (value, text); it may wait for packets."""
        return self.finish(self.start(*words))

    def start(self, *words):
        """The same, but its answer is awaited later, by finish()."""
        self.number += 1
        text = '%d %s' % (self.number, ' '.join(map(str, words)))
        self.udp(AGENT_PORT, AGENT_PORT, text.encode())
        return self.number

    def finish(self, number):
        return self.wait(lambda: self.answers.pop(number, None),
                         'the agent\'s answer')

    def do(self, *words):
        """The same, which must go well: the value."""
        value, text = self.call(*words)
        if value < 0:
            raise Failure('%s: %d %s' % (' '.join(map(str, words)), value,
                                         text))
        return value

    def listen(self, port, family=4, backlog=16):
        fd = self.do('socket', family, 'tcp')
        self.do('set', fd, 1, 2, 1)
        self.do('bind', fd, '::' if family == 6 else '0.0.0.0', port)
        self.do('listen', fd, backlog)
        return fd

    def conn(self, port, sport, **rest):
        return Conn(self, port, sport, **rest)

    def accepted(self, port, sport, **rest):
        """A connection from here: (listener, descriptor, Conn)."""
        listener = self.listen(port, 6 if ':' in rest.get('dst', '') else 4)
        c = self.conn(port, sport, **rest)
        c.open()
        return listener, self.do('accept', listener), c

    def connected(self, sport, **rest):
        """A connection from the machine to our port: (descriptor, Conn)."""
        fd, c = self.connecting(sport)
        c.take_syn(**rest)
        self.do('poll', fd, 4)
        return fd, c

    def connecting(self, sport):
        fd = self.do('socket', 4, 'tcp')
        heard = Conn(self, 0, sport)
        value, _ = self.call('connect', fd, PEER, sport)
        if value != -115:
            raise Failure('connect: %d' % value)
        p = self.expect(lambda p: p.proto == P.TCP and p.dport == sport and
                        p.flags == 'S', 'a SYN to port %d' % sport)
        heard.adopt(p)
        return fd, heard


class Conn:
    """One connection, seen from the peer; numbers as they go on the wire."""

    def __init__(self, peer, port, sport, isn=1000, src=PEER, dst=GUEST):
        self.peer, self.port, self.sport = peer, port, sport
        self.src, self.dst = src, dst
        self.isn, self.seq, self.ack = isn, isn, None
        self.window, self.inbox, self.seen = 65535, [], set()
        self.stamps = None      # our own and the peer's last, when used
        peer.conns[(sport, port, src)] = self

    def adopt(self, syn):
        """The machine's SYN is ours."""
        with self.peer.change:
            self.peer.conns.pop((self.sport, self.port, self.src), None)
            self.port = syn.sport
            self.peer.conns[(self.sport, self.port, self.src)] = self
            self.inbox += [p for p in self.peer.inbox if p.proto == P.TCP and
                           p.sport == self.port and p.dport == self.sport]
            self.peer.inbox = [p for p in self.peer.inbox
                               if p not in self.inbox]
        self.syn, self.ack = syn, syn.end
        self.seen.add(syn.key)

    # ---- sending

    def send(self, flags, data=b'', seq=None, ack=None, **fields):
        """A segment; seq and ack are the next ones unless told."""
        ack = self.ack if ack is None else ack
        fields.setdefault('window', self.window)
        self.peer.tcp(self.sport, self.port, flags,
                      self.seq if seq is None else seq, self.src, self.dst,
                      ack=ack if 'A' in flags and ack is not None else 0, data=data, **fields)
        if seq is None:
            self.seq += len(data) + ('S' in flags) + ('F' in flags)

    # ---- expecting

    def next(self, what):
        """The next packet that is not one which came already."""
        def look():
            while self.inbox:
                p = self.inbox.pop(0)
                if p.key not in self.seen:
                    self.seen.add(p.key)
                    return p
            return None
        return self.peer.wait(look, what)

    def expect(self, flags, data=None, seq=None, ack=None):
        """The next new packet is like this.  PSH is not looked at."""
        what = '%s seq %s ack %s data %r' % (flags, seq, ack, data)
        p = self.next(what)
        if p.flags.replace('P', '') != flags or \
                data is not None and p.data != data or \
                seq is not None and p.seq != seq & 0xffffffff or \
                ack is not None and p.ack != ack & 0xffffffff:
            raise Failure('came: %s; awaited: %s' % (p, what))
        self._advance(p)
        return p

    def until(self, match, what):
        """Packets go by up to one that matches; old ones count too."""
        def look():
            while self.inbox:
                p = self.inbox.pop(0)
                self.seen.add(p.key)
                if match(p):
                    return p
            return None
        p = self.peer.wait(look, what)
        self._advance(p)
        return p

    def acked(self, upto=None):
        """The machine acknowledges all we sent, or up to a number."""
        upto = (self.seq if upto is None else upto) & 0xffffffff
        return self.until(lambda p: 'A' in p.flags and p.ack == upto,
                          'an acknowledgement of %d' % upto)

    def _advance(self, p):
        """What we acknowledge from now on."""
        if 'R' not in p.flags and (
                self.ack is None or
                (p.end - self.ack) & 0xffffffff < 1 << 31):
            self.ack = p.end

    def nothing(self):
        """No packet has come for it, up to now."""
        self.peer.fence()
        with self.peer.change:
            new = [p for p in self.inbox if p.key not in self.seen]
            self.inbox = []
        if new:
            raise Failure('came: %s; awaited: nothing' % new[0])

    # ---- usual ways

    def open(self, options=b''):
        """We connect to the machine; its SYN/ACK."""
        self.send('S', options=options)
        p = self.expect('SA', ack=self.isn + 1)
        self.syn, self.ack = p, p.end
        self.send('A')
        return p

    def take_syn(self, options=b''):
        """The machine has connected to us, and we let it."""
        self.send('SA', options=options)
        self.acked()

    def reset(self):
        self.send('R')


def script_case(context, argv, script, seconds=300):
    """Runs `remora run ...` with a card whose peer is script(peer): Outcome."""
    path = context.path('link')
    link = Link(path)
    peer = Peer(link)
    began = time.monotonic()
    machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT,
                               start_new_session=True)
    failure, output = None, []
    reader = threading.Thread(
        target=lambda: output.append(machine.stdout.read()), daemon=True)
    reader.start()
    try:
        link.accept(machine)
        peer.thread.start()
        script(peer)
        if peer.alive:
            with contextlib.suppress(Gone):
                peer.start('exit')      # its answer may go with the machine
        if peer.wrong:
            raise Failure(peer.wrong)
        machine.wait(seconds)
    except Over:
        pass
    except (Failure, subprocess.TimeoutExpired) as error:
        failure = error
    finally:
        kill_session(machine)
        status = machine.wait()
        link.close()
        reader.join()
    text = b''.join(output)
    if failure is not None:
        raise Failure('%s\n--- output\n%s' % (
            failure, text.decode(errors='replace'))) from None
    return Outcome(128 - status if status < 0 else status, text, b'',
                   time.monotonic() - began)


def hello(peer):
    """The agent is there."""
    peer.wait(lambda: peer.answers.pop(0, None), 'the agent\'s hello')


def scripted(script):
    """An act of a Case (suite/case.py) for a script that uses the agent."""
    def act(context, argv):
        def whole(peer):
            hello(peer)
            script(peer)
        return script_case(context, argv, whole)
    return act


def agent_command(context, options=(), limit=280):
    """`remora run` of the agent over the link; PACKETS_KERNEL: of another
    kernel than ours, to compare."""
    kernel = os.environ.get('PACKETS_KERNEL')
    options = ['--net', 'socket=' + context.path('link'), *options]
    if kernel:
        options = ['--kernel', kernel] + options
    return run_command(context, ['guest:glibc/net_agent', 'eth0', GUEST, MASK,
                                 PEER], options, limit)
