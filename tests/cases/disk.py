# SPDX-License-Identifier: ISC
"""disk.py - disks: what a machine writes is on the host, and the other way."""
import os
import subprocess

from suite.case import Failure, Outcome
from suite.machine import program

BUSYBOX = '/bin/busybox'
MIB = 1 << 20
KINDS = ('mmio', 'legacy')


def pattern(size, salt=0):
    block = bytes((i * 7 + i // 251 + salt) % 256 for i in range(65521))
    return (block * (size // len(block) + 1))[:size]


def disk(context, size=4 * MIB, salt=0, name='disk'):
    return context.write(name, pattern(size, salt))


def shell(name, script, options, **wanted):
    return program(name, [BUSYBOX, 'sh', '-c', script], options,
                   needs=[BUSYBOX], **wanted)


def one(kind, size=4 * MIB, more=''):
    return lambda context: ['--disk', '%s%s,transport=%s' % (
        disk(context, size), more, kind)]


def holds(offset, data, name='disk'):
    """The host's file has these bytes there, and the pattern elsewhere."""
    def check(context, _):
        with open(context.path(name), 'rb') as f:
            got = f.read()
        want = bytearray(pattern(len(got)))
        want[offset:offset + len(data)] = data
        for i in range(0, len(got), 512):
            if got[i:i + 512] != want[i:i + 512]:
                raise Failure('sector %d is wrong on the host' % (i // 512))
    return check


def transfers(kind):
    size = 4 * MIB
    yield shell('read/' + kind, 'cat /dev/vda', one(kind),
                stdout=pattern(size))
    yield shell('read past the cache/' + kind,
                'dd if=/dev/vda bs=256k iflag=direct status=none', one(kind),
                stdout=pattern(size))
    for how, word in (('', ''), (' past the cache', ' oflag=direct'),
                      (' at once', ' conv=fsync')):
        yield shell('write%s/%s' % (how, kind),
                    'dd if=/dev/vda of=/x bs=128k count=9 skip=3 2>/dev/null;'
                    'dd if=/x of=/dev/vda bs=64k seek=40%s 2>/dev/null' % word,
                    one(kind), stdout=b'', check=holds(
                        40 << 16, pattern(size)[3 << 17:12 << 17]))
    yield shell('odd pieces/' + kind,
                'printf hello | dd of=/dev/vda bs=1 seek=1000001 2>/dev/null',
                one(kind), check=holds(1000001, b'hello'))
    yield shell('left open/' + kind,
                'exec 5<>/dev/vda; echo late >&5', one(kind),
                check=holds(0, b'late\n'))
    yield shell('written by itself/' + kind,
                'exec 5<>/dev/vda; echo soon >&5; until grep "vda 2 0 9 " '
                '/proc/diskstats | grep " 1 0 8 "; do sleep 0.2; done', one(kind),
                has=[r'vda 2 0 9 \d+ 1 0 8 '])
    yield shell('read-only/' + kind,
                'dd of=/dev/vda if=/dev/zero count=1; cmp -n 512 /dev/vda '
                '/dev/zero; blockdev --getro /dev/vda; md5sum </dev/vda',
                one(kind, more=',ro'), has=[r'Permission denied', r'^1$'],
                lacks=[r'records out'], check=holds(0, b''))
    yield program('calls/' + kind, ['guest:glibc/disk', '/dev/vda'],
                  one(kind, 16 * MIB), lacks=[r'^not ok'],
                  has=[r'^# \d+ passed, 0 failed$'])
    yield program('aio/' + kind, ['guest:glibc/sys_aio', '/dev/vda'],
                  one(kind), lacks=[r'^not ok'],
                  has=[r'^# \d+ passed, 0 failed$'])
    yield shell('no whole sectors/' + kind,
                'blockdev --getsize64 /dev/vda; md5sum /dev/vda',
                one(kind, 70001), has=[r'^(69632|70144)$', r'/dev/vda'])


def larger_than_memory():
    """48 MiB through 12 MiB of memory, each way."""
    script = ('dd if=/dev/zero of=/dev/vda bs=1M count=40 2>/dev/null && '
              'printf end | dd of=/dev/vda bs=1M seek=41 2>/dev/null && '
              'md5sum </dev/vda && dd if=/dev/vda bs=1M iflag=direct '
              '2>/dev/null | md5sum')

    def same_twice(context, outcome):
        sums = outcome.stdout.split()
        if len(sums) != 4 or sums[0] != sums[2]:
            raise Failure('cache and disk differ')
        with open(context.path('disk'), 'rb') as f:
            if f.read(40 * MIB) != bytes(40 * MIB):
                raise Failure('the host lacks what was written')
    return shell('larger than memory', script, lambda context: [
        '--memory', '12M', *one('mmio', 48 * MIB)(context)],
        check=same_twice)


def many(context):
    options = []
    for i in range(8):
        options += ['--disk', disk(context, (i + 1) << 16, i, 'd%d' % i)]
    return options


def cut_while_it_runs(context, argv):
    """The file is made short under the machine: an error, no standstill."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               bufsize=0)  # nothing stays behind readline()
    line = process.stdout.readline()
    os.truncate(context.path('disk'), 65536)
    out, err = process.communicate(timeout=50)
    return Outcome(process.returncode, line + out, err, 0)


def nonsense(words):
    return program('place/' + words, [BUSYBOX, 'echo', 'alive'],
                   ['--verbose', '--append', 'virtio_mmio.device=' + words],
                   has=[r'makes no sense, ignored', r'^alive'], needs=[BUSYBOX])


def cases(_):
    for kind in KINDS:
        yield from transfers(kind)
    yield larger_than_memory()
    yield shell('eight', 'cat /proc/partitions; ls -l /dev/vd*; cat /dev/vdh',
                many, has=[r'254 +112 +512 vdh', r'254, +16 .* /dev/vdb'])
    yield shell('none', 'ls /dev/vda; cat /proc/diskstats', [],
                says=(), has=[r'No such file'], lacks=[r'vda 0'])
    yield program('file cut short', lambda _: [
        BUSYBOX, 'sh', '-c', 'echo ready; sleep 1; cat /dev/vda | wc -c; '
        'dd if=/dev/zero of=/dev/vda bs=64k count=4 2>&1; echo end'],
        one('mmio'), act=cut_while_it_runs, has=[r'^ready', r'^end$'],
        needs=[BUSYBOX])
    yield program('empty slot', [BUSYBOX, 'echo', 'alive'],
                  ['--verbose', '--append',
                   'virtio_mmio.device=512@0xfeb00000:5'],
                  has=[r'^alive'], lacks=[r'virtio', r'vtblk'],
                  needs=[BUSYBOX])
    yield program('nothing there', [BUSYBOX, 'echo', 'alive'],
                  ['--verbose', '--append',
                   'virtio_mmio.device=4K@0xd0000000:5'],
                  has=[r'at 0xd0000000 is no device', r'^alive'],
                  needs=[BUSYBOX])
    for words in ('x', '512', '512@0x100000:5', '16@0xfeb00000:5',
                  '512@0xfeb00001:5', '512@0xfeb00000', 'K@:',
                  '512@0xffffffffffffffff:5'):
        yield nonsense(words)
