# SPDX-License-Identifier: ISC
"""parts.py - partitions: found on a disk that arrives, changed by programs,
gone with their disk; what /dev, /sys and /proc say of them."""
import hashlib
import struct
import subprocess

from cases.disk import MIB, pattern
from cases.pci import LISTEN, Session, raw, wants
from suite.case import Case, Failure, Outcome
from suite.machine import program

BUSYBOX = '/bin/busybox'
SFDISK = '/usr/sbin/sfdisk'
TOOLS = ['/usr/bin/lsblk', '/usr/sbin/blkid', '/usr/sbin/fdisk', SFDISK,
         '/usr/sbin/blockdev', '/usr/bin/partx']
GPT = ('label: gpt\nfirst-lba: 34\n'
       'start=2048,size=2048,name="one of two",'
       'uuid=00000001-0002-0003-0004-000000000005\n'
       'start=4096,size=1024,name=two\n')
MBR = ('label: dos\nlabel-id: 0x1234abcd\n'
       'start=2048,size=1024,type=83\nstart=4096,size=4000,type=5\n'
       'start=4100,size=100,type=83\nstart=5000,size=200,type=82\n')


def partitioned(context, script, size=4 * MIB, name='disk'):
    """A disk whose blocks are the pattern, with a table in front."""
    path = context.write(name, pattern(size))
    with open(path, 'r+b') as f:
        for at in (0, size - 64 * 512):
            f.seek(at)
            f.write(bytes(64 * 512))
    done = subprocess.run([SFDISK, '-q', path], input=script.encode(),
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failure('sfdisk: ' + done.stderr.decode())
    return path


def damaged(context, at):
    path = partitioned(context, GPT)
    with open(path, 'r+b') as f:
        f.seek(at)
        f.write(b'oops')
    return path


def shell(name, script, make, add=(), **wanted):
    def options(context):
        out = ['--disk', make(context)]
        for path in add:
            out += ['--add', path]
        return out
    return program(name, [BUSYBOX, 'sh', '-c', script], options,
                   needs=[BUSYBOX, SFDISK, *add], **wanted)


def sectors(first, count):
    return pattern(4 * MIB)[first * 512:(first + count) * 512]


def written(context, _):
    with open(context.path('disk'), 'rb') as f:
        f.seek(4096 * 512)
        if f.read(1024 * 512) != sectors(2048, 1024):
            raise Failure('the second partition is not a copy of the first')
        if f.read(512) != sectors(5120, 1):
            raise Failure('the write went on behind the partition')


CHANGE = '''
printf 'label: dos\\nsize=2048\\nsize=1024\\n' | sfdisk -q /dev/vda
ls /dev/vda*
exec 5</dev/vda1
/usr/sbin/blockdev --rereadpt /dev/vda
partx -d --nr 1 /dev/vda; partx -d --nr 2 /dev/vda; ls /dev/vda*
exec 5<&-
partx -a /dev/vda; ls /dev/vda*
'''


# What a listener hears while partitions go and come.
HEARD = '''
uevent sh -c 'echo "$ACTION $DEVNAME $DEVTYPE $PARTN $PARTNAME" >>/heard' &
while ! partx -d --nr 2 /dev/vda || ! grep -q "remove vda2" /heard; do
    partx -a --nr 2 /dev/vda; sleep 0.1
done 2>/dev/null
: >/heard
/usr/sbin/blockdev --rereadpt /dev/vda
while ! grep -q "add vda2" /heard; do sleep 0.1; done
cat /heard
'''


def large_blocks(context):
    """Blocks of 4 KiB: the table counts in those."""
    size = 4 * MIB
    path = context.write('disk', bytes(size))
    with open(path, 'r+b') as f:
        f.seek(446)
        f.write(struct.pack('<4xB3xII', 0x83, 256, 512))
        f.seek(510)
        f.write(b'\x55\xaa')
        f.seek(256 * 4096)
        f.write(pattern(512 * 4096))
    return raw(context, 'pc', '/bin/busybox mount -t proc p /proc\n'
               '/bin/busybox cat /proc/partitions\n'
               '/bin/busybox md5sum /dev/vda1\n/bin/busybox poweroff -f\n',
               ['-device', 'virtio-blk-pci,drive=d0,logical_block_size=4096,'
                'physical_block_size=4096'], fresh=False)


def plugged(context, argv):
    """The disk goes while its partitions are open and read, and comes back."""
    session = Session(context, argv)
    place = '/sys/bus/pci/devices/0000:00:05.0'
    try:
        session.until(b'READY')
        sum_ = session.do('/bin/busybox md5sum /dev/vda2').split()[0]
        for _ in range(5):
            session.do('exec 5</dev/vda2; /bin/busybox md5sum /dev/vda1')
            session.do('echo 1 >%s/remove' % place)
            text = session.do('/bin/busybox find /dev/disk -type l; '
                              '/bin/busybox ls /sys/class/block; '
                              '/bin/busybox cat /proc/partitions')
            if 'vda' in text.replace('find /dev/disk', ''):
                raise Failure('something is left: ' + text)
            wants('rror', session.do('/bin/busybox dd bs=512 count=1 <&5'))
            session.do('exec 5<&-; echo 1 >/sys/bus/pci/rescan')
            wants(sum_, session.do('/bin/busybox md5sum /dev/vda2'))
            wants('by-partlabel/two', session.do(
                '/bin/busybox find /dev/disk -type l'))
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


def cases(_):
    gpt = lambda c: partitioned(c, GPT)
    yield shell('gpt', 'cat /proc/partitions; ls -l /dev/vda2; '
                'cat /sys/block/vda/vda2/uevent /sys/block/vda/vda2/start',
                gpt, has=[r'254 +1 +1024 vda1', r'254 +2 +512 vda2',
                          r'254, +2 .* /dev/vda2', r'^4096$', r'PARTNAME=two'])
    yield shell('found by itself', 'while ! dmesg | grep "vda: gpt, 2"; do '
                'sleep 0.1; done', gpt)
    yield shell('gpt, content', 'cat /dev/vda2', gpt,
                stdout=sectors(4096, 1024))
    yield shell('gpt, past the cache',
                'dd if=/dev/vda1 bs=64k iflag=direct status=none', gpt,
                stdout=sectors(2048, 2048))
    yield shell('written', 'dd if=/dev/vda1 of=/dev/vda2 bs=64k 2>&1; sync',
                gpt, has=[r'No space left'], status=0, check=written)
    yield shell('links', 'cd /dev/disk; for l in by-*/*; do '
                'echo "$l $(readlink "$l")"; done', gpt,
                has=[r'by-partlabel/one\\x20of\\x20two \.\./\.\./vda1',
                     r'by-partlabel/two \.\./\.\./vda2',
                     r'by-partuuid/00000001-0002-0003-0004-000000000005 '
                     r'\.\./\.\./vda1',
                     r'by-path/platform-\S*-part2 \.\./\.\./vda2'])
    for copy, at in (('header', 512 + 24), ('list', 1024 + 40)):
        yield shell('gpt, damaged ' + copy, 'md5sum /dev/vda2; dmesg',
                    lambda c, at=at: damaged(c, at),
                    has=[hashlib.md5(sectors(4096, 1024)).hexdigest(),
                         r'first copy is damaged'])
    yield shell('mbr', 'cat /proc/partitions; ls -l /dev/disk/by-partuuid',
                lambda c: partitioned(c, MBR),
                has=[r'254 +1 +512 vda1', r'254 +2 +1 vda2',
                     r'254 +5 +50 vda5', r'254 +6 +100 vda6',
                     r'1234abcd-06 -> '])
    yield shell('mbr, content', 'cat /dev/vda6',
                lambda c: partitioned(c, MBR), stdout=sectors(5000, 200))
    yield shell('changed by sfdisk', CHANGE, gpt, add=TOOLS, status=None,
                has=[r'(?s)vda1\n/dev/vda2\n.*BLKRRPART: .*busy\n.*'
                     r'deleting partition 1\n/dev/vda\n/dev/vda1\n.*'
                     r'/dev/vda\n/dev/vda1\n/dev/vda2\n$'])
    yield shell('lsblk', 'lsblk -b; lsblk -no ROTA,SCHED /dev/vda; '
                '/usr/sbin/fdisk -l /dev/vda; '
                '/usr/sbin/blkid -p /dev/vda1; /usr/sbin/blockdev --getsz /dev/vda2', gpt, add=TOOLS,
                has=[r'vda1 254:1 +0 1048576 +0 part', r'^ +0 none',
                     r'/dev/vda2 +4096 +5119 +1024 +512K',
                     r'PART_ENTRY_NAME="one of two"', r'^1024$'])
    yield shell('uevents', HEARD, gpt, add=TOOLS,
                has=[r'(?s)remove vda1 partition 1 one of two\n'
                     r'change vda disk  \n'
                     r'add vda1 partition 1 one of two\n'
                     r'add vda2 partition 2 two\n'])
    for cpus in (1, 2):
        yield program('gone while in use, %d/pc' % cpus,
                      ['guest:glibc/disk_gone', '/dev/vda2'],
                      lambda c, n=cpus: ['--machine', 'pc', '--cpus', str(n),
                                         '--disk', partitioned(c, GPT)],
                      needs=[SFDISK], lacks=[r'^not ok'],
                      has=[r'^# \d+ passed, 0 failed$'])
    yield Case('blocks of 4 KiB', large_blocks, timeout=40, status=None,
               needs=[BUSYBOX], has=[
                   r'254 +1 +2048 vda1',
                   hashlib.md5(pattern(512 * 4096)).hexdigest()])
    yield Case('plugged/pc', lambda c: (partitioned(c, GPT), raw(
        c, 'pc', LISTEN, ['-device', 'virtio-blk-pci,drive=d0,addr=5'],
        fresh=False))[1], timeout=90, needs=[BUSYBOX, SFDISK], act=plugged)
