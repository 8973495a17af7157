# SPDX-License-Identifier: ISC
"""command.py - the `remora` command as a process: signals, what it leaves
behind, what it starts; and the kernel file itself.
"""
import os
import re
import signal
import subprocess
import time

from suite.case import (Case, Failure, Outcome, PATIENCE, deadline,
                        execute)
from suite.machine import program

BUSYBOX = '/bin/busybox'
WAITING = [BUSYBOX, 'sh', '-c', 'echo ready; exec %s sleep 100' % BUSYBOX]


def children(pid):
    """All processes below this one."""
    below = []
    for name in os.listdir('/proc'):
        try:
            with open('/proc/%s/stat' % name) as f:
                fields = f.read().rsplit(')', 1)[1].split()
        except (OSError, IndexError):
            continue
        if fields[1] == str(pid):
            below += [int(name), *children(int(name))]
    return below


def alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


def signalled(number, to_group=False):
    """Starts a machine, waits for its program, then signals the command."""
    def act(context, argv):
        began = time.monotonic()
        os.makedirs(context.path('tmp'))
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, bufsize=0,
            env=dict(os.environ, TMPDIR=context.path('tmp')))
        line = process.stdout.readline()
        below = children(process.pid)
        if to_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        try:
            out, err = process.communicate(timeout=15 * PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise Failure('still there after signal %d' % number) from None
        if line != b'ready\n':
            raise Failure('the program said %r; %s' % (line, err.decode()))
        if not below:
            raise Failure('no machine was found below the command')
        end = deadline(5)
        while any(map(alive, below)) and time.monotonic() < end:
            time.sleep(0.01)
        left = [pid for pid in below if alive(pid)]
        if left:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            raise Failure('processes were left behind')
        status = process.returncode
        return Outcome(128 - status if status < 0 else status, out, err,
                       time.monotonic() - began)
    return act


def left_nothing(context, _):
    left = os.listdir(context.path('tmp'))
    if left:
        raise Failure('left in the temporary folder: %s' % left)


def signals():
    yield program('SIGTERM ends the machine', WAITING, act=signalled(
        signal.SIGTERM), status=143, needs=[BUSYBOX], check=left_nothing)
    yield program('SIGHUP ends the machine', WAITING, act=signalled(
        signal.SIGHUP), status=129, needs=[BUSYBOX], check=left_nothing)
    yield program('SIGINT reaches the program', WAITING, act=signalled(
        signal.SIGINT), status=130, needs=[BUSYBOX], check=left_nothing)
    yield program('SIGINT to the whole group', WAITING, act=signalled(
        signal.SIGINT, True), status=130, needs=[BUSYBOX],
        check=left_nothing)
    yield program('SIGKILL leaves no machine', WAITING, act=signalled(
        signal.SIGKILL), status=137, needs=[BUSYBOX])


def in_own_tmp(context, argv):
    os.makedirs(context.path('tmp'))
    return execute(argv, env={'TMPDIR': context.path('tmp')})


def closed_output(context, argv):
    """The reader of the output goes away, as in `remora run ... | head`."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failure('goes on although nobody reads') from None
    err = process.stderr.read()
    status = process.returncode
    return Outcome(128 - status if status < 0 else status, b'', err, 0)


def rootfs(context):
    """A small root of its own."""
    root = context.path('root')
    for name in ('bin', 'etc', 'tmp'):
        os.makedirs(os.path.join(root, name))
    context.write('root/etc/motd', b'welcome\n')
    subprocess.run(['cp', BUSYBOX, os.path.join(root, 'bin/busybox')],
                   check=True)
    os.symlink('busybox', os.path.join(root, 'bin/cat'))
    return ['--rootfs', root]


def files():
    yield program('nothing is left behind', ['guest:glibc/hello'],
                  act=in_own_tmp, check=left_nothing)
    yield program('output that nobody reads', [BUSYBOX, 'yes'], limit=15,
                  act=closed_output, status=None, needs=[BUSYBOX],
                  check=lambda _, o: fail_if(o.status in (0, 124),
                                             'status %d' % o.status))
    yield program('rootfs', ['/bin/cat', '/etc/motd'], rootfs,
                  stdout=b'welcome\n', needs=[BUSYBOX])
    yield program('rootfs/found in PATH', ['cat', '/etc/motd'], rootfs,
                  stdout=b'welcome\n', needs=[BUSYBOX])
    yield program('rootfs/program is not in it', ['/bin/sed'], rootfs,
                  status=127, says=[r'/bin/sed'], needs=[BUSYBOX])
    yield program('add/elsewhere', [BUSYBOX, 'cat', '/a/b/c'],
                  lambda c: ['--add', c.write('x', b'added\n') + ':/a/b/c'],
                  stdout=b'added\n', needs=[BUSYBOX])
    yield Case('QEMU is missing', lambda c: [
        'env', 'REMORA_QEMU=/no/such/qemu', c.remora, 'run', '--accel', 'tcg',
        '--', BUSYBOX, 'true'], status=125, says=[r'/no/such/qemu'],
        needs=[BUSYBOX])


def fail_if(bad, text):
    if bad:
        raise Failure(text)


def kernel_file():
    """Sizes and shape of what is delivered."""
    # The image stays in memory for good: half of the least machine's 4 MiB is
    # left to programs even with the libraries for AML and TCP/IP in it.
    def small(context, _):
        size = os.path.getsize(os.path.join(context.build, 'remora.stripped'))
        fail_if(size >= 2 << 20, 'the stripped image has %d bytes' % size)

    def separate(_, outcome):
        for line in outcome.stdout.decode().splitlines():
            if re.match(r'\s+LOAD\s', line):
                flags = line[64:].replace('0x', '')
                fail_if('W' in flags and 'E' in flags,
                        'a segment is writable and executable: ' + line)
    yield Case('kernel/stripped size', ['true'], check=small)
    yield Case('kernel/segments', lambda c: ['readelf', '-lW', c.kernel],
               has=[r'LOAD', r'NOTE'], check=separate)
    yield Case('kernel/notes', lambda c: ['readelf', '-nW', c.kernel],
               has=[r'Xen +0x0000000[48].*0x00000012'])


def gdb_attaches(context, argv):
    """remora run --gdb: stops at the entry point; gdb finds symbols there."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        time_limit = deadline(10)
        port = next(w for w in argv if w.startswith('--gdb=')).split('=')[1]
        while not listening(int(port)):
            fail_if(time.monotonic() > time_limit or
                    process.poll() is not None, 'nobody listens for gdb')
            time.sleep(0.02)
        gdb = execute(['gdb', '-batch', '-nx', context.kernel,
                       '-ex', 'target remote 127.0.0.1:' + port,
                       '-ex', 'hbreak kernel_main', '-ex', 'continue',
                       '-ex', 'backtrace', '-ex', 'delete',
                       '-ex', 'detach'], timeout=40)
        out, err = process.communicate(timeout=30)
        return Outcome(process.returncode, gdb.stdout + out, err + gdb.stderr,
                       0)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def listening(port):
    with open('/proc/net/tcp') as f:
        return any(line.split()[1].endswith(':%04X' % port) and
                   line.split()[3] == '0A' for line in f.readlines()[1:])


def debugger():
    yield program('gdb attaches', ['guest:glibc/hello', 'exit', '8'],
                  ['--gdb=14234'], act=gdb_attaches, status=8, needs=['gdb'],
                  has=[r'kernel_main', r'^hello, world'])


def cases(_):
    for group in (signals, files, kernel_file, debugger):
        yield from group()
