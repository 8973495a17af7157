# SPDX-License-Identifier: ISC
"""net_six.py - addresses, routes and neighbours of IPv6, as Debian's ip and
busybox show and change them; what /proc/sys says of them."""
from suite.machine import program

BUSYBOX = '/bin/busybox'
BEGIN = r'''
ip() { /usr/sbin/ip "$@"; }
until ip -6 addr show dev eth0 scope site | grep -q inet6; do :; done
while ip -6 addr show dev eth0 | grep -q tentative; do :; done
'''


def script(name, text, has, lacks=()):
    """What is printed in this order, line by line, and none of the others."""
    return program(name, [BUSYBOX, 'sh', '-c', BEGIN + text],
                   ['--net', 'user', '--add', '/usr/sbin/ip'],
                   needs=[BUSYBOX, '/usr/sbin/ip'], limit=180,
                   has=[has[0] + ''.join(r'(?>.*\n(?:.*\n)*?%s)' % h
                                         for h in has[1:])], lacks=lacks)


def refused(*words):
    return ['RTNETLINK answers: ' + w for w in words]


ROUTES = r'''
new() { ip -6 route add "$@" 2>&1; }
ip -6 route show table all; ip -6 rule; ip rule
cat /proc/net/ipv6_route
echo "-- refused"
new 2001:db8:1::/64 via fe80::7 dev eth0 metric 5
new 2001:db8:1::/64 via fe80::8 dev eth0 metric 5
new 2001:db8:2::/64 via 2001:db8:99::1 dev eth0
new 2001:db8:2::/64 via fe80::3
new 2001:db8:2::/64 dev eth0 src fec0::99
new 2001:db8:2::/64 via fe80::1 dev eth0 table 100
new 2001:db8:2::/64 nexthop via fe80::1 dev eth0 nexthop via fe80::2 dev eth0
ip -6 route change 2001:db8:2::/64 via fe80::1 dev eth0 2>&1
ip -6 route del 2001:db8:1::/64 via fe80::99 2>&1
ip rule add from all lookup 100 2>&1
echo "-- ways"
new 2001:db8:2::5 dev eth0 proto static
new 2001:db8:4::/64 via fe80::3 dev eth0 expires 10000
for t in blackhole unreachable prohibit throw; do
    n=$((${n:-4} + 1)); new $t 2001:db8:$n::/64; ip route add $t 10.$n.0.0/16
done
ip -6 route show proto boot; ip -6 route show proto static; ip route
for n in 1 5 6 7 8 9; do ip -6 route get 2001:db8:$n::1 2>&1; done
for n in 5 6 7 8; do ip route get 10.$n.0.1 2>&1; done
echo "-- less"; echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra
ip -6 route replace 2001:db8:1::/64 via fe80::9 dev eth0 metric 5
ip -6 route append 2001:db8:1::/64 via fe80::a dev eth0 metric 5
ip -6 route show 2001:db8:1::/64
ip -6 route flush proto static
ip -6 route del default
ip -6 route del fec0::/64 dev eth0
ip -6 route get 2001:db8:9::1 2>&1
ip -6 route flush dev eth0
ip -6 route show dev eth0
route -A inet6 add 2001:db8:e::/64 gw fe80::4 dev eth0
route -A inet6 add default gw fe80::5 dev eth0 metric 7
route -A inet6 | grep UG; ip -6 route show dev eth0
route -A inet6 del 2001:db8:e::/64 gw fe80::4 dev eth0
route -A inet6 del 2001:db8:e::/64 gw fe80::4 dev eth0 2>&1
ip link set eth0 down; ip -6 route; ip -6 addr show dev eth0; echo "-- end"
'''
ROUTES_HAS = [
    r'^local ::1 dev lo table local proto kernel metric 0 pref medium',
    r'^fe80::/64 dev eth0 proto kernel metric 256 pref medium',
    r'^local fe80::5054:ff:fe12:3456 dev eth0 table local proto kernel',
    r'^fec0::/64 dev eth0 proto kernel metric 256 expires 86\d\d\dsec',
    r'^multicast ff00::/8 dev eth0 table local proto kernel metric 256',
    r'^default via fe80::2 dev eth0 proto ra metric 1024 expires 17\d\dsec',
    r'^0:\tfrom all lookup local', r'^32766:\tfrom all lookup main',
    r'^32766:\tfrom all lookup main', r'^32767:\tfrom all lookup default',
    r'^0{31}1 80 0{32} 00 0{32} 00000000 \w+ \w+ 80200001       lo',
    r'^fec0{29} 40 0{32} 00 0{32} 00000100 \w+ \w+ 004c0001     eth0',
    r'^0{32} 00 0{32} 00 fe80{28}2 00000400 \w+ \w+ 00450003     eth0',
    '^-- refused',
    *refused('File exists', 'No route to host', 'Invalid argument',
             'Invalid argument', 'Operation not supported',
             'Operation not supported', 'No such file or directory',
             'No such process', 'Operation not supported'),
    '^-- ways',
    r'^2001:db8:1::/64 via fe80::7 dev eth0 metric 5 pref medium',
    r'^2001:db8:4::/64 via fe80::3 dev eth0 metric 1024 expires 99\d\dsec',
    *('^%s 2001:db8:%d::/64 dev lo metric 1024 pref medium' % w for w in (
        ('blackhole', 5), ('unreachable', 6), ('prohibit', 7), ('throw', 8))),
    r'^2001:db8:2::5 dev eth0 metric 1024 pref medium',
    *('^%s 10.%d.0.0/16' % w for w in (
        ('blackhole', 5), ('unreachable', 6), ('prohibit', 7), ('throw', 8))),
    r'^2001:db8:1::1 via fe80::7 dev eth0 src fec0::5054:ff:fe12:3456 metric 5',
    *refused('Invalid argument', 'No route to host', 'Permission denied',
             'Network is unreachable'),
    r'^2001:db8:9::1 via fe80::2 dev eth0 proto ra src fec0::5054:ff:fe12:3456',
    *refused('Invalid argument', 'No route to host', 'Permission denied',
             'Network is unreachable'),
    r'^-- less', r'^2001:db8:1::/64 via fe80::9 dev eth0 metric 5',
    r'^2001:db8:1::/64 via fe80::a dev eth0 metric 5',
    *refused('Network is unreachable'),
    r'^2001:db8:e::/64 +fe80::4 +UG +1 ', r'^::/0 +fe80::5 +UG +7 ',
    r'^2001:db8:e::/64 via fe80::4 metric 1 pref medium',
    r'^default via fe80::5 metric 7 pref medium',
    r'^route: .*No such process',
    r'^blackhole 2001:db8:5::/64 dev lo .*\n^unreachable .*\n^prohibit .*\n'
    r'^throw 2001:db8:8::/64 dev lo metric 1024 pref medium *\r?\n-- end']

ADDRESSES = r'''
new() { ip -6 addr add "$@" nodad 2>&1; }
new fd00::5/64 dev eth0
new fd00::5/64 dev eth0
new fd00:1::5/48 dev eth0
new fd00:2::5 dev eth0
new fd00:3::5/64 dev eth0 noprefixroute
new fd00:4::5/64 dev eth0 valid_lft 5000 preferred_lft 4000
new fd00:5::5/64 dev eth0 valid_lft 5000 preferred_lft 0
new fd00:7::5/128 dev lo
new ff02::5/64 dev eth0
new ::/64 dev eth0
ip -6 addr add fd00:8::5/64 dev eth0
while ip -6 addr show dev eth0 | grep tentative >/t; do :; done
ip -6 addr; ip -6 route show proto kernel; cat /proc/net/if_inet6
ip -6 route add fd00:a::/64 via fe80::2 dev eth0 src fd00:2::5
for a in fd00:1:0:9::9 fd00:5::9 fd00:a::9 2001:db8::1; do
    ip -6 route get $a; done
for a in fd00::5 fd00:2::5 fd00:7::5; do ping -6 -c 1 $a | grep 64.bytes; done
echo "-- less"
ip -6 addr change fd00:4::5/64 dev eth0 valid_lft forever preferred_lft forever
ip -6 addr change fd00:9::5/64 dev eth0 2>&1
ip -6 addr del fd00:1::5/64 dev eth0 2>&1
ip -6 addr del fd00:1::5/48 dev eth0
ip -6 addr del fd00:2::5 dev eth0
ifconfig eth0 add fd00:b::5/64; ifconfig eth0 del fd00:9::5/64 2>/t
ip -6 addr show dev eth0; ip -6 route show proto kernel
ping -6 -c 1 fd00:1::5 2>&1 | grep 64.bytes || echo no more
'''
ADDRESSES_HAS = [
    *refused('File exists', 'Cannot assign requested address',
             'Cannot assign requested address'),
    r'^    inet6 fd00:7::5/128 scope global nodad', '^    inet6 ::1/128 scope host',
    r'^    inet6 fd00:8::5/64 scope global',
    r'^    inet6 fd00:5::5/64 scope global nodad deprecated dynamic',
    r'^       valid_lft (5000|49\d\d)sec preferred_lft 0sec',
    r'^    inet6 fd00:4::5/64 scope global nodad dynamic',
    r'^       valid_lft (5000|49\d\d)sec preferred_lft (4000|39\d\d)sec',
    r'^    inet6 fd00:3::5/64 scope global nodad noprefixroute',
    r'^    inet6 fd00:2::5/128 scope global nodad',
    r'^    inet6 fd00:1::5/48 scope global nodad',
    r'^       valid_lft forever preferred_lft forever',
    r'^    inet6 fd00::5/64 scope global nodad',
    r'^    inet6 fec0::5054:ff:fe12:3456/64 scope site dynamic',
    r'^    inet6 fe80::5054:ff:fe12:3456/64 scope link',
    r'^fd00::/64 dev eth0 .*\n^fd00:1::/48 dev eth0 .*\n^fd00:2::5 dev eth0 ',
    r'^fd00:4::/64 dev eth0 metric 256 expires 4\d\d\dsec',
    r'^fd00:5::/64 dev eth0 metric 256 expires 4\d\d\dsec',
    r'^fd00:7::5 dev lo metric 256 pref medium',
    r'^fd000001000000000000000000000005 02 30 00 82     eth0',
    r'^fd00:1:0:9::9 dev eth0 proto kernel src fd00:1::5 ',
    r'^fd00:5::9 dev eth0 proto kernel src fd00:4::5 ',
    r'^fd00:a::9 via fe80::2 dev eth0 src fd00:2::5 ',
    r'^2001:db8::1 via fe80::2 dev eth0 proto ra src fd00:',
    *('^64 bytes from fd00:%s5: seq=0 ttl=64 ' % w for w in (':', '2::', '7::')),
    '^-- less', *refused('Cannot assign requested address'),
    r'^    inet6 fd00:4::5/64 scope global *\r?\n       valid_lft forever',
    r'^    inet6 fd00:b::5/64 scope global',
    r'^fd00::/64 dev eth0 .*\n^fd00:4::/64 dev eth0 metric 256 pref',
    r'^fd00:b::/64 dev eth0 ', '^no more']

NEIGHBOURS = r'''
nb() { ip -6 neigh "$@" 2>&1; }
mac=52:54:00:00:00
ping -6 -c 1 fe80::2%eth0 >/t
nb add fd00::9 lladdr $mac:09 dev eth0
nb add fd00::9 lladdr $mac:09 dev eth0
nb replace fd00::9 lladdr $mac:0a dev eth0
nb add fd00::a lladdr $mac:0a dev eth0 nud stale
nb add fd00::b lladdr $mac:0b dev eth0 nud reachable
nb add fd00::c dev eth0
nb change fd00::d lladdr $mac:0b dev eth0
nb show; nb get fd00::9 dev eth0
ip addr add 10.0.2.15/24 dev eth0 2>/t
ip neigh add 10.0.2.77 lladdr $mac:0c dev eth0; ip neigh show 10.0.2.77
echo "-- less"
nb del fd00::9 dev eth0
nb del fd00::9 dev eth0
nb get fd00::9 dev eth0
ip neigh del 10.0.2.77 dev eth0; ip neigh show 10.0.2.77
nb flush dev eth0; nb show to fd00::/64
ping -6 -c 1 fe80::2%eth0 | grep 64.bytes
'''
NEIGHBOURS_HAS = [
    *refused('File exists', 'Invalid argument', 'No such file or directory'),
    r'^fd00::9 dev eth0 lladdr 52:54:00:00:00:0a PERMANENT',
    r'^fe80::2 dev eth0 lladdr 52:56:00:00:00:02 router \w+',
    r'^fd00::a dev eth0 lladdr 52:54:00:00:00:0a STALE',
    r'^fd00::b dev eth0 lladdr 52:54:00:00:00:0b REACHABLE',
    r'^fd00::9 dev eth0 lladdr 52:54:00:00:00:0a PERMANENT',
    r'^10\.0\.2\.77 dev eth0 lladdr 52:54:00:00:00:0c PERMANENT',
    '^-- less', *refused('No such file or directory',
                         'No such file or directory'),
    r'^64 bytes from fe80::2']

SETTINGS = r'''
cd /proc/sys/net/ipv6/conf; echo *; cat eth0/disable_ipv6 lo/mtu eth0/mtu
for f in forwarding use_tempaddr; do
    echo 0 >eth0/$f && ! echo 1 2>/t >eth0/$f && echo $f is refused; done
echo 1 >eth0/disable_ipv6; cat eth0/disable_ipv6; echo "-- off"
ip -6 addr show dev eth0; ip -6 route
ip -6 addr add fd00::5/64 dev eth0 2>&1
ping -6 -c 1 fe80::2%eth0 2>&1 | grep sendto
echo 0 >eth0/accept_ra
echo 0 >eth0/disable_ipv6
until ip -6 addr show dev eth0 | grep -q 'fe80.* link *$'; do :; done
ping -6 -c 3 fe80::2%eth0 | grep received
echo "-- alone"; ip -6 route; echo 1 >all/disable_ipv6; ip -6 addr; ip -6 route
ping -6 -c 1 ::1 2>&1 | grep sendto
cat eth0/disable_ipv6 lo/disable_ipv6 default/disable_ipv6
echo 0 >all/disable_ipv6; ping -6 -c 1 ::1 | grep received
echo 1 >eth0/accept_ra; ip link set eth0 down; ip link set eth0 up
until ip -6 route | grep ^default; do :; done
'''
SETTINGS_HAS = [
    r'^all default eth0 lo', '^0', '^65536', '^1500', '^forwarding is refused',
    '^use_tempaddr is refused', '^1',
    r'^-- off\r?\nRTNETLINK answers: Permission denied\r?\n'
    r'ping: sendto: Network is unreachable',
    r'^3 packets transmitted, 3 packets received',
    r'^-- alone\r?\nfe80::/64 dev eth0 proto kernel metric 256 pref medium\r?\n'
    r'ping: sendto: \w.*\r?\n1\r?\n1\r?\n1',
    r'^1 packets transmitted, 1 packets received',
    r'^default via fe80::2 dev eth0 proto ra']

MONITOR = r'''
/usr/sbin/ip monitor >/m & pid=$!
until test -s /m; do ip link set eth0 mtu 1400; ip link set eth0 mtu 1500; done
ip -6 addr add fd00:1::5/48 dev eth0 nodad
ip -6 route add 2001:db8:1::/64 via fe80::7 dev eth0
ip -6 route replace 2001:db8:1::/64 via fe80::8 dev eth0
ip -6 neigh add fd00::9 lladdr 52:54:00:00:00:09 dev eth0
ip -6 route del 2001:db8:1::/64
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra
ip -6 route del default
ip -6 addr del fd00:1::5/48 dev eth0
until grep -q 'Deleted.*fd00:1::5' /m; do :; done; kill $pid; cat /m
'''
MONITOR_HAS = [
    r'^2: eth0 +inet6 fd00:1::5/48 scope global nodad',
    r'^2001:db8:1::/64 via fe80::7 dev eth0 metric 1024',
    r'^2001:db8:1::/64 via fe80::8 dev eth0 metric 1024',
    r'^fd00::9 dev eth0 lladdr 52:54:00:00:00:09 PERMANENT',
    r'^Deleted 2001:db8:1::/64 via fe80::8 dev eth0',
    r'^Deleted default via fe80::2 dev eth0 proto ra',
    r'^Deleted 2: eth0 +inet6 fd00:1::5/48 scope global']


def cases(_):
    yield script('routes', ROUTES, ROUTES_HAS)
    yield script('addresses', ADDRESSES, ADDRESSES_HAS)
    yield script('neighbours', NEIGHBOURS, NEIGHBOURS_HAS)
    yield script('settings', SETTINGS, SETTINGS_HAS)
    yield script('monitor', MONITOR, MONITOR_HAS)
