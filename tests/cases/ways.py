# SPDX-License-Identifier: ISC
"""ways.py - every way to a virtio disk: boards with and without ACPI, both
transports in each of their versions, both formats of rings, several queues, 1
to 8 processors.  Many transfers at once, checked by the program that made
them, and a copy, checked on the host."""
from cases.disk import holds, pattern
from cases.pci import BUSYBOX, LISTEN, SIZE, Session, disk, raw, wants
from suite.archive import archive, directory, entry, file
from suite.case import Case, Failure, Outcome
from suite.machine import TEST_ARGS, ends_with, guest_path, qemu
from suite.monitor import Monitor

SCRIPT = '''#!/bin/sh
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
/bin/aio /dev/vda | /bin/busybox grep -v ^ok
/bin/busybox dd if=/dev/vda of=/dev/vda bs=128k count=9 skip=3 seek=20 \\
    iflag=direct oflag=direct conv=notrunc 2>/dev/null
/bin/busybox poweroff -f
'''
PCI = 'virtio-blk-pci'
MMIO = 'virtio-blk-device'
QUEUES = 'num-queues=4'
LEGACY = ['-global', 'virtio-mmio.force-legacy=on']
MODERN = ['-global', 'virtio-mmio.force-legacy=off']
NO_ACPI = ['-machine', 'acpi=off']
PLACE = ' virtio_mmio.device=512@0xfeb00000:5'

# Name, board, processors, device, its properties, more options.
WAYS = (
    ('modern, 4 queues', 'pc', 2, PCI, 'disable-legacy=on,' + QUEUES, []),
    ('modern, 4 queues', 'q35', 8, PCI, 'disable-legacy=on,' + QUEUES, []),
    ('legacy, 4 queues', 'pc', 8, PCI, 'disable-modern=on,' + QUEUES, []),
    ('default, no ACPI', 'pc', 2, PCI, '', NO_ACPI),
    ('default, no ACPI', 'q35', 2, PCI, QUEUES, NO_ACPI),
    ('packed', 'pc', 1, PCI, 'packed=on', []),
    ('packed, 4 queues', 'q35', 8, PCI, 'packed=on,' + QUEUES, []),
    ('packed, line', 'pc', 2, PCI, 'packed=on,vectors=0', []),
    ('iommu_platform', 'q35', 2, PCI,
     'iommu_platform=on,disable-legacy=on,' + QUEUES, []),
    ('without ioeventfd', 'pc', 2, PCI, 'ioeventfd=off,' + QUEUES, []),
    ('no event index, no tables', 'q35', 2, PCI,
     'event_idx=off,indirect_desc=off,' + QUEUES, []),
    ('default', 'microvm-pcie', 2, PCI, QUEUES, []),
    ('mmio', 'microvm', 2, MMIO, QUEUES, MODERN),
    ('mmio', 'microvm', 8, MMIO, QUEUES, MODERN),
    ('mmio legacy', 'microvm', 2, MMIO, QUEUES, LEGACY),
    ('mmio legacy', 'microvm', 8, MMIO, '', LEGACY),
    ('mmio packed', 'microvm', 2, MMIO, 'packed=on,' + QUEUES, MODERN),
    ('mmio, no event index', 'microvm', 1, MMIO, 'event_idx=off', MODERN),
)


def command(context, machine, cpus, device, properties, extra):
    disk(context, SIZE)
    aio = guest_path(context, 'guest:glibc/sys_aio')
    initrd = context.write('initrd', archive(
        directory('bin'), directory('dev'), directory('proc'),
        directory('tmp'), file('bin/busybox', BUSYBOX),
        file('bin/sh', BUSYBOX), file('bin/aio', aio),
        entry('init', SCRIPT.encode())))
    place = ',bus=virtio-mmio-bus.0' if device == MMIO else ''
    return qemu(context.kernel, initrd, TEST_ARGS + ' PATH=/bin rdinit=/init' +
                (PLACE if device == MMIO else ''), '96M', machine,
                control=context.path('control'),
                extra=['-smp', str(cpus), *extra, '-drive',
                       'if=none,id=d0,format=raw,file=' + context.path('disk'),
                       '-device', '%s,drive=d0%s%s' % (
                           device, place,
                           ',' + properties if properties else '')])


def check(context, outcome):
    ends_with('poweroff')(context, outcome)
    with open(context.path('disk'), 'rb') as f:
        f.seek(20 << 17)
        if f.read(9 << 17) != pattern(SIZE)[3 << 17:12 << 17]:
            raise Failure('the copy is wrong on the host')
        if f.read(4096) != pattern(SIZE)[29 << 17:(29 << 17) + 4096]:
            raise Failure('more was written than was copied')


SERIAL = '''#!/bin/sh
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
/bin/busybox mount -t sysfs sys /sys 2>/dev/null
echo "serial $(/bin/busybox cat /sys/block/vda/serial)"
/bin/busybox find /dev/disk -type l
/bin/busybox blkdiscard -o 1048576 -l 1048576 /dev/vda
/bin/busybox poweroff -f
'''


def discards(context):
    """A disk with a serial number whose file has a hole afterwards."""
    disk(context, SIZE)
    initrd = context.write('initrd', archive(
        directory('bin'), directory('dev'), directory('sys'),
        file('bin/busybox', BUSYBOX), file('bin/sh', BUSYBOX),
        entry('init', SERIAL.encode())))
    return qemu(context.kernel, initrd, TEST_ARGS + ' PATH=/bin rdinit=/init',
                '96M', 'pc', control=context.path('control'),
                extra=['-drive', 'if=none,id=d0,format=raw,discard=unmap,file='
                       + context.path('disk'), '-device',
                       PCI + ',drive=d0,serial=a b/7,addr=7'])


def unanswered(context, argv):
    """The host keeps a request: the machine goes on, tells, and waits."""
    session = Session(context, argv)
    try:
        session.until(b'READY')
        monitor = Monitor(context.path('qmp'))
        session.do('/bin/busybox ls /dev/vda') # it has been looked at by now
        command = 'human-monitor-command'
        monitor(command, **{'command-line': 'qemu-io d0 "break read_aio A"'})
        session.do('/bin/busybox dd if=/dev/vda of=/x bs=512 count=1 skip=100 '
                   'iflag=direct 2>/dev/null & :')
        session.until(b'vda: 1 requests unanswered for 1 s, waiting')
        wants('alive', session.do('echo al""ive'))
        monitor(command, **{'command-line': 'qemu-io d0 "resume A"'})
        session.until(b'vda: answers again')
        wants('512', session.do('wait; /bin/busybox wc -c /x'))
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


def stopped(context):
    disk(context, SIZE)
    return raw(context, 'pc', LISTEN, [
        '-drive', 'if=none,id=d0,format=raw,file.driver=blkdebug,'
        'file.image.driver=file,file.image.filename=' + context.path('disk'),
        '-device', PCI + ',drive=d0'], drive=False,
               append=' remora.io_warn=1')


def cases(_):
    yield Case('unanswered/pc', stopped, timeout=60, needs=[BUSYBOX],
               act=unanswered)
    yield Case('serial and discard/pc', discards, timeout=40, status=None,
               needs=[BUSYBOX], check=holds(1 << 20, bytes(1 << 20)),
               has=[r'serial a b/7', r'by-id/virtio-a_b_7',
                    r'by-path/pci-0000:00:07.0'])
    for name, machine, cpus, *how in WAYS:
        yield Case('%s/%s, %d' % (name, machine, cpus),
                   lambda c, m=machine, n=cpus, h=how: command(c, m, n, *h),
                   timeout=60, status=None, needs=[BUSYBOX],
                   has=[r'# \d+ passed, 0 failed'], lacks=[r'not ok'],
                   check=check)
