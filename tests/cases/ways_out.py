# SPDX-License-Identifier: ISC
"""ways_out.py - Debian's traceroute, tracepath and ping, unmodified, through
routers that the test plays: each hop says what routers say, so the programs
must print exactly that."""
import contextlib
import struct

from cases.debian import PROLOGUE, root_with
from suite import packets as P
from suite.case import Case
from suite.machine import run_command
from suite.peer import GUEST, MASK, PEER, Gone, script_case

FIRST, SECOND, THERE, NOWHERE = PEER, '10.8.0.1', '10.9.0.9', '10.9.0.10'
NARROW = 1400                   # what the second hop's link takes
OPEN = 80
BACK = {FIRST: 64, SECOND: 63, THERE: 62}       # TTL of what they send


class Routers:
    """Two of them, and a station behind: answers each packet of the machine
    as its TTL says."""

    def __init__(self, peer):
        self.peer = peer
        peer.on_packet = self.packet

    def report(self, p, source, kind, code, mtu=0):
        self.peer.send4(P.ICMP, P.icmp(kind, code, struct.pack(
            '!HH', 0, mtu) + p.raw[14:14 + 128]), src=source, ttl=BACK[source])

    def packet(self, p):
        with contextlib.suppress(Gone):         # it may be over meanwhile
            return self.answer(p)
        return True

    def answer(self, p):
        if p.kind != P.IP4 or str(p.dst) not in (THERE, NOWHERE):
            return False
        if p.ttl == 1:
            self.report(p, FIRST, 11, 0)
        elif p.df and len(p.raw) - 14 > NARROW:
            self.report(p, FIRST, 3, 4, NARROW)
        elif p.ttl == 2:
            self.report(p, SECOND, 11, 0)
        elif str(p.dst) == NOWHERE:
            self.report(p, SECOND, 3, 1)
        else:
            self.arrived(p)
        return True

    def arrived(self, p):
        if p.proto == P.UDP:
            self.report(p, THERE, 3, 3)
        elif p.proto == P.ICMP and p.type == 8:
            self.peer.send4(P.ICMP, P.icmp(0, 0, p.data), src=THERE,
                            ttl=BACK[THERE])
        elif p.proto == P.TCP and p.flags.startswith('S'):
            self.peer.send4(P.TCP, P.tcp(
                THERE, GUEST, p.dport, p.sport,
                'SA' if p.dport == OPEN else 'RA', 1000, p.seq + 1,
                options=P.mss(1460)), src=THERE)


def behind_routers(name, script, needs, has, **wanted):
    """bash runs the script where THERE is three hops away."""
    def command(context):
        options = ['--net', 'socket=' + context.path('link'), '--memory',
                   '256M', '--append', 'ip=%s::%s:%s::eth0:off' %
                   (GUEST, PEER, MASK), '--share',
                   root_with(['/bin/bash', *needs]) + ':/,ro']
        return run_command(context, ['/bin/bash', '-c', PROLOGUE + script],
                           options, 180)

    def act(context, argv):
        return script_case(context, argv, Routers)
    return Case(name, command, act=act, has=has, timeout=300, **wanted)


MS = r'  \d+\.\d+ ms'
THREE = (r'^ 1  10\.7\.0\.1' + MS + r'\r?\n 2  10\.8\.0\.1' + MS +
         r'\r?\n 3  10\.9\.0\.9%s' + MS + r'\r?\nstatus 0\r?$')


def traced(name, options, mark=''):
    return behind_routers(
        'traceroute/' + name, 'traceroute -n -q 1 -w 100 %s; echo status $?\n'
        % options, ['/usr/sbin/traceroute'],
        [r'^traceroute to 10\.9\.0\.9 \(10\.9\.0\.9\), 30 hops max',
         THREE % mark])


def cases(_):
    yield traced('UDP', '-N 1 ' + THERE)
    yield traced('UDP, several at once', THERE)
    yield traced('UDP, one port', '-U ' + THERE)
    yield traced('ICMP', '-I ' + THERE)
    yield traced('TCP', '-T -p 80 ' + THERE)
    yield behind_routers(
        'traceroute/unreachable',
        'traceroute -n -q 1 -w 100 -N 1 %s; echo status $?\n' % NOWHERE,
        ['/usr/sbin/traceroute'],
        [r'^ 3  10\.8\.0\.1' + MS + r' !H\r?\nstatus 0\r?$'])
    yield behind_routers(
        'traceroute/MTU',
        'traceroute -n -q 1 -w 100 --mtu %s; echo status $?\n' % THERE,
        ['/usr/sbin/traceroute'],
        [r'^ 1  10\.7\.0\.1' + MS + r' F=1500\r?\n 2  10\.8\.0\.1' + MS +
         r' F=1400\r?\n 3  10\.9\.0\.9' + MS + r'\r?\nstatus 0\r?$'])
    yield behind_routers(
        'tracepath',
        # It takes a clock's second 0 for a router's fault.
        'until [ $(cut -d. -f1 /proc/uptime) -gt 1 ]; do :; done\n'
        'tracepath -n %s; echo status $?\n' % THERE,
        ['/usr/bin/tracepath'],
        # It waits a second for each answer; one that is late it does without.
        [r'^ 1\?: \[LOCALHOST\] +pmtu 1500\r?$',
         r'^ \d:  10\.7\.0\.1 +\d+\.\d+ms pmtu 1400\r?$',
         r'^ +Resume: pmtu 1400 .*\r?\nstatus 0\r?$'],
        lacks=['broken', '!'])
    yield behind_routers(
        'ping', r'''
ping -n -c 2 -i 0.2 %s; echo status $?
ping -n -c 1 -W 100 %s; echo status $?
ping -n -c 1 -W 100 -t 2 %s; echo status $?
ping -n -c 1 -W 100 -s 1472 -M do %s; echo status $?
ping -n -c 1 -W 100 -s 1472 -M do %s; echo status $?
ping -n -c 1 -W 100 -s 1473 -M do 127.0.0.1; echo status $?
echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs \
    ping -n -c 1 -W 100 %s; echo status $?
''' % (THERE, NOWHERE, THERE, THERE, THERE, THERE),
        ['/usr/bin/ping', '/usr/bin/setpriv'],
        [r'^64 bytes from 10\.9\.0\.9: icmp_seq=2 ttl=62 time=[0-9.]+ ms\r?\n'
         r'\r?\n--- 10\.9\.0\.9 ping statistics ---\r?\n2 packets transmitted,'
         r' 2 received, 0% packet loss, .*\r?\n.*\r?\nstatus 0\r?$',
         r'^From 10\.8\.0\.1 icmp_seq=1 Destination Host Unreachable\r?$',
         r'^From 10\.8\.0\.1 icmp_seq=1 Time to live exceeded\r?$',
         r'^From 10\.7\.0\.1 icmp_seq=1 Frag needed and DF set '
         r'\(mtu = 1400\)\r?$',
         r'^ping: local error: message too long, mtu=1400\r?$',
         r'^1481 bytes from 127\.0\.0\.1: icmp_seq=1 ttl=64',
         r'^64 bytes from 10\.9\.0\.9: icmp_seq=1 ttl=62 .*\r?\n(.*\r?\n)*'
         r'status 0\r?\n?$'])
