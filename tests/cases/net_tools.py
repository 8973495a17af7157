# SPDX-License-Identifier: ISC
"""net_tools.py - Debian's programs that look at a network, unmodified,
and all that --net may say."""
import contextlib
import os
import socket
import struct
import subprocess
import threading

from cases.debian import PROLOGUE, root_with
from cases.net import BUSYBOX, Files, SUM
from suite.case import Case, PATIENCE, Skip, execute
from suite.machine import program, run_command
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
echo over >&8; exec 8>&-; wait $pid; cat got; ss -Htln | wc -l
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
        r'0 +0 +FROM 127\.0\.0\.1:7777 *\r?\nover\r?\n0\r?$'])
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
    for group in (inside, names, kinds):
        yield from group()
