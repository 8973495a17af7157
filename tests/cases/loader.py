# SPDX-License-Identifier: ISC
"""loader.py - Firecracker's entry state: made by our loader and by KVM.

First the probe, a kernel that only tells how it was started, shows that both
make the same, right state; then the real kernel has to start in it, with
true and untrue memory maps, with and without an initial file system.
"""
import os

from suite import archive
from suite.case import Case, Failure, execute
from suite.machine import TEST_ARGS, ends_with, need_kvm, qemu

MIB = 1 << 20
INITRD = bytes(i * 7 % 251 for i in range(5000))


def sum_of(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xffffffffffffffff
    return total


def probe_text(layout, cmdline, sentinel):
    """What the probe must say; numbers as in Firecracker's sources."""
    new = layout == 'new'
    ranges = [(0, 0x9fc00, 1)]
    if new:
        ranges += [(0x9fc00, 0x40400, 2), (0xeec00000, 0x10000000, 2)]
    ranges.append((MIB, 127 * MIB, 1))
    at = (128 * MIB - len(INITRD)) // 4096 * 4096
    lines = [
        ('rsi', 0x7000), ('rsp', 0x8ff0), ('rbp', 0x8ff0),
        ('other registers', 0), ('rflags', 2), ('cr0', 0xe0000011),
        ('cr3', 0x9000), ('cr4', 0x20), ('efer', 0x500), ('cs', 8),
        ('ds', 0x10), ('es', 0x10), ('ss', 0x10), ('fs', 0x10), ('gs', 0x10),
        ('tr', 0x18), ('gdt', 0x500), ('gdt limit', 31), ('gdt entry', 0),
        ('gdt entry', 0xaf9b000000ffff), ('gdt entry', 0xcf93000000ffff),
        ('gdt entry', 0x8f8b000000ffff), ('idt', 0x520), ('idt limit', 7),
        ('pml4', 0xa003), ('pdpt', 0xb003), ('wrong in pd', 0),
        ('mptable', 0x5f504d5f), ('acpi', 0x20445352 if new else None),
        ('magic', 0x53726448), ('loader', 0xff),
        ('sentinel', 0xff if sentinel else 0), ('rsdp', 0xe0000 * new)]
    text = ['%s 0x%x' % line if line[1] is not None else line[0]
            for line in lines]
    text.append('cmdline ' + cmdline)
    for base, size, kind in ranges:
        text += ['map base 0x%x' % base, 'map size 0x%x' % size,
                 'map type 0x%x' % kind]
    text += ['initrd 0x%x' % at, 'initrd size 0x%x' % len(INITRD),
             'initrd sum 0x%x' % sum_of(INITRD)]
    return text


def state_options(kernel, initrd, cmdline, layout, memory, extra):
    options = ['--kernel', kernel, '--cmdline', cmdline, '--layout', layout,
               '--memory', str(memory), *extra]
    return options + (['--initrd', initrd] if initrd else [])


def by_loader(context, kernel, initrd, cmdline, layout, memory=128, extra=(),
              machine='microvm'):
    """QEMU starts the loader, which starts the kernel."""
    tools = os.path.join(context.build, 'loader')
    box = context.path('container')
    made = execute([os.path.join(tools, 'mkstate'), '--output', box,
                    *state_options(kernel, initrd, cmdline, layout, memory,
                                   extra)])
    if made.status != 0:
        raise Failure('mkstate: ' + made.stderr.decode())
    return qemu(os.path.join(tools, 'loader.elf'), box, None, '%dM' % memory,
                machine, control=context.path('control'))


def by_kvm(context, kernel, initrd, cmdline, layout, memory=128, extra=()):
    """kvm_firecracker starts the kernel; skipped where it cannot."""
    need_kvm(context, kernel != context.kernel)
    tool = os.path.join(context.build, 'loader', 'kvm_firecracker')
    return ['env', 'FC_CONTROL=' + context.path('control'), tool,
            *state_options(kernel, initrd, cmdline, layout, memory, extra)]


def probe_case(way, maker, layout, sentinel):
    cmdline = 'console=ttyS0 a=b -- "c d"'

    def command(context):
        return maker(context,
                     os.path.join(context.build, 'loader', 'probe.elf'),
                     context.write('initrd', INITRD), cmdline, layout,
                     extra=['--sentinel'] if sentinel else [])

    def check(context, outcome):
        got = [line if not line.startswith('acpi') or layout == 'new'
               else 'acpi' for line in outcome.stdout.decode().splitlines()
               if line != 'usable']
        wanted = probe_text(layout, cmdline, sentinel)
        for mine, theirs in zip(got + [None], wanted + [None]):
            if mine != theirs:
                raise Failure('the state is wrong: %r, wanted %r'
                              % (mine, theirs))
        ends_with('exit 0')(context, outcome)
    return Case('probe/%s/%s%s' % (way, layout,
                                   '/sentinel' if sentinel else ''),
                command, status=None, timeout=30, check=check)


def kernel_case(name, maker, layout, program=('exit', '7'), told='exit 7',
                has=(r'^hello, world\r?$',), with_initrd=True, append='',
                check=None, **state):
    """The kernel, a static program as /init; its status must come back."""
    def command(context):
        initrd = None
        if with_initrd:
            initrd = context.write('initrd', archive.archive(
                archive.directory('dev'), archive.device('dev/console', 5, 1),
                archive.file('init', context.guest('hello', 'glibc'))))
        cmdline = '%s %s -- %s' % (TEST_ARGS, append, ' '.join(program))
        return maker(context, context.kernel, initrd, cmdline, layout,
                     **state)
    return Case(name, command, status=None, has=has, timeout=40,
                check=check or ends_with(told))


def ranges(*rows):
    return ['--map', ','.join('%#x:%#x:%d' % row for row in rows)]


LOW = (0, 0x9fc00, 1)
HIGH = (MIB, 127 * MIB, 1)
# Name, --map and other options; in each of them 127 MiB are there indeed.
LIES = [
    ('unsorted', ranges(HIGH, LOW)),
    ('overlapping RAM', ranges(LOW, HIGH, (64 * MIB, 64 * MIB, 1))),
    ('RAM told twice', ranges(LOW, HIGH, HIGH, LOW)),
    ('a hole reserved inside RAM',
     ranges(LOW, HIGH, (96 * MIB, 4 * MIB, 2))),
    ('empty ranges', ranges((0, 0, 1), LOW, (5 * MIB, 0, 1), HIGH,
                            (MIB, 0, 2))),
    ('a range that wraps', ranges(LOW, HIGH,
                                  (0xfffffffffffff000, 0x2000, 1))),
    ('unknown types', ranges(LOW, HIGH, (200 * MIB, MIB, 77),
                             (300 * MIB, MIB, 0))),
    ('odd addresses', ranges((0x123, 0x9f000, 1),
                               (MIB + 0x123, 127 * MIB - 0x123, 1))),
    ('RAM in 127 pieces', ranges(LOW, *[(MIB + i * MIB, MIB, 1)
                                        for i in range(127)])),
    ('claims 255 entries', [*ranges(LOW, HIGH), '--map-claims', '255']),
    ('no low RAM', ranges(HIGH)),
]

def cases(_):
    for layout in ('new', '2019'):
        for way, maker in (('qemu', by_loader), ('kvm', by_kvm)):
            for sentinel in (False, True):
                yield probe_case(way, maker, layout, sentinel)
    for layout in ('new', '2019', 'pvh'):
        yield kernel_case('qemu/%s' % layout, by_loader, layout)
        yield kernel_case('kvm/%s' % layout, by_kvm, layout)
        yield kernel_case('qemu/%s/no initrd' % layout, by_loader, layout,
                          with_initrd=False, has=(r'init',),
                          told='exit 127')
        yield kernel_case('qemu/%s/4 GiB' % layout, by_loader, layout,
                          memory=4096)
    for layout in ('new', '2019'):
        yield kernel_case('qemu/%s/sentinel' % layout, by_loader, layout,
                          extra=['--sentinel'])
    yield kernel_case('qemu/new/no MP table', by_loader, 'new',
                      extra=['--no-mptable'])
    yield kernel_case('qemu/new/32 MP processors', by_loader, 'new',
                      extra=['--cpus', '32'])
    for name, options in LIES:
        for layout in ('new', 'pvh'):
            # Behind PVH's map stands what the firmware left there.
            if layout == 'new' or name != 'claims 255 entries':
                yield kernel_case('map/%s/%s' % (layout, name), by_loader,
                                  layout, extra=options)
