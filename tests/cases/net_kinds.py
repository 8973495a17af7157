# SPDX-License-Identifier: ISC
"""net_kinds.py - Debian's network programs in their other ways: iperf3's kinds
of streams, addresses of socat and nc.  One machine does many, so that they
cost little."""
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


def cases(_):
    yield tool('iperf3', IPERF, ['/usr/bin/iperf3', '/usr/bin/ss'], net=(),
               has=['^' + IPERF_SAYS])
    yield tool('socat, nc', SOCAT, [
        '/usr/bin/socat', '/usr/bin/nc', '/usr/bin/ss', '/usr/bin/openssl',
        '/bin/busybox'], net=(), has=[SOCAT_SAYS])
