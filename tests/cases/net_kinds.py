# SPDX-License-Identifier: ISC
"""net_kinds.py - Debian's network programs in their other ways: iperf3's kinds
of streams, addresses of socat and nc, and what strace sees of servers and
clients.  One machine does many, so that they cost little."""
from cases.net_tools import tool

UP = r'''
up() { until ss -Htln | grep -q ":$1 "; do :; done; }
upu() { until ss -Huln | grep -q ":$1 "; do :; done; }
'''

# One server; what a client is told is its status.
IPERF = UP + r'''
iperf3 -s -D; up 5201
try() { iperf3 -c $1 $2 >out 2>&1; r=$?; grep -q 'iperf Done' out || r=no
    echo "$2: $r"; }
for o in '-u -b 50M -n 1M' '-u -b 50M -R -n 1M' '-u -b 20M --bidir -n 500K' \
    '-P 4 -n 4M' '-P 4 -R -n 4M' '--bidir -n 4M' '-Z -n 2M' \
    '-w 64K -n 1M' '-l 100 -n 100K' '-M 1000 -n 1M'; do try 127.0.0.1 "$o"; done
try ::1 '-6 -n 2M'; try 127.0.0.1 '-B 127.0.0.2 -n 1M'; try 127.0.1.1 '-n 1M'
'''
IPERF_SAYS = ''.join(o + r': 0\r?\n' for o in (
    '-u -b 50M -n 1M', '-u -b 50M -R -n 1M', '-u -b 20M --bidir -n 500K',
    '-P 4 -n 4M', '-P 4 -R -n 4M', '--bidir -n 4M', '-Z -n 2M', '-w 64K -n 1M',
    '-l 100 -n 100K', '-M 1000 -n 1M', '-6 -n 2M', r'-B 127\.0\.0\.2 -n 1M',
    '-n 1M'))

SOCAT = UP + r'''
echo one >f; s='socat -t 1000'
socat -u FILE:f UNIX-LISTEN:us & until [ -S us ]; do :; done
socat -u UNIX-CONNECT:us -
socat -u UNIX-RECV:ud - >got & until [ -S ud ]; do :; done
echo dgram | socat -u - UNIX-SENDTO:ud; until [ -s got ]; do :; done; cat got
socat ABSTRACT-LISTEN:abs EXEC:/bin/cat & until grep -q @abs /proc/net/unix
do :; done; echo abstract | $s - ABSTRACT-CONNECT:abs
socat UDP-RECVFROM:7100 EXEC:/bin/cat & upu 7100
exec 7<>/dev/udp/127.0.0.1/7100; echo udp >&7; head -c 4 <&7
socat UDP6-RECVFROM:7101 EXEC:/bin/cat & upu 7101
exec 7<>/dev/udp/::1/7101; echo udp6 >&7; head -c 5 <&7
socat TCP-LISTEN:7102 PTY,link=pt,raw,echo=0 & up 7102
exec 8<>/dev/tcp/127.0.0.1/7102; until [ -e pt ]; do :; done
echo to a pty >&8; read -r l <pt; echo $l; exec 8>&-
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 99 \
    -keyout key.pem -out cert.pem -subj /CN=box 2>/dev/null
cat key.pem cert.pem >both.pem
socat OPENSSL-LISTEN:7103,cert=both.pem,verify=0 EXEC:/bin/cat & up 7103
echo tls | $s - OPENSSL:127.0.0.1:7103,verify=0
socat TCP6-LISTEN:7104 SYSTEM:'read l; echo "sys $l"' & up 7104
echo six | $s - TCP6:[::1]:7104
busybox nc -l -p 7200 >g1 & p=$!; up 7200
exec 8<>/dev/tcp/127.0.0.1/7200; echo bb >&8; exec 8>&-; wait $p; cat g1
nc -l -u 7201 >g2 & p=$!; upu 7201; echo u >/dev/udp/127.0.0.1/7201
until [ -s g2 ]; do :; done; cat g2; kill $p
nc -lU nu >g3 & p=$!; until [ -S nu ]; do :; done; echo unix | nc -NU nu
wait $p; cat g3
nc -6 -l 7202 >g4 & p=$!; up 7202; echo v6 | nc -N -6 ::1 7202; wait $p; cat g4
nc -z 127.0.0.1 7299; echo closed $?
nc -k -l 7203 >g5 & p=$!; up 7203; nc -z 127.0.0.1 7203; echo open $?
for i in a b; do echo $i | nc -N 127.0.0.1 7203; done
until grep -q b g5; do :; done; cat g5; kill $p
'''
SOCAT_SAYS = r'\r?\n'.join((
    '^one', 'dgram', 'abstract', 'udp', 'udp6', 'to a pty', 'tls', 'sys six',
    'bb', 'u', 'unix', 'v6', 'closed 1', 'open 0', 'a', r'b\r?$'))

# Each serves once below strace and ends, by itself or as it is told to: its log
# has the calls that one serves by, each is known, and each thread has an end.
TRACED = UP + r'''
s() { n=$1; strace -f -o log.$n "$@" >out.$n 2>&1 & spid=$!; }
over() { wait $spid; r=$?; for w in "$@"; do
    grep -qE "^[0-9]+ +(<\.\.\. )?$w( resumed>|\()" log.$n || echo no $w; done
    grep -E '^[0-9]+ +([^ a-z+<-]|syscall_)' log.$n
    awk '{ all[$1] } $2 == "+++" { delete all[$1] }
        END { for (p in all) print p " has no end" }' log.$n; echo $n $r; }
served() { over bind listen accept4? "$@"; }
stop() { read -r pid _ <log.$n; kill $pid; }
end() { stop; served "$@"; }
'''

STRACE = TRACED + r'''
mkdir www ng; echo small >www/small; get='curl -sS http://127.0.0.1'
s python3 -m http.server -d www 8001; up 8001; $get:8001/small
end recvfrom sendto
s memcached -u root -p 11211 -t 2; up 11211
printf 'get none\r\nquit\r\n' | nc -N 127.0.0.1 11211; end read sendmsg
s redis-server --save ''; up 6379; redis-cli set a b; end read write
cat >ng/conf <<X
daemon off; pid /tmp/ng/pid; error_log stderr warn; worker_processes 1;
events { worker_connections 64; }
http { access_log off; client_body_temp_path ng/b; proxy_temp_path ng/p;
fastcgi_temp_path ng/f; uwsgi_temp_path ng/u; scgi_temp_path ng/s;
server { root /tmp/www; listen 80; } }
X
s nginx -p /tmp -c ng/conf; up 80; $get/small; end recvfrom writev
s node -e 'require("http").createServer((q,a)=>a.end("node\n")).listen(8080)'
up 8080; $get:8080/x; end read write
s iperf3 -s -1; up 5201; iperf3 -c 127.0.0.1 -n 1M >/dev/null; echo sent $?
served read write
s socat TCP-LISTEN:7000 EXEC:/bin/cat; up 7000
echo hi | socat -t 1000 - TCP:127.0.0.1:7000; served read write shutdown
s nc -l 7001; up 7001; echo hey | nc -N 127.0.0.1 7001; served read; cat out.nc
dropbearkey -t ed25519 -f hk >/dev/null 2>&1
s dropbear -F -E -r hk -p 2222; up 2222
exec 8<>/dev/tcp/127.0.0.1/2222; read -r l <&8; echo ${l%%_*}; stop; exec 8>&-
served getpeername writev
'''
STRACE_SAYS = r'\r?\n'.join((
    '^small', 'python3 143', r'END\r?', 'memcached 0', 'OK', 'redis-server 0',
    'small', 'nginx 0', 'node', 'node 143', 'sent 0', 'iperf3 0', 'hi',
    'socat 0', 'nc 0', 'hey', 'SSH-2.0-dropbear', r'dropbear 1\r?$'))

# Each below strace ends as it does without.
CLIENTS = TRACED + r'''
t() { calls=$1; shift; "$@" >plain 2>&1; p=$?; s "$@"; over $calls
    [ $p = $r ] || echo but $p without; }
mkdir www; echo small >www/small; small=http://127.0.0.1:8001/small
python3 -m http.server -d www 8001 2>/dev/null & up 8001
t 'connect sendto recvfrom' curl -sS $small; cat out.curl
t 'connect write read' wget -q -O - $small; cat out.wget
t 'sendto recvmsg' ping -n -c 1 -W 100 127.0.0.1
t 'bind sendto recvmsg' ip addr
t 'sendmsg recvmsg' ss -tln
t 'connect sendto recvmsg' traceroute -n -w 90 127.0.0.1
t 'connect sendm+sg recvm+sg' dig +tries=1 +time=90 -p 9 @127.0.0.1 box
'''
CLIENTS_SAY = r'\r?\n'.join((
    '^curl 0', 'small', 'wget 0', 'small', 'ping 0', 'ip 0', 'ss 0',
    'traceroute 0', r'dig 9\r?$'))


def cases(_):
    yield tool('iperf3', IPERF, ['/usr/bin/iperf3', '/usr/bin/ss'], net=(),
               has=['^' + IPERF_SAYS])
    yield tool('socat, nc', SOCAT, [
        '/usr/bin/socat', '/usr/bin/nc', '/usr/bin/ss', '/usr/bin/openssl',
        '/bin/busybox'], net=(), has=[SOCAT_SAYS])
    yield tool('strace of servers', STRACE, [
        '/usr/bin/strace', '/usr/bin/python3', '/usr/bin/memcached',
        '/usr/bin/redis-server', '/usr/sbin/nginx', '/usr/bin/node',
        '/usr/bin/iperf3', '/usr/bin/socat', '/usr/bin/nc',
        '/usr/sbin/dropbear', '/usr/bin/curl', '/usr/bin/ss'], net=(),
               has=[STRACE_SAYS])
    yield tool('strace of clients', CLIENTS, [
        '/usr/bin/strace', '/usr/bin/python3', '/usr/bin/curl', '/usr/bin/wget',
        '/usr/bin/ping', '/usr/bin/ip', '/usr/bin/ss', '/usr/sbin/traceroute',
        '/usr/bin/dig'], net=(), has=[CLIENTS_SAY])
