# SPDX-License-Identifier: ISC
"""cloud.py - a machine that asks its cloud: metadata services of several
kinds and moods, played by the test; folders; what user data ask for."""
import base64
import gzip
import json
import os
import shutil
import sys

from suite.case import Case, Failure, execute
from suite.machine import program, run_command
from suite.metadata import Service, instance

BUSYBOX = '/bin/busybox'
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfTheCloud cloud'
SCRIPT = b'#!/bin/sh\necho script $0 >>/ran\n'
LIMIT = 240
# The log's lines of ours, whole, as the console may break them.
LOG = 'dmesg | sed -n "s/.*cloud: /cloud: /p"'
SHOW = ('hostname; cat /etc/hostname; cd /root; '
        'ls -ld .ssh | cut -c1-10; ls -l .ssh/authorized_keys | cut -c1-10; '
        'cat .ssh/authorized_keys; cat /ran; ' + LOG)
SHOWN = [r'^node7$\n^node7$', r'^drwx------$\n^-rw-------$', '^' + KEY + '$',
         r'^script /var/lib/cloud/instances/i-0abc/scripts/part-001$',
         r'^cloud: instance i-0abc$']


def service(user_data=SCRIPT, number='0=mine', **more):
    """Makes a Service when it is wanted."""
    return lambda: Service(instance(KEY, user_data, number=number), **more)


def asks(name, make, words, options=(), source='ec2', wanted=SHOWN,
         url='http://10.0.2.2:PORT', after=None, net='user', **more):
    """A machine that asks a Service; make() makes it."""
    def act(_, argv):
        with make() as s:
            outcome = execute([a.replace('PORT', str(s.port)) for a in argv],
                              timeout=LIMIT + 30)
        if after:
            after(s)
        return outcome

    def options_of(context):
        extra = options(context) if callable(options) else list(options)
        return ['--net', net, '--add', BUSYBOX + ':/bin/sh', '--cloud',
                source + (',url=' + url if url else '')] + extra
    return program('ec2/' + name, [BUSYBOX, 'sh', '-c', words], options_of,
                   limit=LIMIT, act=act, needs=[BUSYBOX], has=wanted, **more)


def with_token(asked):
    if asked.seen[0] != ('PUT', '/latest/api/token'):
        raise Failure('the first request is %r' % (asked.seen[:1],))


TROUBLE = {
    '/latest/api/token': [500, b'no HTTP\r\n\r\n', 503],
    '/latest/meta-data/instance-id': [
        b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ni-0', 401, 500],
    '/latest/meta-data/local-hostname': [
        b'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n'],
    '/latest/meta-data/public-keys/': [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n0=x', b''],
    '/latest/user-data': [
        b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
}


def services():
    yield asks('v2', service(), SHOW, wanted=SHOWN, after=with_token,
               lacks=['not done', 'left out'])
    yield asks('v1', service(version=1), SHOW)
    yield asks('mmds', service(number='0/'), SHOW)
    yield asks('chunked', service(chunked=True), SHOW)
    troubled = [p for p in SHOWN if 'node7' not in p]
    yield asks('troubled', service(moods=TROUBLE), SHOW,
               wanted=troubled + [r'^cloud: /latest/meta-data/local-hostname: '
                                  'the answer is too large$'])
    yield asks('slow', service(moods={
        '/latest/api/token': ['silent']}), SHOW)
    yield asks('huge', service(user_data=b'#!' + b'x' * (2 << 20)),
               'hostname; ' + LOG, wanted=[
                   '^node7$', '^cloud: /latest/user-data: the answer is '
                   'too large$'])
    yield asks('refused', service(moods={
        '/latest/user-data': [403], '/latest/meta-data/public-keys/': [404]}),
        'hostname; ' + LOG, wanted=[
            '^node7$', '^cloud: /latest/user-data: the service answers with '
            'status 403$'], lacks=['public-keys'])
    # Nobody listens at port 1.
    yield asks('absent', service(), 'echo goes on; ' + LOG, source='ec2,wait=2',
               url='http://10.0.2.2:1', wanted=[
                   '^goes on$', r'^cloud: http://10\.0\.2\.2:1: no metadata '
                   'service for 2 s$'])
    yield asks('another', service(moods={
        '/latest/api/token': [404],
        '/latest/meta-data/instance-id': [404]}), 'echo goes on; ' + LOG,
        wanted=['^goes on$', 'what answers is no metadata service$'])


def at_its_address():
    """The address that clouds use, reached by the link, after DHCP."""
    def wrapper(c):
        return c.write('qemu', (
            '#!/bin/sh\nfor a; do shift; set -- "$@" "$(printf %s "$a" | sed '
            '"s#^user,id=net0#&,net=169.254.0.0/16,guestfwd=tcp:'
            '169.254.169.254:80-cmd:/bin/busybox nc 127.0.0.1 $SERVICE#")"; '
            'done; exec qemu-system-x86_64 "$@"\n').encode(), 0o755)

    def argv(c):
        return ['env', 'SERVICE=PORT', 'REMORA_QEMU=' + wrapper(c)] + \
            run_command(c, [BUSYBOX, 'sh', '-c', SHOW], [
                '--net', 'user', '--append', 'ip=off', '--cloud',
                'auto,wait=600',
                '--add', BUSYBOX + ':/bin/sh'], LIMIT)
    case = asks('at its address', service(), SHOW)
    case.argv = argv
    yield case


CONFIG = '''#cloud-config
hostname: box.example.org
ssh_authorized_keys:
  - ssh-ed25519 AAAAC3Nza me@x
bootcmd:
  - echo boot >>/order
write_files:
  - path: /opt/a/b
    content: |
      hello
    permissions: '0750'
    owner: alice:adm
    defer: true
  - {path: /opt/c, encoding: gz+b64, content: %s, permissions: 0600}
  - {path: /opt/d, content: one}
  - {path: /opt/d, content: " two", append: true}
  - {path: relative, content: x}
users:
  - name: alice
    groups: adm, video
    uid: 1234
    shell: /bin/sh
    sudo: ALL=(ALL) NOPASSWD:ALL
    ssh_authorized_keys: [ssh-rsa AAAAB3 alice@y]
runcmd:
  - echo run >>/order; echo to the log
  - [ sh, -c, "echo list \\"it's\\" >>/order; exit 3" ]
  - exit 4
packages: [x]
''' % base64.b64encode(gzip.compress(b'packed\n')).decode()


def folders():
    def files(c, **given):
        options = ['--add', BUSYBOX + ':/bin/sh']
        for name, text in given.items():
            name = name.replace('_', '-')
            options += ['--' + name, c.write(
                name, text if isinstance(text, bytes) else text.encode())]
        return options

    def case(name, words, has, net=(), lacks=(), **given):
        return program('nocloud/' + name, [BUSYBOX, 'sh', '-c', words],
                       lambda c: files(c, **given) + list(net), limit=LIMIT,
                       needs=[BUSYBOX], has=has, lacks=lacks)
    yield case('config', 'hostname; cat /order; cd /opt; stat -c '
               '"%n %a %U:%G" a/b c d; cat a/b c d; echo; '
               'cd /home; cat ../root/.ssh/authorized_keys alice/.ssh/*; '
               'stat -c "%n %a %U" alice alice/.ssh/*; '
               'cat /etc/passwd /etc/group /etc/sudoers.d/*; '
               'cat /var/log/cloud-init-output.log; '
               'cat /var/lib/cloud/data/instance-id; ' + LOG, [
                   r'^box$\n^boot$\n^run$\n^list it\'s$', '^a/b 750 alice:adm$',
                   '^c 600 root:root$', '^d 644 root:root$',
                   '^hello$\n^packed$\n^one two$',
                   '^ssh-ed25519 AAAAC3Nza me@x$\n^ssh-rsa AAAAB3 alice@y$',
                   '^alice 755 alice$',
                   '^alice/.ssh/authorized_keys 600 alice$',
                   '^alice:x:1234:1234::/[a-z]+/alice:/bin/sh$',
                   '^video:x:[0-9]+:alice$', r'^alice ALL=\(ALL\) NOPASSWD',
                   '^to the log$', '^iid-local01$',
                   '^cloud: cloud-config: write_files: relative: it has no '
                   'absolute path, left out$',
                   '^cloud: .*/scripts/runcmd ended with status 4; its output',
                   '^cloud: cloud-config: packages is not done here$'],
               user_data=CONFIG)
    yield case('static', 'ifconfig eth0; route -n; cat /etc/resolv.conf; '
               'ping -c 1 10.0.2.2; ' + LOG, [
                   r'inet addr:10\.0\.2\.77 .*Mask:255\.255\.255\.0',
                   r'^0\.0\.0\.0 +10\.0\.2\.2 ', r'^192\.168\.5\.0 +10\.0\.2\.9 ',
                   r'MTU:1400', r'^search example\.org$\n^nameserver 10\.0\.2\.3',
                   r' 1 packets received'],
               ['--net', 'user', '--mac', '52:54:00:00:00:77'],
               meta_data='instance-id: x\n', network_config=json.dumps({
                   'version': 1, 'config': [
                       {'type': 'physical', 'name': 'other0', 'mtu': 1400,
                        'mac_address': '52:54:00:00:00:77', 'subnets': [
                            {'type': 'static', 'address': '10.0.2.77/24',
                             'gateway': '10.0.2.2', 'routes': [
                                 {'network': '192.168.5.0', 'netmask':
                                  '255.255.255.0', 'gateway': '10.0.2.9'}]}]},
                       {'type': 'nameserver', 'address': ['10.0.2.3'],
                        'search': ['example.org']}]}))
    yield case('dhcp', 'cat /sys/class/net/eth0/dhcp; ifconfig eth0; '
               'cat /etc/resolv.conf; echo 0 >/sys/class/net/eth0/dhcp; '
               'cat /sys/class/net/eth0/dhcp; ' + LOG, [
                   '^bound$', r'inet addr:10\.0\.2\.15 ',
                   r'^nameserver 10\.0\.2\.3$', '^off$'],
               ['--net', 'user'], user_data='#cloud-config\n',
               network_config='network:\n  version: 2\n  ethernets:\n'
               '    all:\n      match: {name: "eth*"}\n      dhcp4: true\n')
    message = b'\r\n'.join([
        b'MIME-Version: 1.0', b'Content-Type: multipart/mixed; boundary="=x="',
        b'', b'--=x=', b'Content-Type: text/cloud-config', b'',
        b'hostname: parts', b'--=x=', b'Content-Type: text/x-shellscript',
        b'Content-Transfer-Encoding: base64', b'',
        base64.encodebytes(SCRIPT).strip(), b'--=x=--', b''])
    yield case('message', 'hostname; cat /ran', [
        '^parts$', '/scripts/part-001$'], user_data=gzip.compress(message))
    yield case('nonsense', 'echo goes on; ' + LOG, [
        '^goes on$', '^cloud: cloud-config: line 2: ',
        '^cloud: meta-data: line 2: '], user_data=b'#cloud-config\n[}',
        meta_data='{')
    yield program('nocloud/absent', [BUSYBOX, 'sh', '-c', 'echo goes on; ' +
                                     LOG], ['--cloud', 'nocloud'],
                  limit=LIMIT, needs=[BUSYBOX], has=[
                      '^goes on$', '^cloud: nocloud: there is no /cidata'])
    yield program('auto/nothing', [BUSYBOX, 'sh', '-c', 'echo goes on; ' +
                                   LOG], ['--cloud', 'auto'], limit=LIMIT,
                  needs=[BUSYBOX], has=['^goes on$', 'there is no network card$'])


def once():
    """Twice the same root: what is done once, and what every time."""
    def act(context, _):
        root = context.path('root')
        for name in ('bin', 'sbin', 'cidata', 'etc'):
            os.makedirs(os.path.join(root, name))
        shutil.copy(BUSYBOX, os.path.join(root, 'bin/sh'))
        shutil.copy(os.path.join(context.build, 'remora-cloud'),
                    os.path.join(root, 'sbin'))
        context.write('root/cidata/user-data', b'#cloud-config\n'
                      b'bootcmd: [echo boot >>/order]\n'
                      b'runcmd: [echo run >>/order]\n')
        for number in (1, 1, 2):
            context.write('root/cidata/meta-data',
                          b'instance-id: %d\n' % number)
            outcome = execute(run_command(
                context, ['/bin/sh', '-c', 'cat /order; readlink '
                          '/var/lib/cloud/instance'],
                ['--share', root + ':/', '--append', 'rw', '--cloud',
                 'nocloud'], LIMIT), timeout=LIMIT + 30)
        return outcome
    yield Case('once', [], act=act, needs=[BUSYBOX], stdout=b'boot\nrun\n'
               b'boot\nboot\nrun\ninstances/2\n')


def starts():
    """From the kernel to remora-cloud to the program."""
    def nothing(c):
        return ['--user-data', c.write('none', b''), '--env', 'X=y z']
    yield program('start/arguments', [BUSYBOX, 'sh', '-c',
                                      'echo "$0|$1|$2|$3|$X"; exit 5',
                                      'a b', '', '"', '--'],
                  nothing, status=5, limit=LIMIT,
                  needs=[BUSYBOX], stdout=b'a b||"|--|y z\n')
    yield program('start/no helper', [BUSYBOX, 'true'],
                  ['--append', 'remora.cloud=auto'], status=127, limit=LIMIT,
                  needs=[BUSYBOX],
                  has=['^remora.cloud=auto: /sbin/remora-cloud cannot be run'])
    yield program('start/nonsense', [BUSYBOX, 'sh', '-c', LOG], [
        '--cloud', 'ec2,wait=x'], limit=LIMIT, needs=[BUSYBOX],
        has=['^cloud: ec2,wait=x makes no sense, nothing is done$'])
    yield Case('start/usage', lambda c: [c.remora, 'run', '--cloud', 'gcp',
                                         '--', BUSYBOX, 'true'], status=125,
               says=['--cloud gcp: ec2, nocloud or auto is expected'])


def story():
    """An address, a name and a key from the cloud; then a login."""
    demo = os.path.join(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))), 'demo-cloud')
    yield Case('login', lambda c: [sys.executable, '-B', demo, c.build,
                                   'hostname; cat /ran; exit 9'],
               status=9, timeout=LIMIT + 60,
               needs=['/usr/sbin/dropbear', 'ssh', 'ssh-keygen', BUSYBOX],
               has=[r'^demo$\n^from user data$'])


def cases(_):
    for group in (story, services, at_its_address, folders, once, starts):
        yield from group()
