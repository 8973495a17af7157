# SPDX-License-Identifier: ISC
"""servers.py - Debian's servers, unmodified, on the network: asked from inside
over the loopback, and from this host through a forwarded port.

Each script says to the host that all is up by connecting to it, and goes on
when the host has finished.
"""
import http.client
import re
import socket
import ssl
import threading

from cases.debian import PROLOGUE, root_with
from suite.case import PATIENCE, Failure
from suite.machine import meeting, program

LATEST = 60 * PATIENCE  # seconds until an answer has failed to come
MEET = 'exec 9<>/dev/tcp/10.0.2.2/MEET; cat <&9; exec 9<&-; echo met\n'


def served(name, script, needs, work=None, ports=(), memory='512M', limit=100,
           **wanted):
    """A case: bash runs the script in a root that has all that it needs; the
    ports are the guest's, given to work() as those of the host."""
    def options(_):
        net = ','.join(['user'] + ['hostfwd=tcp:PORT%d:%d' % (i, port)
                                   for i, port in enumerate(ports)])
        return ['--memory', memory, '--cpus', '2', '--net', net,
                '--share', root_with(['/bin/bash', *needs]) + ':/,ro']
    if work is not None:
        wanted['act'] = meeting(work, len(ports), limit)
    return program(name, ['/bin/bash', '-c', PROLOGUE + script], options,
                   limit=limit, **wanted)


def expect(what, got, wanted):
    if got != wanted:
        raise Failure('%s: %r, wanted %r' % (what, got[:200], wanted[:200]))


# ----------------------------------------------------------- files by HTTP --

WEB = r'''
mkdir www ng; printf 'small\n' >www/small
seq 60000 >www/big; md5sum <www/big | cut -c1-32 >www/sum
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 99 \
    -keyout key.pem -out cert.pem -subj /CN=box 2>/dev/null
cat >ng/conf <<X
pid ng/pid; error_log stderr warn; worker_processes 2;
events { worker_connections 512; }
http { access_log off; log_not_found off; keepalive_timeout 3600; client_body_temp_path ng/b;
proxy_temp_path ng/p; fastcgi_temp_path ng/f; uwsgi_temp_path ng/u;
scgi_temp_path ng/s; server { root /tmp/www; listen 80 reuseport;
listen [::1]:80; listen 443 ssl;
ssl_certificate /tmp/cert.pem; ssl_certificate_key /tmp/key.pem; } }
X
cat >ha.cfg <<X
global
    stats socket /tmp/ha.sock
defaults
    mode http
    timeout connect 1h
    timeout client 1h
    timeout server 1h
frontend f
    bind :8000
    default_backend b
backend b
    balance roundrobin
    server one 127.0.0.1:80
    server two [::1]:80
X
nginx -p /tmp -c ng/conf -t; nginx -p /tmp -c ng/conf; echo nginx $?
c='curl -sS'
$c -w 'connects %{num_connects}\n' http://127.0.0.1/small http://127.0.0.1/small
$c -g http://[::1]/small; $c -k https://127.0.0.1/small
$c -k https://127.0.0.1/big | cmp - www/big && echo by TLS
$c -r 100-199 http://127.0.0.1/big | wc -c
$c -o /dev/null -w '%{http_code}\n' http://127.0.0.1/none
wget -q -O big http://127.0.0.1/big && cmp big www/big && echo by wget
haproxy -D -f ha.cfg; echo haproxy $?
for i in 1 2 3 4; do $c http://127.0.0.1:8000/small; done
$c http://127.0.0.1:8000/big | cmp - www/big && echo by haproxy
echo 'show stat' | socat - UNIX-CONNECT:/tmp/ha.sock | cut -d, -f1,2,8
''' + MEET + r'''
kill -QUIT $(cat ng/pid); pkill haproxy
while pgrep 'nginx|haproxy' >/dev/null; do sleep 0.1; done; echo over
'''
BIG = b''.join(b'%d\n' % i for i in range(1, 60001))


def get(connection, path):
    connection.request('GET', path)
    answer = connection.getresponse()
    return answer.read()


def ask_web(ports):
    """One connection for several files, TLS, and eight at once."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname = False
    plain.verify_mode = ssl.CERT_NONE
    errors = []

    def ask(connection):
        for path, body in (('/small', b'small\n'), ('/big', BIG)) * 2:
            expect(path, get(connection, path), body)
        connection.close()

    def try_ask(connection):
        try:
            ask(connection)
        except (Failure, OSError, http.client.HTTPException) as error:
            errors.append(error)
    ask(http.client.HTTPConnection('127.0.0.1', ports[0], timeout=LATEST))
    ask(http.client.HTTPSConnection('127.0.0.1', ports[1], timeout=LATEST,
                                    context=plain))
    threads = [threading.Thread(target=try_ask, args=(
        http.client.HTTPConnection('127.0.0.1', ports[2], timeout=LATEST),))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise Failure('haproxy: %s' % errors)


def web():
    yield served('nginx, haproxy, curl, wget', WEB, [
        '/usr/sbin/nginx', '/usr/sbin/haproxy', '/usr/bin/curl',
        '/usr/bin/wget', '/usr/bin/socat', '/usr/bin/openssl'], ask_web,
        (80, 443, 8000), has=[
            r'syntax is ok\n.* test is successful\nnginx 0\nsmall\nconnects 1\n'
            r'small\nconnects 0\nsmall\nsmall\nby TLS\n100\n404\nby wget\n'
            r'haproxy 0\nsmall\nsmall\nsmall\nsmall\nby haproxy\n',
            r'^f,FRONTEND,5\nb,one,3\nb,two,2\nb,BACKEND,5\n', r'^met$',
            r'^over$'])


# ------------------------------------------------------- values by their key --

STORES = r'''
memcached -u root -p 11211 -U 11211 -t 2 -d; echo memcached $?
until nc -z 127.0.0.1 11211; do sleep 0.1; done
ask() { printf 'set k 0 0 5\r\n%s\r\nget k\r\nincr n 1\r\nquit\r\n' $1; }
ask value | nc -N 127.0.0.1 11211; ask world | socat - TCP:127.0.0.1:11211
printf '\0\7\0\0\0\1\0\0get k\r\n' | nc -u -W 1 127.0.0.1 11211 | tail -c +9
redis-server --protected-mode no --daemonize yes --save '' >/dev/null
r=redis-cli; until $r ping 2>/dev/null; do sleep 0.1; done
$r set a b; $r get a; $r -3 hset h f v; $r object encoding h
mkfifo sub; $r subscribe c >sub & exec 8<sub
until [ "$($r publish c news)" = 1 ]; do :; done
for i in 1 2 3 4 5 6; do read -r line <&8; echo $line; done; kill $!
redis-benchmark -q -n 1000 -c 20 -P 16 -t set,get,lpush --csv | cut -d, -f1
$r eval 'for i = 1, 1000 do redis.call("rpush", "l", i) end
return redis.call("llen", "l")' 0
''' + MEET + r'''
$r dbsize; $r shutdown nosave; pkill memcached
while pgrep 'redis|memcached' >/dev/null; do sleep 0.1; done; echo over
'''


def converse(port, question, length):
    """Sends it all, then takes so many bytes of answers."""
    with socket.create_connection(('127.0.0.1', port), LATEST) as s:
        sender = threading.Thread(target=s.sendall, args=(question,))
        sender.start()
        got = b''
        while len(got) < length:
            part = s.recv(65536)
            if not part:
                break
            got += part
        sender.join()
        return got


def ask_stores(ports):
    """A thousand commands before the first answer is looked at."""
    value = b'v' * 1000
    question = b''.join(b'SET key:%d %s\r\nGET key:%d\r\n' % (i, value, i)
                        for i in range(1000))
    wanted = (b'+OK\r\n$1000\r\n%s\r\n' % value) * 1000
    expect('redis', converse(ports[0], question, len(wanted)), wanted)
    question = b''.join(b'set m%d 0 0 4\r\nfish\r\n' % i for i in range(500))
    wanted = b'STORED\r\n' * 500
    expect('memcached', converse(ports[1], question, len(wanted)), wanted)


def stores():
    yield served('redis, memcached, nc, socat', STORES, [
        '/usr/bin/redis-server', '/usr/bin/memcached', '/usr/bin/nc',
        '/usr/bin/socat'], ask_stores, (6379, 11211), has=[
            r'^memcached 0\nSTORED\r?\nVALUE k 0 5\r?\nvalue\r?\nEND\r?\n'
            r'NOT_FOUND\r?\nSTORED\r?\nVALUE k 0 5\r?\nworld\r?\nEND\r?\n'
            r'NOT_FOUND\r?\nVALUE k 0 5\r?\nworld\r?\nEND',
            r'^PONG\nOK\nb\n(\(integer\) )?1\n"?(listpack|ziplist)"?\n'
            r'subscribe\nc\n1\nmessage\nc\nnews\n"test"\n"SET"\n"GET"\n"LPUSH"\n'
            r'1000\nmet\n', r'^over$'])


POSTGRES = r'''
mkdir pg; chown postgres pg; cat >p.sh <<'X'
set -e; export PATH=$PATH:/usr/lib/postgresql/15/bin; cd /tmp/pg
initdb -D d -A trust -N >init.log || { cat init.log; exit 1; }
cat >>d/postgresql.conf <<Y
fsync = off
unix_socket_directories = '/tmp/pg'
listen_addresses = '*'
Y
echo 'host all all 10.0.2.0/24 trust' >>d/pg_hba.conf
pg_ctl -D d -l log -w -t 900 start || { cat log; exit 1; }
createdb -h 127.0.0.1 b; pgbench -q -h ::1 -i b
pgbench -h /tmp/pg -n -c 4 -j 2 -t 20 b
pgbench -h 127.0.0.1 -n -C -c 4 -j 2 -t 5 b
psql -h ::1 -Atc 'select inet_client_addr(), count(*), sum(abalance) =
(select sum(delta) from pgbench_history) from pgbench_accounts' b
X
su postgres -s /bin/bash -c 'bash /tmp/p.sh'; echo status $?
''' + MEET + r'''
su postgres -s /bin/bash -c \
    '/usr/lib/postgresql/15/bin/pg_ctl -D /tmp/pg/d -m fast -w -t 900 stop'
tail -n 1 pg/log | grep -o 'is shut down'
'''


def ask_postgres(ports):
    """The greeting of a client as PostgreSQL's protocol 3.0 has it."""
    startup = b'\0\3\0\0user\0postgres\0database\0b\0\0'
    query = b"select repeat('x', 5000)\0"
    got = converse(ports[0], (len(startup) + 4).to_bytes(4, 'big') + startup
                   + b'Q' + (len(query) + 4).to_bytes(4, 'big') + query
                   + b'X\0\0\0\4', 1 << 20)
    if got[:9] != b'R\0\0\0\x08\0\0\0\0' or b'x' * 5000 not in got:
        raise Failure('postgres: %r' % got[:300])


def databases():
    yield served('postgresql', POSTGRES, [
        '/usr/lib/postgresql/15/bin/postgres'], ask_postgres, (5432,), '1G',
        280, has=[r'processed: 80/80$', r'processed: 20/20$',
                  r'^::1\|100000\|t\nstatus 0\nmet$',
                  r'^server stopped\nis shut down$'])


# -------------------------------------------------------- language run times --

PYTHON = r'''
cat >p.py <<X
import asyncio, http.server, socket, threading, urllib.request
async def main():
    async def echo(r, w):
        while d := await r.read(65536):
            w.write(d)
            await w.drain()
        w.close()
    server = await asyncio.start_server(echo, None, 7000)
    async def one(i):
        r, w = await asyncio.open_connection('127.0.0.1' if i % 2 else '::1',
                                             7000)
        data = bytes([i]) * 200000
        async def put():
            w.write(data)
            await w.drain()
            w.write_eof()
        task = asyncio.create_task(put())
        got = await r.read(-1)
        await task
        w.close()
        return got == data
    print('asyncio', sum(await asyncio.gather(*(one(i) for i in range(30)))))
    class Udp(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport
        def datagram_received(self, data, who):
            self.transport.sendto(data.upper(), who)
    loop = asyncio.get_running_loop()
    t, _ = await loop.create_datagram_endpoint(Udp, ('127.0.0.1', 7001))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b'fish', ('127.0.0.1', 7001))
    print('datagram', await asyncio.to_thread(s.recv, 99))
asyncio.run(main())
class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
server = Six(('::', 8001), http.server.SimpleHTTPRequestHandler)
server.RequestHandlerClass.log_message = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()
for host in '127.0.0.1', '[::1]':
    with urllib.request.urlopen('http://%s:8001/p.py' % host) as f:
        print('http', f.read() == open('p.py', 'rb').read())
with socket.create_connection(('10.0.2.2', MEET)) as s:
    s.recv(1)
print('met')
X
/usr/bin/python3 p.py; echo status $?
'''
NODE = r'''
cat >n.js <<'X'
const http = require('http'), net = require('net');
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const ports = new Set();
let left = 40;
const done = () => { if (--left > 0) return;
    console.log('served', ports.size <= 16);
    net.connect(MEET, '10.0.2.2').on('close', () => process.exit(4)).resume(); };
const ask = (i) => { const r = http.request({ agent, port: 8080,
    host: i % 2 ? '127.0.0.1' : '::1', method: 'POST', path: '/' + i }, (a) => {
        let t = ''; a.on('data', (d) => t += d); a.on('end', () => {
            if (t != 'POST /' + i + ' 50000') console.log('wrong', t);
            done(); }); });
    r.on('socket', (s) => ports.add(s)); r.end('x'.repeat(50000)); };
const server = http.createServer((q, a) => { let n = 0; q.on('data', (d) => n += d.length);
    q.on('end', () => a.end(q.method + ' ' + q.url + ' ' + n)); });
server.keepAliveTimeout = server.requestTimeout = server.headersTimeout = 0;
server.listen(8080, () => { for (let i = 0; i < 40; i++) ask(i); });
X
node n.js; echo status $?
'''


def ask_one(path, wanted):
    def ask(ports):
        connection = http.client.HTTPConnection('127.0.0.1', ports[0],
                                                timeout=LATEST)
        expect(path, get(connection, path), wanted)
        connection.close()
    return ask


def run_times():
    yield served('python, asyncio and http.server', PYTHON,
                 ['/usr/bin/python3', '/usr/lib/python3.11/http/server.py'],
                 ask_python, (8001,), has=[
                     r'^asyncio 30\ndatagram b.FISH.\nhttp True\nhttp True\n'
                     r'met\nstatus 0$'])
    yield served('node, http', NODE, ['/usr/bin/node'],
                 ask_one('/fish', b'GET /fish 0'), (8080,), '1G', has=[
                     r'^served true\nstatus 4$'], lacks=['wrong'])


def ask_python(ports):
    connection = http.client.HTTPConnection('127.0.0.1', ports[0],
                                            timeout=LATEST)
    if not re.search(b'class Six', get(connection, '/p.py')):
        raise Failure('p.py is another file')
    connection.close()


def cases(_):
    for group in (web, stores, databases, run_times):
        yield from group()
