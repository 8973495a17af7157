# SPDX-License-Identifier: ISC
"""net.py - network cards: files fetched from the host and served to it, on
each transport; addresses by hand and by DHCP."""
import hashlib
import http.server
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from suite.case import Case, Failure, execute
from suite.machine import program, run_command
from suite.web import web_server

BUSYBOX = '/bin/busybox'
FILE = b''.join(hashlib.sha256(b'net %d' % i).digest() for i in range(40000))
SUM = hashlib.md5(FILE).hexdigest()


class Files(http.server.BaseHTTPRequestHandler):
    """GET gives FILE; PUT says the sum of what came."""
    protocol_version = 'HTTP/1.0'

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        answer = hashlib.md5(body).hexdigest().encode() + b'\n'
        self.send_response(200)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def with_server(context, argv):
    """PORT in the command becomes the server's."""
    with web_server(Files) as port:
        return execute([a.replace('PORT', str(port)) for a in argv],
                       timeout=60)


def fetch(name, options=(), qemu='', **wanted):
    script = ('wget -q -O /f http://10.0.2.2:PORT/f && md5sum /f; '
              '{ printf "POST / HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n"; '
              'cat /f; } | nc 10.0.2.2 PORT' % len(FILE))

    def argv(context):
        command = run_command(context, [BUSYBOX, 'sh', '-c', script],
                              ['--net', 'user', *options])
        if not qemu:
            return command
        wrapper = context.write('qemu', b'#!/bin/sh\n%s\n' % qemu.encode(),
                                0o755)
        return ['env', 'REMORA_QEMU=' + wrapper] + command
    wanted.setdefault('has', ['^' + SUM + '  /f$',
                               '^' + SUM + '$'])
    return Case('fetch/' + name, argv, act=with_server, needs=[BUSYBOX],
                **wanted)


def changed(expression):
    """QEMU with words of its command changed by sed."""
    return ("for a; do shift; set -- \"$@\" \"$(printf %s \"$a\" | "
            "sed '" + expression + "')\"; done; "
            "exec qemu-system-x86_64 \"$@\"")


def card(properties):
    return changed(r's/virtio-net-\(pci\|device\),/&' + properties + ',/')


def transports():
    yield fetch('mmio')
    yield fetch('mmio legacy', qemu=changed(
        's/force-legacy=off/force-legacy=on/'))
    yield fetch('mmio packed', qemu=card('packed=on'))
    yield fetch('q35', ['--machine', 'q35'])
    yield fetch('pc', ['--machine', 'pc'])
    yield fetch('pci legacy', ['--machine', 'pc'],
                qemu=card('disable-modern=on'))
    yield fetch('pci modern', ['--machine', 'q35'],
                qemu=card('disable-legacy=on'))
    yield fetch('pci packed', ['--machine', 'q35'],
                qemu=card('packed=on,disable-legacy=on'))
    yield fetch('no mergeable buffers', qemu=card('mrg_rxbuf=off'))
    yield fetch('no control queue', qemu=card('ctrl_vq=off'))
    yield fetch('small queues', qemu=card('rx_queue_size=256,tx_queue_size=256,indirect_desc=off,'
                'event_idx=off'))
    yield fetch('two processors', ['--cpus', '2'])


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def from_host(url, tries=200):
    """What the machine serves, once it does."""
    for _ in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.read()
        except (urllib.error.URLError, ConnectionError, socket.timeout):
            time.sleep(0.1)
    raise Failure('the machine does not serve ' + url)


def served(get):
    """The machine runs while get(port) asks it for something."""
    def act(_, argv):
        port, results = free_port(), []

        def ask():
            try:
                results.append(get(port))
            except Failure as failure:
                results.append(failure)
        thread = threading.Thread(target=ask)
        thread.start()
        try:
            outcome = execute([a.replace('PORT', str(port)) for a in argv],
                              timeout=60)
        finally:
            thread.join()
        if isinstance(results[0], Failure):
            raise results[0]
        return outcome
    return act


def get_thrice(port):
    url = 'http://127.0.0.1:%d/' % port
    for _ in range(3):
        if from_host(url + 'bin/busybox')[:4] != b'\x7fELF':
            raise Failure('the file is another one')
    from_host(url + 'end')


def servers():
    script = ('httpd -f -p 80 -h / & echo over >/end; '
              'until test "$(netstat -tn | grep -c TIME_WAIT)" -ge 4; '
              'do sleep 0.1; done; kill %1; echo served')
    yield program('serve/httpd', [BUSYBOX, 'sh', '-c', script],
                  ['--net', 'user,hostfwd=tcp:PORT:80'],
                  act=served(get_thrice), needs=[BUSYBOX], has=['^served$'])


def servers_of_debian():
    """Unmodified servers, asked from the host."""
    def python(port):
        if from_host('http://127.0.0.1:%d/a/x' % port) != b'hello\n':
            raise Failure('the file is another one')
        from_host('http://127.0.0.1:%d/end' % port)
    yield program('serve/python', [
        '/usr/bin/python3', '-c', 'import http.server, sys\n'
        'class H(http.server.SimpleHTTPRequestHandler):\n'
        '  def do_GET(self):\n'
        '    if self.path == "/end":\n'
        '      self.send_response(200); self.end_headers(); '
        'self.server.over = True\n'
        '    else:\n'
        '      super().do_GET()\n'
        's = http.server.HTTPServer(("", 80), H)\n'
        's.over = False\n'
        'while not s.over: s.handle_request()\n'
        'print("served")'], lambda c: [
            '--memory', '160M', '--net', 'user,hostfwd=tcp:PORT:80',
            '--add', c.write('x', b'hello\n') + ':/a/x',
            '--add', '/usr/lib/python3.11'], act=served(python),
        needs=['/usr/lib/python3.11/http/server.py'], has=['^served'])


SHELL = {'/etc/passwd': b'root:x:0:0:root:/root:/bin/sh\n',
         '/etc/shadow': b'root:*:1::::::\n', '/etc/group': b'root:x:0:\n',
         '/etc/shells': b'/bin/sh\n'}


def login():
    """dropbear in the machine, the host's ssh, a key, a command."""
    def keys(context):
        options = ['--net', 'user,hostfwd=tcp:PORT:22', '--memory', '96M',
                   '--add', BUSYBOX + ':/bin/sh']
        for command in (['dropbearkey', '-t', 'ed25519', '-f',
                         context.path('host')],
                        ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                         context.path('key')]):
            execute(command)
        with open(context.path('key.pub'), 'rb') as f:
            key = f.read()
        context.write('root/.ssh/authorized_keys', key, 0o600)
        for name in ('root', 'root/.ssh'):
            os.chmod(context.path(name), 0o700)
        for path, text in SHELL.items():
            options += ['--add', context.write(path[1:], text) + ':' + path]
        return options + ['--add', context.path('root') + ':/root', '--add',
                          context.path('host') + ':/etc/dropbear/host']

    def act(context, argv):
        port = free_port()
        machine = subprocess.Popen([a.replace('PORT', str(port))
                                    for a in argv],
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            for _ in range(20):
                outcome = execute([
                    'ssh', '-o', 'StrictHostKeyChecking=no', '-o',
                    'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes',
                    '-i', context.path('key'), '-p', str(port),
                    'root@127.0.0.1', 'uname -r; id -u; exit 7'])
                if outcome.status != 255:
                    break
                time.sleep(0.5)
            return outcome
        finally:
            machine.terminate()
            machine.wait()
    yield program('serve/dropbear', ['/usr/sbin/dropbear', '-F', '-E', '-r',
                                     '/etc/dropbear/host', '-p', '22'],
                  keys, limit=60, act=act, status=7,
                  needs=[BUSYBOX, 'dropbear', 'dropbearkey', 'ssh',
                         'ssh-keygen'], has=[r'^6\.1\.0-remora$', r'^0$'])


def configured():
    show = 'hostname; ifconfig eth0; route -n; cat /proc/net/pnp /etc/resolv.conf'
    yield program('ip/by hand', [BUSYBOX, 'sh', '-c', show], [
        '--net', 'user', '--mac', '52:54:00:00:00:77', '--append',
        'ip=10.0.2.9:1.2.3.4:10.0.2.2:255.255.0.0:box:eth0:off:10.0.2.3:9.9.9.9'
    ], needs=[BUSYBOX], has=[
        r'^box$', r'HWaddr 52:54:00:00:00:77', r'inet addr:10\.0\.2\.9 '
        r' Bcast:10\.0\.255\.255  Mask:255\.255\.0\.0',
        r'^0\.0\.0\.0 +10\.0\.2\.2 ', r'^nameserver 9\.9\.9\.9$',
        r'^bootserver 1\.2\.3\.4$', r'^#MANUAL$'])
    yield program('ip/dhcp', [BUSYBOX, 'sh', '-c', show + '; dmesg'],
                  ['--net', 'user', '--append', 'ip=dhcp'],
                  needs=[BUSYBOX], has=[
                      r'inet addr:10\.0\.2\.15 ', r'^#PROTO: DHCP$',
                      r'^nameserver 10\.0\.2\.3$',
                      r'eth0: address 10\.0\.2\.15, .* by DHCP$'])
    # Ten seconds in which next to nobody runs, as soon as all that follows an
    # address is over.  A clock of 100 ms has 200 switches in that time.
    yield program('ip/sleeps', [
        BUSYBOX, 'sh', '-c', 'switches() { sed -n "s/^ctxt //p" /proc/stat; }\n'
        'before=$(switches)\n'
        'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 10\n'
        'now=$(switches); n=$((now - before)); before=$now\n'
        'echo $n switches\n'
        'if [ $n -le 20 ]; then echo asleep; ifconfig eth0; exit; fi\n'
        'done'],
        ['--net', 'user', '--append', 'ip=dhcp'], needs=[BUSYBOX],
        has=[r'^asleep', r'inet addr:10\.0\.2\.15 '], limit=200)
    yield program('ip/off', [BUSYBOX, 'sh', '-c', 'ifconfig; ifconfig -a'],
                  ['--net', 'user', '--append', 'ip=off'], needs=[BUSYBOX],
                  lacks=[r'inet addr:10'], has=[r'^eth0 .*HWaddr'])
    yield program('ip/nonsense', [BUSYBOX, 'sh', '-c', 'dmesg | grep ip='],
                  ['--net', 'user', '--append', 'ip=1.2.3.4.5'],
                  needs=[BUSYBOX], has=[r'ip=1\.2\.3\.4\.5 makes no sense'])
    yield program('ip/no card', [BUSYBOX, 'sh', '-c',
                                 'dmesg | grep ip=; cat /proc/net/dev'],
                  ['--append', 'ip=dhcp'], needs=[BUSYBOX],
                  has=[r'ip=: no interface', r'^ +lo:'])
    yield program('ip/two cards', [BUSYBOX, 'sh', '-c', 'ifconfig eth1 up; '
                                   'ifconfig -a | grep HWaddr'],
                  ['--net', 'user', '--net', 'user', '--mac',
                   '52:54:00:00:00:99'], needs=[BUSYBOX],
                  has=[r'^eth1 +Link.*52:54:00:00:00:99', r'^eth0 '])


def tools():
    yield program('ping', [BUSYBOX, 'ping', '-c', '3', '-i', '0.1',
                           '10.0.2.2'], ['--net', 'user'], needs=[BUSYBOX],
                  has=[r'^3 packets transmitted, 3 packets received'])
    yield program('ping/six', [BUSYBOX, 'ping6', '-c', '1', '::1'],
                  needs=[BUSYBOX], has=[r'^1 packets transmitted, 1 packets'])
    yield program('frames', [BUSYBOX, 'sh', '-c', 'ifconfig eth0 up; '
                             'udhcpc -i eth0 -n -q -s /u; '
                             'arping -c 1 -I eth0 10.0.2.2; '
                             'ping -c 1 10.0.2.2'],
                  lambda c: ['--net', 'user', '--append', 'ip=off', '--add',
                             c.write('u', b'#!/bin/busybox sh\n'
                                     b'test $1 = bound || exit 0\n'
                                     b'ifconfig $interface $ip netmask '
                                     b'$subnet\n', 0o755) + ':/u'],
                  needs=[BUSYBOX], has=[
                      r'lease of 10\.0\.2\.15 obtained from 10\.0\.2\.2',
                      r'^Received 1 response', r'1 packets received'])
    yield program('sys', [BUSYBOX, 'sh', '-c', 'cd /sys/class/net; '
                          'readlink eth0; readlink lo; cd eth0; cat address operstate '
                          'uevent; echo 1300 >mtu; cat mtu; '
                          'cat statistics/rx_bytes'],
                  ['--net', 'user'], needs=[BUSYBOX], has=[
                      r'/net/eth0$', r'/devices/virtual/net/lo$',
                      r'^52:54:00:12:34:56$', r'^up$', r'^INTERFACE=eth0$',
                      r'^1300$'])
    yield program('no way', [BUSYBOX, 'wget', '-O', '-',
                             'http://198.51.100.1/'], status=1,
                  needs=[BUSYBOX], has=[r'Network is unreachable'])
    yield program('files for names', [BUSYBOX, 'cat', '/etc/hosts',
                                      '/etc/resolv.conf'], ['--net', 'user'],
                  needs=[BUSYBOX], stdout=b'127.0.0.1 localhost\n'
                  b'::1 localhost\nnameserver 10.0.2.3\n')




def iproute():
    """ip and ss, unmodified."""
    def script(name, text, has, lacks=()):
        return program('iproute/' + name, [BUSYBOX, 'sh', '-c', text], [
            '--net', 'user', '--add', '/usr/sbin/ip', '--add', '/usr/bin/ss'],
            needs=[BUSYBOX, '/usr/sbin/ip', '/usr/bin/ss'], has=has,
            lacks=lacks)
    yield script('show', '/usr/sbin/ip addr; /usr/sbin/ip route; '
                 '/usr/sbin/ip route get 9.9.9.9; ping -c 1 10.0.2.2; '
                 '/usr/sbin/ip neigh', [
                     r'^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500',
                     r'^    inet 10\.0\.2\.15/24 brd 10\.0\.2\.255 scope '
                     r'global eth0', r'^    inet6 ::1/128 scope host',
                     r'^default via 10\.0\.2\.2 dev eth0',
                     r'^10\.0\.2\.0/24 dev eth0 proto kernel scope link src '
                     r'10\.0\.2\.15', r'^9\.9\.9\.9 via 10\.0\.2\.2 ',
                     r'^10\.0\.2\.2 dev eth0 lladdr 52:55'])
    yield script('change', 'ip() { /usr/sbin/ip "$@"; }; set -e; '
                 'ip route add 192.168.7.0/24 via 10.0.2.9 metric 5; '
                 'ip route; ip route del 192.168.7.0/24; '
                 'ip link set eth0 mtu 1400 down; ip link show eth0; '
                 'ip addr del 10.0.2.15/24 dev eth0; '
                 'ip addr add 10.0.2.99/24 dev eth0; ip link set eth0 up; '
                 'ip route add default via 10.0.2.2; ping -c 1 10.0.2.2; '
                 'ip -4 addr; ip route add 1.2.3.4 via 5.6.7.8 || echo no way',
                 [r'^192\.168\.7\.0/24 via 10\.0\.2\.9 dev eth0 metric 5',
                  r'^2: eth0: <BROADCAST,MULTICAST> mtu 1400 .*state DOWN',
                  r'inet 10\.0\.2\.99/24', r'1 packets received',
                  r'Network is unreachable', r'^no way$'])
    yield script('addresses', 'ip() { /usr/sbin/ip "$@"; }; '
                 'mkdir /w; echo served >/w/f; httpd -p 80 -h /w; set -e; '
                 'ip addr add 10.0.2.16/24 dev eth0; '
                 'ip addr add 192.168.5.1/25 dev eth0 label eth0:1; '
                 'ip addr add 10.9.9.9/32 dev lo; '
                 'ip addr add 10.0.2.16/24 dev eth0 || echo twice; '
                 'ip addr replace 10.0.2.16/24 dev eth0; '
                 'ip -4 addr show; ip route; ip route get 192.168.5.77; '
                 'ifconfig eth0:1; ping -c 1 -I 10.0.2.16 10.0.2.2; '
                 'for i in 10.0.2.15 10.0.2.16 192.168.5.1 10.9.9.9; do '
                 'wget -q -O /v http://$i/f; cmp /v /w/f; '
                 'ping -c 1 $i | grep from; done; ip neigh; '
                 'echo "-- first"; ip addr del 10.0.2.15/24 dev eth0; '
                 'ip -4 addr show dev eth0; ip route; ping -c 1 192.168.5.1; '
                 'ip addr del 10.9.9.9/32 dev lo; '
                 'ip addr del 10.9.9.9/32 dev lo || echo gone', [
                     r'^twice\r?$', r'^2: eth0: .*\n'
                     r'    inet 10\.0\.2\.15/24 brd 10\.0\.2\.255 scope global '
                     r'eth0\r?\n.*\n    inet 192\.168\.5\.1/25 brd 192\.168\.5\.127 '
                     r'scope global eth0:1\r?\n.*\n    inet 10\.0\.2\.16/24 brd '
                     r'10\.0\.2\.255 scope global secondary eth0\r?\n',
                     r'^    inet 10\.9\.9\.9/32 scope host lo',
                     r'^10\.0\.2\.0/24 dev eth0 proto kernel scope link src '
                     r'10\.0\.2\.15 ?\r?\n192\.168\.5\.0/25 dev eth0 proto kernel '
                     r'scope link src 192\.168\.5\.1 ?\r?\n192\.168\.5\.77 dev eth0',
                     r'^ +inet addr:192\.168\.5\.1 +Bcast:192\.168\.5\.127 +'
                     r'Mask:255\.255\.255\.128', r'^64 bytes from 10\.0\.2\.2:',
                     r'^64 bytes from 10\.0\.2\.15: (.*\n)*64 bytes from '
                     r'10\.0\.2\.16: .*\n64 bytes from 192\.168\.5\.1: .*\n'
                     r'64 bytes from 10\.9\.9\.9: .*\n10\.0\.2\.2 dev eth0 lladdr',
                     r'^-- first\r?\n2: eth0: .*\n    inet 192\.168\.5\.1/25 .*\n.*\n'
                     r'192\.168\.5\.0/25 dev eth0 proto kernel scope link',
                     r'^1 packets transmitted, 1 packets received', r'^gone'])
    yield script('aliases', 'ip() { /usr/sbin/ip "$@"; }; '
                 'ifconfig eth0:1 10.0.2.20 netmask 255.255.255.0 up; '
                 'ifconfig eth0:2 192.168.9.1; '
                 'ifconfig eth0:web 172.16.0.1 netmask 255.255.255.128; '
                 'ip -4 -o addr show dev eth0; ifconfig eth0:2; '
                 'ping -c 1 192.168.9.1 | grep from; '
                 'ifconfig eth0:2 192.168.9.5 netmask 255.255.0.0; '
                 'for o in "1 down" "1 down" "7 netmask 255.0.0.0" "7 up" '
                 '"web 0.0.0.0"; do ifconfig eth0:$o 2>&1; done; '
                 'ifconfig eth9:1 10.0.0.1 2>&1; echo "-- left"; '
                 'ip -4 -o addr show dev eth0; ping -c 1 10.0.2.2', [
                     r'eth0 +inet 192\.168\.9\.1/24 brd 192\.168\.9\.255 '
                     r'scope global eth0:2', r'eth0 +inet 172\.16\.0\.1/25 '
                     r'brd 172\.16\.0\.127 scope global eth0:web',
                     r'eth0 +inet 10\.0\.2\.20/24 brd 10\.0\.2\.255 scope '
                     r'global secondary eth0:1', r'^eth0:2 +Link encap',
                     r'^64 bytes from 192\.168\.9\.1',
                     r'^ifconfig: SIOCSIFFLAGS: Cannot assign requested '
                     r'address\r?\nifconfig: SIOCSIFNETMASK: Cannot assign '
                     r'requested address\r?\nifconfig: SIOCSIFFLAGS: Cannot '
                     r'assign', r'^ifconfig: SIOCSIFADDR: No such device',
                     r'^-- left\r?\n2: eth0 +inet 10\.0\.2\.15/24 .*\n2: eth0 '
                     r'+inet 192\.168\.9\.5/16 brd 192\.168\.255\.255 scope '
                     r'global eth0:2.*\nPING', r'1 packets received'])
    yield script('monitor', 'ip() { /usr/sbin/ip "$@"; }; /usr/sbin/ip monitor >/m & '
                 'until test -s /m; do ip link set eth0 mtu 1400; '
                 'ip link set eth0 mtu 1500; done; ip link set eth0 down; '
                 'ip addr del 10.0.2.15/24 dev eth0; ip link set eth0 up; '
                 "until sed '1,/Deleted/d' /m | grep -q LOWER_UP; do :; done; "
                 'kill %1; cat /m', [
                     r'^2: eth0: <BROADCAST,MULTICAST> ',
                     r'^Deleted 2: eth0 +inet 10\.0\.2\.15/24',
                     r'^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP>'])
    yield script('ss', 'httpd -p 80; sleep 30 | nc 127.0.0.1 80 & '
                 'until /usr/bin/ss -tn | grep -q ESTAB; do true; done; '
                 '/usr/bin/ss -tlnp; /usr/bin/ss -tni; /usr/bin/ss -s', [
                     r'^LISTEN 0 +\d+ +\*:80 .*users:\(\("(busybox|httpd)",pid=',
                     r'^ESTAB +0 +0 .*127\.0\.0\.1:80', r' mss:65495 ',
                     r'^TCP: '])


def counters():
    """What Debian's tools make of what is counted."""
    needs = ['/usr/bin/nstat', '/usr/bin/netstat', '/usr/bin/ss']
    options = [o for n in needs for o in ('--add', n)]
    yield program('counters', [
        BUSYBOX, 'sh', '-c', 'ping -c 2 127.0.0.1 >/o; ping -6 -c 1 ::1 >/o; '
        'wget -O - http://127.0.0.1:9/ 2>/o; httpd -p 80; /usr/bin/nstat -az; '
        '/usr/bin/netstat -s; /usr/bin/ss -s'], options, limit=180,
        needs=[BUSYBOX, *needs], has=[
            r'^IcmpInEchos +2 +0\.0\r?\n', r'^IcmpOutEchos +2 ',
            r'^TcpActiveOpens +1 ', r'^TcpAttemptFails +1 ',
            r'^TcpOutRsts +1 ', r'^TcpExtTCPTimeouts +0 ',
            r'^Icmp6InEchos +1 ', r'^Icmp6OutEchoReplies +1 ',
            r'^ +2 ICMP messages sent|^ +4 ICMP messages sent',
            r'^ +1 active connection openings', r'^ +1 resets sent',
            r'^TCP:   1 \(estab 0, closed 0, orphaned 0, timewait 0\)',
            r'^TCP\t +1 +0 +1'])


def unplugged():
    """The driver is taken off the card under way, and put on again."""
    script = ('for i in 1 2 3 4; do '
              'wget -q -O /g http://10.0.2.2:PORT/f & usleep 30000; '
              'devctl detach vtnet0; grep eth0 /proc/net/dev; kill %1; wait; '
              'devctl attach virtio0.network; ifconfig eth0 | grep inet; '
              'wget -q -O /f http://10.0.2.2:PORT/f && md5sum /f; done')
    yield Case('unplugged', lambda c: run_command(
        c, [BUSYBOX, 'sh', '-c', script], ['--net', 'user', '--tools']),
        act=with_server, needs=[BUSYBOX],
        has=['(^%s  /f\r?\n(.*\n)*){4}' % SUM], lacks=['^ +eth0:', 'not found'])


def cases(_):
    for group in (transports, servers, servers_of_debian, login, configured,
                  tools, iproute, counters, unplugged):
        yield from group()
