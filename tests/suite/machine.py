# SPDX-License-Identifier: ISC
"""machine.py - ways to boot something, for the cases.

program()       a case that runs a program by `remora run`
raw_case()      a case that boots a kernel and an archive by QEMU itself
qemu()          the command line for that
"""
import os
import re

from . import case as suite

MACHINES = ('microvm', 'q35', 'pc')
MACHINE_VALUE = {
    'microvm': 'microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=off,'
               'auto-kernel-cmdline=off',
    'microvm-pcie': 'microvm,acpi=on,pcie=on,rtc=on,isa-serial=off,'
                    'auto-kernel-cmdline=off',
    'q35': 'q35',
    'pc': 'pc',
}
TEST_ARGS = 'console=ttyS0 remora.control=0x2f8,3 remora.exit=0x501'


def guest_path(context, word):
    """The file for a word like 'guest:glibc/hello'; others stay."""
    if not word.startswith('guest:'):
        return word
    shape, _, file = word[6:].partition('/')
    path = context.guest(file, shape)
    if not os.path.exists(path):
        raise suite.Skip('%s/%s was not built: its C library is not installed'
                         % (shape, file))
    return path


def run_command(context, words, options=(), limit=40, accel='tcg'):
    options = list(options)
    if '--accel' not in options:
        options = ['--accel', accel] + options
    if '--timeout' not in options:
        options = ['--timeout', str(limit * suite.PATIENCE)] + options
    words = [guest_path(context, word) for word in words]
    return [context.remora, 'run', *options, '--', *words]


def program(name, argv, options=(), limit=40, accel='tcg', **wanted):
    """A case: `remora run OPTIONS -- ARGV`.

    argv and options may be functions of the Context; the time limit is the
    command's own, so that it also ends the machine.
    """
    def command(context):
        return run_command(context,
                           argv(context) if callable(argv) else argv,
                           options(context) if callable(options) else options,
                           limit, accel)
    return suite.Case(name, command, timeout=limit + 10, **wanted)


def qemu(kernel, initrd, append, memory='64M', machine='microvm', accel='tcg',
         control=None, cpu='max', extra=()):
    """QEMU's command line: console on standard output, control in a file."""
    argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config',
            '-no-reboot', '-display', 'none',
            '-machine', MACHINE_VALUE[machine], '-accel', accel, '-cpu', cpu,
            '-m', memory, '-chardev', 'stdio,id=console,signal=off',
            '-device', 'isa-serial,iobase=0x3f8,irq=4,chardev=console',
            '-device', 'isa-debug-exit,iobase=0x501,iosize=2',
            '-kernel', kernel]
    if control:
        argv += ['-chardev', 'file,id=control,path=' + control, '-device',
                 'isa-serial,iobase=0x2f8,irq=3,chardev=control']
    if initrd:
        argv += ['-initrd', initrd]
    if append:
        argv += ['-append', append]
    return argv + list(extra)


def told(context):
    """What came over the control channel, but for the word that it is open."""
    try:
        with open(context.path('control'), 'rb') as f:
            return f.read().decode(errors='replace').removeprefix('ready\n')
    except FileNotFoundError:
        return ''


def ends_with(*lines):
    """A check: the control channel said exactly these lines."""
    wanted = ''.join(line + '\n' for line in lines)

    def check(context, _):
        got = told(context)
        if got != wanted:
            raise suite.Failure('the control channel said %r, wanted %r'
                                % (got, wanted))
    return check


def ends_like(pattern):
    """A check: what the control channel said matches."""
    def check(context, _):
        got = told(context)
        if not re.fullmatch(pattern, got):
            raise suite.Failure('the control channel said %r, wanted %r'
                                % (got, pattern))
    return check


def raw_case(name, members, append='', told='exit 0', limit=30,
             machine='microvm', memory='64M', kernel_args=TEST_ARGS,
             **wanted):
    """A case: QEMU boots remora.elf with an archive, given as bytes or as a
    function of the Context; `told` is what the control channel must say,
    None for anything (then QEMU's own status is not looked at either)."""
    def command(context):
        data = members(context) if callable(members) else members
        initrd = None if data is None else context.write('initrd', data)
        return qemu(context.kernel, initrd,
                    ('%s %s' % (kernel_args, append)).strip(), memory,
                    machine, control=context.path('control'))
    if told is not None and 'check' not in wanted:
        wanted['check'] = ends_with(told)
    wanted.setdefault('status', None)
    return suite.Case(name, command, timeout=limit, **wanted)


def need_kvm(context, barely=False):
    """Skips unless KVM really runs a machine here.

    barely: it is enough that the machine starts; what a kernel needs beyond,
    which some nested KVMs lack, is not.
    """
    tools = os.path.join(context.build, 'loader')
    probe = suite.execute([os.path.join(tools, 'kvm_firecracker'), '--kernel',
                           os.path.join(tools, 'probe.elf')])
    why = probe.stderr.decode(errors='replace').strip()
    if b'rsi 0x7000' not in probe.stdout:
        raise suite.Skip('KVM runs no machine here: ' + why)
    if b'usable' not in probe.stdout and not barely:
        raise suite.Skip('this KVM cannot run a kernel that uses SMAP: ' + why)
