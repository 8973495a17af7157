# SPDX-License-Identifier: ISC
"""machine.py - ways to boot something, for the cases.

program()       a case that runs a program by `remora run`
raw_case()      a case that boots a kernel and an archive by QEMU itself
qemu()          the command line for that
held_port()     a port of this host that no other test can get
meeting()       an act: host and guest work together, then part
"""
import contextlib
import os
import re
import socket
import threading

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
# A shell that does what it is told, by a reader of its own each time: busybox's
# read forgets the beginning of a line when a child of the same shell ends in
# its middle.
LISTENING = 'while line=$(read -r l && echo "$l"); do eval "$line"; done'


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


@contextlib.contextmanager
def held_port():
    """A free TCP port for a machine's hostfwd.  A socket stays bound to it, so
    that nobody else is given it; QEMU, which reuses addresses, may listen."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        yield s.getsockname()[1]


def accept_from(listener, runs):
    """The connection that comes while runs() holds, or None."""
    listener.settimeout(0.2)
    while runs():
        try:
            return listener.accept()[0]
        except socket.timeout:
            pass
    return None


def meeting(work, nports=0, seconds=60):
    """An act.  The guest connects to MEET of 10.0.2.2 when it is ready, waits
    there for the end of file, and goes on; meanwhile work(ports) is done, with
    the ports that PORT0, PORT1 ... in the command have become."""
    def act(_, argv):
        with contextlib.ExitStack() as stack:
            ports = [stack.enter_context(held_port()) for _ in range(nports)]
            listener = stack.enter_context(socket.create_server(
                ('127.0.0.1', 0)))
            words = {'PORT%d' % i: port for i, port in enumerate(ports)}
            words['MEET'] = listener.getsockname()[1]
            for word, port in words.items():
                argv = [a.replace(word, str(port)) for a in argv]
            return meet(argv, listener, lambda: work(ports), seconds)
    return act


def meet(argv, listener, work, seconds):
    results = []

    def run():
        try:
            results.append(suite.execute(argv, timeout=seconds
                                         * suite.PATIENCE))
        except suite.Failure as failure:
            results.append(failure)
    thread = threading.Thread(target=run)
    thread.start()
    wrong = None
    connection = accept_from(listener, thread.is_alive)
    if connection is not None:
        with connection:
            try:
                work()
            except (suite.Failure, OSError) as error:
                wrong = error
    thread.join()
    if isinstance(results[0], suite.Failure):
        raise results[0]
    if wrong is not None:
        raise suite.Failure('%s: %s\n%s' % (type(wrong).__name__, wrong,
                                            suite.dump(results[0])))
    return results[0]


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
