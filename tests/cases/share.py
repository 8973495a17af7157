# SPDX-License-Identifier: ISC
"""share.py - folders of the host in the machine: what is written on one side
is what the other reads, whatever carries it."""
import hashlib
import os
import shutil
import subprocess

from suite.case import Failure, Skip
from suite.machine import program, run_command
from cases.guest import told_all

BUSYBOX = '/bin/busybox'
NAMES = [b'with space', b'new\nline', b'\xff\xfe\x80', b'-n', b'*?[', b'"\'`$',
         b'\\', b'x' * 255, 'ungew\u00f6hnlich'.encode(), b'.hidden', b'...']


def folder(context):
    path = context.path('share')
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o755)
    return path


def read(context, name):
    with open(os.path.join(folder(context), name), 'rb') as f:
        return f.read()


def pattern(size, seed=1):
    """Bytes that no two pages have in common."""
    out = b''.join(hashlib.sha256(b'%d %d' % (seed, i)).digest() * 128
                   for i in range((size + 4095) // 4096))
    return out[:size]


def expect(what, ok):
    if not ok:
        raise Failure('wrong on the host: ' + what)


def shell(name, script, plant=None, how='', options=(), stranger=False,
          **wanted):
    """A case: a shell in the machine, with the folder at /mnt.

    stranger: the command is run by a user to whom nothing there belongs.
    """
    def given(context):
        path = folder(context)
        if plant:
            plant(context)
        return ['--share', path + ':/mnt' + how, *options]
    wanted.setdefault('needs', [BUSYBOX])
    case = program(name, [BUSYBOX, 'sh', '-e', '-c', script], given, **wanted)
    if stranger:
        command = case.argv
        case.needs = [*case.needs, 'setpriv']
        case.argv = lambda context: [
            'setpriv', '--reuid', '65534', '--regid', '65534',
            '--clear-groups', *command(context)]
    return case


def plant_names(context):
    for i, name in enumerate(NAMES):
        with open(os.path.join(os.fsencode(folder(context)), name), 'wb') as f:
            f.write(b'%d\n' % i)


def check_names(context, _):
    root = os.fsencode(folder(context))
    wanted = {(b'Y' + n)[:255] for n in NAMES}
    expect('names', set(os.listdir(root)) == wanted)


def plant_many(context):
    for i in range(10000):
        with open(os.path.join(folder(context), 'f%d' % i), 'wb'):
            pass


def plant_sparse(context):
    with open(os.path.join(folder(context), 'sparse'), 'wb') as f:
        f.seek(3 << 30)
        f.write(b'there')


def plant_big(context):
    context.write('share/big', pattern(100 << 20))


def check_big(context, outcome):
    data = read(context, 'big')
    expect('the copy', read(context, 'copy') == data)
    if hashlib.sha256(data).hexdigest().encode() not in outcome.stdout:
        raise Failure('the machine read something else')


def both_ways(context):
    context.write('share/in', pattern(1234567))


def check_both_ways(context, _):
    expect('the copy', read(context, 'out') == pattern(1234567))
    expect('the rest', read(context, 'rest') == pattern(1234567)[7 * 1000:])


BOTH_WAYS = ('cat /mnt/in >/mnt/out; dd if=/mnt/in of=/mnt/rest bs=1000 '
             'skip=7; cmp /mnt/in /mnt/out')

# A device that leaves under eight readers, and comes back.
REMOVAL = '''
d=$(grep -l 0x1009 /sys/bus/pci/devices/*/device); d=${d%/device}
for i in 1 2 3 4 5 6 7 8; do
    dd if=/mnt/sparse of=/dev/null bs=128k 2>/dev/null && echo read all &
done
dd if=/mnt/sparse of=/dev/null bs=1M count=20 2>/dev/null
echo 1 >$d/remove
wait
ls /mnt || cat /mnt/sparse || umount /mnt
mount -t 9p share0 /mnt || echo 1 >/sys/bus/pci/rescan
mount -t 9p share0 /mnt; ls /mnt
'''

# What QEMU is told in place of the device that the command asks for.
DEVICES = {
    'legacy': ('virtio-9p-pci,', 'virtio-9p-pci,disable-modern=on,'),
    'modern': ('virtio-9p-pci,', 'virtio-9p-pci,disable-legacy=on,'),
    'packed': ('virtio-9p-pci,', 'virtio-9p-pci,disable-legacy=on,packed=on,'),
    'mmio legacy': ('force-legacy=off', 'force-legacy=on'),
    'mmio packed': ('virtio-9p-device,', 'virtio-9p-device,packed=on,'),
}


def transport(name, machine):
    """A case with a wrapper for QEMU that changes one option."""
    old, new = DEVICES[name]

    def command(context):
        both_ways(context)
        context.write('bin/qemu-system-x86_64', (
            '#!/usr/bin/python3\nimport os, sys\n'
            'argv = [a.replace(%r, %r) for a in sys.argv]\n'
            'assert argv != sys.argv\n'
            'os.environ["PATH"] = os.environ["PATH"].split(":", 1)[1]\n'
            'os.execvp("qemu-system-x86_64", argv)\n' % (old, new)).encode(),
            0o755)
        words = run_command(context, [BUSYBOX, 'sh', '-e', '-c', BOTH_WAYS],
                            ['--machine', machine, '--share',
                             folder(context) + ':/mnt'])
        return ['/bin/sh', '-c', 'PATH="$0:$PATH" exec "$@"',
                context.path('bin'), *words]
    case = program('transport/%s %s' % (machine, name), [],
                   needs=[BUSYBOX], check=check_both_ways)
    case.argv = command
    return case


def not_ours(context):
    if os.getuid() != 0:
        raise Skip('only root can become somebody else')
    os.chmod(context.folder, 0o755)
    os.chmod(context.write('share/in', b'secret'), 0o600)
    os.mkdir(os.path.join(folder(context), 'sub'), 0o755)


def full(context):
    """A file system of 1 MiB; -ENOSPC must come through."""
    path = folder(context)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1M', 'none', path],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        raise Skip('this host lets us mount nothing')


def no_longer_full(context, outcome):
    subprocess.run(['umount', folder(context)], check=True)
    if b'No space left' not in outcome.stderr + outcome.stdout:
        raise Failure('no word of a full disk')


def files(context):
    return ['--share', folder(context) + ':/mnt']


def check_mapped(context, outcome):
    told_all(context, outcome)
    data = read(context, 'mapped')
    expect('what was mapped', data[:6] == b'againd' and
           data[4096:4100] == b'last' and data[8192:8198] == b'synced')


ROOT = '''
cat /proc/mounts; echo "$0 $1"; echo fresh >/new; mkdir /folder
rm /old; ln -s /new /link; cat /link; ls /proc/1/exe -l; ls -d /dev/null
ls /.remora; exit 9'''


def plant_root(context):
    context.write('share/old', b'old')
    os.makedirs(os.path.join(folder(context), 'bin'))
    shutil.copy(BUSYBOX, os.path.join(folder(context), 'bin'))


def plant_read_only(context):
    """Where the usual mount points cannot be made."""
    plant_root(context)
    for name in ('dev', 'proc', 'sys'):
        os.mkdir(os.path.join(folder(context), name))


def root(name, script, more=(), how='', plant=plant_root, **wanted):
    """A case: a folder that is the root."""
    def given(context):
        plant(context)
        return ['--share', folder(context) + ':/' + how, *more]
    return program('root/' + name, [BUSYBOX, 'sh', '-c', script, *
                                    wanted.pop('words', [])], given,
                   needs=[BUSYBOX], **wanted)


def check_root(context, _):
    path = folder(context)
    expect('the new file', read(context, 'new') == b'fresh\n')
    expect('the new folder', os.path.isdir(os.path.join(path, 'folder')))
    expect('the link', os.readlink(os.path.join(path, 'link')) == '/new')
    expect('the old file', not os.path.exists(os.path.join(path, 'old')))


def roots():
    yield root('it is', ROOT, words=['two\nlines', '"'], status=9,
               check=check_root,
               has=[r'^share0 / 9p rw,', r'^two\nlines "$', r'^fresh$',
                    r'/proc/1/exe -> /bin/busybox$', r'^/dev/null$',
                    r'/\.remora: No such file'])
    yield root('read-only', 'echo x >/new || cat /proc/mounts', how=',ro',
               plant=plant_read_only,
               has=['new: Read-only', r'^share0 / 9p ro,'])
    yield root('not there', 'echo hi', more=['--append', 'root=absent'],
               status=123, says=[r'cannot mount absent: error 2'])
    yield root('no program', '', more=['--append', 'init=/bin/none'],
               status=127)
    yield root('and --rootfs', '', more=['--rootfs', '/'], status=125,
               says=['is the whole root'])


def cases(_):
    yield from roots()
    for machine in ('microvm', 'q35', 'pc'):
        yield shell('ls/' + machine, 'ls -l /mnt; mount', both_ways,
                    options=['--machine', machine],
                    has=[r' 1234567 .* in\b', r'share0 on /mnt type 9p'])
        yield shell('both ways/' + machine, BOTH_WAYS, both_ways,
                    options=['--machine', machine], check=check_both_ways)
    for name in ('legacy', 'modern', 'packed'):
        yield transport(name, 'q35')
    for name in ('mmio legacy', 'mmio packed'):
        yield transport(name, 'microvm')
    for libc in ('glibc', 'musl'):
        yield program('files/' + libc,
                      ['guest:%s/share_files' % libc, '/mnt'], files,
                      lacks=[r'^not ok'], check=check_mapped)
    yield shell('odd names', 'cd /mnt; for f in * .h* ...; do n="Y$f"; n="'
                '${n:0:255}"; mv -- "$f" "$n"; test -s "$n"; done',
                plant_names, check=check_names)
    yield shell('10,000 files', 'ls /mnt | wc -l; rm -r /mnt/f*; ls -A /mnt',
                plant_many, limit=120, stdout=b'10000\n')
    yield shell('100 MB', 'sha256sum /mnt/big; cp /mnt/big /mnt/copy; sync',
                plant_big, limit=120, check=check_big)
    yield shell('sparse', 'dd if=/mnt/sparse bs=1M skip=3072 2>/dev/null; '
                'dd if=/mnt/sparse bs=1M skip=2000 count=1 2>/dev/null | '
                'tr -d "\\0" | wc -c', plant_sparse, stdout=b'there0\n')
    yield shell('a program of the share', 'cp /bin/busybox /mnt/busybox; '
                '/mnt/busybox echo ran', stdout=b'ran\n')
    yield shell('loose', 'umount /mnt; mount -t 9p -o trans=virtio,version='
                '9p2000.L,cache=loose,msize=65536 share0 /mnt; ' + BOTH_WAYS +
                '; echo more >>/mnt/out; tail -c 5 /mnt/out; truncate -s '
                '1234567 /mnt/out; umount /mnt',
                both_ways, check=check_both_ways, has=[r'^more'])
    yield shell('removal', REMOVAL, plant_sparse, lacks=['read all'],
                options=['--machine', 'q35'],
                has=['ls: /mnt: No such device', 'sparse.: No such device',
                     'share0 on /mnt failed: No such file', r'^sparse$'])
    yield shell('read-only', 'cat /mnt/in >/dev/null; echo x >/mnt/new || '
                'rm /mnt/in || mkdir /mnt/d || echo refused', both_ways,
                how=',ro', has=['new: Read-only', "in': Read-only",
                                "d': Read-only", 'refused'])
    yield shell('full', 'cp /bin/busybox /mnt/a; cp /bin/busybox /mnt/b; '
                'echo fits', full, status=None, check=no_longer_full)
    yield shell('one at a time', 'mount -t 9p share0 /tmp || mount -t 9p '
                'other /tmp || mount -t 9p -o cache=x share0 /tmp || echo no',
                has=['busy', 'No such', 'Invalid', 'no$'])
    yield shell('refused by the host', 'cat /mnt/in || mkdir /mnt/sub/d || '
                'echo x >/mnt/in || echo no', not_ours,
                has=['in: Permission denied', "d': Permission denied",
                     "create /mnt/in: Permission", 'no$'], stranger=True)
    yield shell('not there', 'echo hi', status=123,
                options=['--append', 'remora.mount=nothing:/x'],
                says=[r'cannot mount nothing:/x: error 2'])
