# SPDX-License-Identifier: ISC
"""acpi.py - ACPI's byte code: what it says is used, what it does wrong is told
in one line and ends nothing but itself.

QEMU takes further tables from files, so that a test brings code of its own.
"""
from cases.board import BUSYBOX, disks, tree
from cases.hotplug import LISTEN
from cases.pci import Session
from suite import aml
from suite.case import Case, Outcome
from suite.monitor import Monitor

READY = r'acpi0 at root: ACPICA'
SHOW = '''busybox mount -t proc proc /proc
i=0
while ! busybox dmesg | busybox grep -q '\\] acpi0'; do
    busybox usleep 10000
    i=$((i + 1))
    [ $i = 2000 ] && busybox echo "ACPI did not start"
done
'''
MEMORY, PORTS = 0, 1

# What is wrong, the byte code, and what the log says of it.
WRONG = (
    ('memory of the kernel', [
        aml.region('KRAM', MEMORY, aml.number(0x200000), aml.number(16)),
        aml.field('KRAM', 'KFLD', 32),
        aml.device('BAD0', aml.named('_HID', b'\x0dTEST0001\0'),
                   aml.method('_INI', aml.store(aml.number(0), 'KFLD')))],
     r'access to \d+ bytes of memory at 0x200000 refused'),
    ('interrupt controller', [
        aml.region('KAPI', MEMORY, aml.number(0xfee00000), aml.number(16)),
        aml.field('KAPI', 'KFLD', 32),
        aml.device('BAD0', aml.named('_HID', b'\x0dTEST0001\0'),
                   aml.method('_INI', aml.store(aml.number(0), 'KFLD')))],
     r'access to \d+ bytes of memory at 0xfee00000 refused'),
    ('port of a controller', [
        aml.region('KPIC', PORTS, aml.number(0xcfc), aml.number(2)),
        aml.field('KPIC', 'KFLD', 8),
        aml.device('BAD0', aml.named('_HID', b'\x0dTEST0001\0'),
                   aml.method('_INI', aml.store(aml.number(0), 'KFLD')))],
     r'access to port 0xcfc refused'),
    ('loop', [
        aml.device('BAD0', aml.named('_HID', b'\x0dTEST0001\0'),
                   aml.method('_INI', aml.forever(
                       aml.store(aml.number(1), '\\BADX'))))],
     r'method _INI: AE_AML_LOOP_TIMEOUT'),
    ('method that calls itself', [
        aml.device('BAD0', aml.named('_HID', b'\x0dTEST0001\0'),
                   aml.method('_INI', aml.name('REC0')),
                   aml.method('REC0', aml.name('REC0')))],
     r'method REC0: AE_AML_METHOD_LIMIT'),
    ('opcode that is none', [b'\x0f\x1f\x2f\x3f' * 8], r'AE_AML_BAD_OPCODE|'
     r'acpi0'),
    ('length beyond the table', [b'\x10\x4f\xff\\ABCD' + b'\xff' * 40],
     r'acpi0'),
)


def machine(context, kind, script, tables, extra=(), append=''):
    argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config',
            '-display', 'none', '-no-reboot', '-machine', kind, '-accel',
            'tcg', '-cpu', 'max', '-m', '64M', '-serial', 'stdio', '-kernel',
            context.kernel, '-initrd', context.write('initrd', tree(script)),
            '-append', ('console=ttyS0 rdinit=/init ' + append).strip()]
    for i, data in enumerate(tables):
        argv += ['-acpitable',
                 'file=' + context.write('table%d' % i, data)]
    return argv + list(extra)


def case(name, kind, script, has, tables=(), extra=lambda c: (), append='',
         lacks=()):
    return Case(name, lambda c: machine(c, kind, script + 'busybox poweroff '
                                        '-f\n', tables, extra(c), append),
                timeout=60, needs=[BUSYBOX], has=has, lacks=lacks)


def wrong(name, code, says):
    """The machine runs, switches itself off, and still routes and listens."""
    body = aml.scope('\\_SB', *code) if code[0][0] in b'\x5b' else code[0]
    body = aml.named('\\BADX', aml.number(0)) + body
    return case('bad/' + name, 'pc', SHOW + 'busybox cat /proc/interrupts\n'
                'busybox md5sum /dev/vda\n',
                [says, r' 9: .*acpi0', r'/dev/vda', r'virtio0'],
                [aml.table(b'SSDT', body)],
                lambda c: disks(c, 'virtio-blk-pci,vectors=0'))


def button(context, argv):
    """The power button: a program that runs alone is asked to end."""
    session = Session(context, argv)
    try:
        session.until(b'READY')
        monitor = Monitor(context.path('qmp'))
        session.process.stdin.write(
            b"trap 'x=1' TERM PWR; echo WAIT''ING; while [ -z \"$x\" ]; do "
            b"/bin/busybox usleep 5000; done; echo ASKED' to end'\n")
        session.process.stdin.flush()
        session.until(b'WAITING')
        monitor('system_powerdown')
        session.until(b'power button pressed')
        session.until(b'ASKED to end')
        return Outcome(0, session.seen, b'', 0)
    finally:
        session.end()


def cases(_build):
    for kind in ('pc', 'q35', 'microvm,acpi=on'):
        short = kind.split(',')[0]
        yield case('starts/' + short, kind, SHOW, [READY])
        yield case('off/' + short, kind, 'busybox mount -t proc proc /proc\n'
                   'busybox usleep 500000\nbusybox dmesg\n',
                   [r'Remora'], append='acpi=off', lacks=[r'acpi0', r'acpi:'])
        yield Case('button/' + short, lambda c, k=kind: machine(
            c, k, LISTEN.replace('-n 1', '-n 7'), ()), timeout=60,
                   needs=[BUSYBOX], act=button)
    for row in WRONG:
        yield wrong(*row)
    look = SHOW + 'for d in /dev/vd?; do busybox md5sum $d; done\n' \
        'busybox cat /proc/interrupts\n'
    yield case('LNRO0005', 'microvm,acpi=on,auto-kernel-cmdline=off', look,
               [READY, r'/dev/vda', r'/dev/vdb', r'47: .*-fasteoi +vtblk\d',
                r'46: .*-fasteoi +vtblk\d'],
               extra=lambda c: disks(c, 'virtio-blk-device',
                                     'virtio-blk-device'))
    yield case('LNRO0005 named twice', 'microvm,acpi=on', look,
               [READY, r'/dev/vda'],
               extra=lambda c: disks(c, 'virtio-blk-device'),
               lacks=[r'/dev/vdb'])
    yield case('routed without firmware',
               'microvm,acpi=on,pcie=on,auto-kernel-cmdline=off', look,
               [READY, r'/dev/vda', r'\d\d: +[1-9]\d* .*-fasteoi +virtio0'],
               extra=lambda c: disks(c, 'virtio-blk-pci,vectors=0'))
