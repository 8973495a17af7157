# SPDX-License-Identifier: ISC
"""net_tools.py - Debian's programs that look at a network, unmodified,
and all that --net may say."""
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

from cases.debian import PROLOGUE, root_with
from cases.net import BUSYBOX, Files, SUM
from cases.servers import MEET
from suite.case import (Case, Failure, PATIENCE, Skip, deadline, dump, execute,
                        missing, visible)
from suite.machine import held_port, meeting, program, run_command
from suite.web import web_server

LIMIT = 180


def tool(name, script, needs, net=('--net', 'user'), **wanted):
    """bash runs the script in a root that has all it needs."""
    def options(_):
        return ['--memory', '512M', '--cpus', '2', *net, '--share',
                root_with(['/bin/bash', *needs]) + ':/,ro']
    return program(name, ['/bin/bash', '-c', PROLOGUE + script], options,
                   limit=LIMIT, **wanted)


# ------------------------------------------------------------- in the machine --

TCPDUMP = r'''
tcpdump -i lo -U -n -c 3 -w cap 'udp dst port 9' 2>err & pid=$!
until grep -q listening err; do :; done
for text in one three seven; do
    echo $text | socat -u - UDP-SENDTO:127.0.0.1:9,sourceport=4000
    echo not this one | socat -u - UDP-SENDTO:127.0.0.1:10
done
wait $pid; echo status $?; grep captured err
tcpdump -t -n -A -r cap 2>/dev/null | grep -a IP
'''

SS = r'''
nc -l 127.0.0.1 7777 >got & pid=$!
until ss -Htln | grep -q 7777; do :; done
ss -Htln
exec 8<>/dev/tcp/127.0.0.1/7777
until ss -Htn state established | grep -q :7777; do :; done
ss -Htn state established '( dport = :7777 )' | sed 's/127.0.0.1:[3-6]....* /FROM /'
ss -Htnem state established '( dport = :7777 )' |
    grep -o 'skmem:(r0,rb[0-9]*,t0,tb[0-9]*,f0,w0,o0,bl0,d0)'
echo over >&8; until [ -s got ]; do :; done; cat got
echo killed $(ss -HK -tn state established '( sport = :7777 )' | wc -l)
wait $pid; cat <&8; echo $?; ss -Htan | wc -l; wc -l </proc/net/tcp
'''

STRACE = r'''
strace -f -e trace=%network -o log nc -l 127.0.0.1 7777 >got & pid=$!
until ss -Htln | grep -q 7777; do :; done
echo fish | nc -N -p 4001 127.0.0.1 7777; wait $pid; cat got
grep -o 'bind(3, {sa_family=AF_INET, sin_port=htons(7777).*' log
grep -oE 'accept4?\(3, \{sa_family=AF_INET, sin_port=htons\(4001\), sin_addr=inet_addr\("127.0.0.1"\)}, \[128 ?=> ?16\], SOCK_NONBLOCK\) = [0-9]' log
'''

PING6 = r'''
while ip -6 addr show eth0 | grep -q tentative; do :; done
ping -6 -n -c 2 -i 0.2 -W 100 fe80::2%eth0; echo status $?
ping -n -c 2 -i 0.2 -W 100 10.0.2.2; echo status $?
'''


def with_service(service):
    """An act: PORT in the command is that of a service of this host."""
    def act(_, argv):
        with service() as port:
            return execute([a.replace('PORT', str(port)) for a in argv],
                           timeout=(LIMIT + 10) * PATIENCE)
    return act


def inside():
    yield tool('tcpdump writes, and reads it', TCPDUMP,
               ['/usr/bin/tcpdump', '/usr/bin/socat'], net=(), has=[
                   r'^status 0\r?\n3 packets captured\r?\n' + ''.join(
                       r'IP 127\.0\.0\.1\.4000 > 127\.0\.0\.1\.9: UDP, '
                       r'length %d\r?\n' % n for n in (4, 6, 6))])
    yield tool('ss', SS, ['/usr/bin/nc', '/usr/bin/ss'], net=(), has=[
        r'^LISTEN 0 +1 +127\.0\.0\.1:7777 +0\.0\.0\.0:\* *\r?\n'
        r'0 +0 +FROM 127\.0\.0\.1:7777 *\r?\nskmem:.*\r?\nover\r?\n'
        r'killed 1\r?\n.*Connection reset by peer\r?\n1\r?\n0\r?\n1\r?$'])
    yield tool('strace of a server', STRACE, [
        '/usr/bin/strace', '/usr/bin/nc', '/usr/bin/ss'], net=(), has=[
            r'^fish\r?\nbind\(3, \{sa_family=AF_INET, sin_port=htons\(7777\), '
            r'sin_addr=inet_addr\("127\.0\.0\.1"\)\}, 16\) = 0\r?\naccept'])
    yield tool('ping, both families', PING6, ['/usr/bin/ping'], has=[
        r'^64 bytes from fe80::2%eth0: icmp_seq=2 ttl=255 time=',
        r'2 received, 0% packet loss(.*\r?\n)*status 0\r?\nPING 10\.0\.2\.2',
        r'^64 bytes from 10\.0\.2\.2: icmp_seq=2 ttl=255 time='])


# ------------------------------------------------------------------------ dig --

LONG = b''.join(bytes([200]) + b'%03d' % i + b'x' * 197 for i in range(20))


def dns_answer(query, tcp):
    """What the test's own server says: A, AAAA and a TXT that is too long for
    a datagram; the rest does not exist."""
    end = query.index(b'\0', 12) + 5
    name, kind = query[12:end - 4], query[end - 4:end - 2]
    answers, flags = [], 0x8580
    if name == b'\x04fish\x04test\0':
        if kind == b'\0\1':
            answers = [bytes([10, 1, 2, 3]), bytes([10, 1, 2, 4])]
        elif kind == b'\0\x1c':
            answers = [b'\xfd' + b'\0' * 14 + b'\x07']
        elif kind == b'\0\x10' and tcp:
            answers = [LONG]
        elif kind == b'\0\x10':
            flags |= 0x0200
    else:
        flags |= 3
    head = query[:2] + struct.pack('!HHHHH', flags, 1, len(answers), 0, 0)
    return head + query[12:end] + b''.join(
        b'\xc0\x0c' + kind + b'\0\1\0\0\0\x3c' + struct.pack('!H', len(a)) + a
        for a in answers)


def serve_tcp(listener):
    with contextlib.suppress(OSError):
        while True:
            s = listener.accept()[0]
            with s, s.makefile('rb') as f:
                size = f.read(2)
                if len(size) == 2:
                    answer = dns_answer(f.read(int.from_bytes(size, 'big')),
                                        True)
                    s.sendall(struct.pack('!H', len(answer)) + answer)


def serve_udp(s):
    with contextlib.suppress(OSError):
        while True:
            query, who = s.recvfrom(4096)
            if not query:
                break           # shut down
            s.sendto(dns_answer(query, False), who)


@contextlib.contextmanager
def dns_server():
    """A port of this host that answers by UDP and by TCP."""
    with socket.create_server(('127.0.0.1', 0)) as listener, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        port = listener.getsockname()[1]
        s.bind(('127.0.0.1', port))
        for serve, on in (serve_tcp, listener), (serve_udp, s):
            threading.Thread(target=serve, args=(on,), daemon=True).start()
        try:
            yield port
        finally:
            for on in listener, s:
                with contextlib.suppress(OSError):
                    on.shutdown(socket.SHUT_RDWR)


DIG = r'''
d='dig @10.0.2.2 -p PORT +time=100 +tries=1'
$d +short fish.test; $d +short fish.test AAAA; $d +tcp +short fish.test
$d fish.test TXT | grep -aE '^;; (Truncated|flags|SERVER)' | sed 's/(.*//'
$d +short fish.test TXT | grep -v Trunc | wc -c
$d none.test | grep -o 'status: [A-Z]*'
'''


def names():
    yield tool('dig', DIG, ['/usr/bin/dig'], act=with_service(dns_server),
               has=[r'^10\.1\.2\.3\r?\n10\.1\.2\.4\r?\nfd00::7\r?\n10\.1\.2\.3'
                    r'\r?\n10\.1\.2\.4\r?\n;; Truncated, retrying in TCP mode'
                    r'\.\r?\n;; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, '
                    r'AUTHORITY: 0, ADDITIONAL: 0\r?\n;; SERVER: 10\.0\.2\.2#'
                    r'\d+\r?\n4060\r?\nstatus: NXDOMAIN\r?$'])


# --------------------------------------------------------------------- iperf3 --
#
# Who sends says when all is sent; a server that receives then closes, whatever
# is still under way, so only a client's receipt (-R) is complete.  A sender may
# give a block more than it was told to.  What a server says must reach the
# client.

NBYTES = 8 << 20
BLOCK = 128 << 10
SUMS = r'''
sum() { sed -n "/\"sum_$2\"/,/}/s/.*\"bytes\":\s*\([0-9]*\),/\1/p" $1; }
all() { [ $1 -ge 8388608 ] && [ $1 -le 8519680 ] && echo all of it; }
sums() { echo $1 $? sent $(sum $1 sent) received $(sum $1 received)
    [ $# = 1 ] || all $(sum $1 $2); ! grep '"error"' $1; }
serve() { iperf3 -s -1 -J -p $1 >$2 & pid=$!
    until ss -Htln | grep -q ":$1 "; do :; done; }
'''
IPERF_HOST = SUMS + r'''
iperf3 -J -c 10.0.2.2 -p PORT1 -n 8M >out; sums out sent
iperf3 -J -c 10.0.2.2 -p PORT2 -n 8M -R >in; sums in received
serve 5201 asked
''' + MEET + r'''
wait $pid; sums asked sent
'''
IPERF_LO = SUMS + r'''
serve 5201 taken; iperf3 -J -c 127.0.0.1 -n 8M -w 64K >to; sums to sent
wait $pid; sums taken; grep -m 2 buf_actual to
serve 5202 given; iperf3 -J -c ::1 -p 5202 -n 8M -R >from; sums from received
wait $pid; sums given sent
'''
ALL = r'\r?\nall of it\r?\n'


def listens(port):
    """Whether somebody listens at this port of 127.0.0.1."""
    with open('/proc/net/tcp') as f:
        return any(re.search(r': 0100007F:%04X \S+ 0A ' % port, line)
                   for line in f)


def report_of(server):
    try:
        return server.communicate(timeout=LIMIT * PATIENCE)[0]
    except subprocess.TimeoutExpired:
        raise Failure('iperf3 here does not end') from None


@contextlib.contextmanager
def iperf_server(port):
    """One that serves one client; what is given waits for its report."""
    argv = ['iperf3', '-s', '-1', '-J', '-B', '127.0.0.1', '-p', str(port)]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, encoding='latin1',
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as server:
        try:
            end = deadline(LIMIT)
            while not listens(port):
                if server.poll() is not None or time.monotonic() > end:
                    server.kill()
                    raise Failure('iperf3 does not listen: %s' %
                                  server.stdout.read())
                time.sleep(0.02)
            yield lambda: report_of(server)
        finally:
            server.kill()


def total(report, which):
    """The bytes of a report of iperf3's in JSON."""
    try:
        return json.loads(report)['end'][which]['bytes']
    except (ValueError, KeyError) as error:
        raise Failure('iperf3: %r in %s' % (error, report[-500:])) from None


def ask_guest(ports):
    """The guest is the server, and sends."""
    report = execute(['iperf3', '-J', '-c', '127.0.0.1', '-p', str(ports[0]),
                      '-n', '8M', '-R'], timeout=LIMIT * PATIENCE)
    if report.status or not 0 <= (total(report.stdout, 'sum_received')
                                  - NBYTES) <= BLOCK:
        raise Failure('asked of the guest: %s' % visible(report.stdout))


def by_the_host(context, argv):
    """Two servers here for the guest, then the guest's for one here; each
    server's figures are those that its client was told."""
    if missing(['iperf3']):
        raise Skip('iperf3 is not installed here')
    with contextlib.ExitStack() as stack:
        servers = []
        for word in 'PORT1', 'PORT2':
            port = stack.enter_context(held_port())
            servers.append(stack.enter_context(iperf_server(port)))
            argv = [a.replace(word, str(port)) for a in argv]
        outcome = meeting(ask_guest, 1, LIMIT)(context, argv)
        for name, which, server in (('out', 'received', servers[0]),
                                    ('in', 'sent', servers[1])):
            told = re.search(r'^%s 0 .*%s (\d+)' % (name, which),
                             outcome.stdout.decode(errors='replace'), re.M)
            if not told:
                raise Failure('%s failed\n%s' % (name, dump(outcome)))
            if total(server(), 'sum_' + which) != int(told.group(1)):
                raise Failure('%s: here is another sum\n%s' % (
                    name, dump(outcome)))
        return outcome


def speed():
    needs = ['/usr/bin/iperf3', '/usr/bin/ss']
    yield tool('iperf3, the host and back', IPERF_HOST, needs,
               net=('--net', 'user,hostfwd=tcp:PORT0:5201'), act=by_the_host,
               has=[r'^out 0 sent \d+ received \d+' + ALL +
                    r'in 0 sent \d+ received \d+' + ALL + r'met\r?\n'
                    r'asked 0 sent \d+ received 0' + ALL], lacks=['error'])
    yield tool('iperf3, the loopback', IPERF_LO, needs, net=(), has=[
        r'^to 0 sent \d+ received (\d+)' + ALL +
        r'taken 0 sent 0 received \1\r?\n\s*"sndbuf_actual":\s+131072,'
        r'\r?\n\s*"rcvbuf_actual":\s+131072,\r?\n'
        r'from 0 sent (\d+) received \d+' + ALL +
        r'given 0 sent \2 received 0' + ALL], lacks=['error'])


# ------------------------------------------------------- what --net may say --

def passt_starts(context):
    """Whether passt can run here at all; it ends with its first client."""
    path = context.path('passt')
    os.makedirs(context.folder, exist_ok=True)
    os.chmod(context.folder, 0o777)      # passt may become another user
    try:
        done = subprocess.run(['passt', '--quiet', '--one-off', '--socket',
                               path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    except FileNotFoundError:
        raise Skip('passt is not installed') from None
    if done.returncode != 0:
        raise Skip('passt does not start here: %s' %
                   done.stderr.decode(errors='replace').strip()[-300:])
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)


def by_passt(context):
    passt_starts(context)
    script = ('until ip route | grep -q default; do :; done; '
              'gw=$(ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p"); '
              'wget -q -O /f http://$gw:PORT/f && md5sum /f')
    return run_command(context, [BUSYBOX, 'sh', '-c', script],
                       ['--net', 'passt'], LIMIT)


def wrong(name, net, says):
    def command(context):
        context.write('file', b'')
        return run_command(context, [BUSYBOX, 'true'], [
            '--net', net.replace('HERE', context.path('.'))])
    return Case('wrong/' + name, command, needs=[BUSYBOX], status=125,
                says=[says])


def kinds():
    yield Case('passt', by_passt, act=with_service(lambda: web_server(Files)),
               needs=[BUSYBOX], timeout=LIMIT + 10, has=[SUM + '  /f'])
    yield wrong('no socket', 'socket=HERE/none',
                r'^remora: --net socket=.*/none: No such file or directory$')
    yield wrong('a file', 'socket=HERE/file',
                r'^remora: --net socket=.*/file: this is no socket$')
    yield wrong('no tap', 'tap=nosuchtap',
                r'^remora: --net tap=nosuchtap: there is no such interface$')
    yield wrong('a word', 'sock=1', r'^remora: --net sock=1: none, user.* is '
                'expected$')


def cases(_):
    for group in (inside, names, speed, kinds):
        yield from group()
