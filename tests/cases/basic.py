# SPDX-License-Identifier: ISC
"""basic.py - programs start and end, and the end reaches the host."""
from suite.case import Case, Failure, execute
from suite.machine import MACHINES, guest_path, need_kvm, program

HELLO = b'hello, world\n'
SHAPES = ('glibc', 'glibc-dynamic', 'glibc-pie', 'musl', 'musl-dynamic',
          'musl-pie')
BUSYBOX = '/bin/busybox'

# die.c's ways, and what each ends with; on a host it is the same.  None: an
# emulated processor raises #GP where a real one raises #SS, so 139 or 135.
DEATHS = [
    ('read_null', 139), ('write_null', 139), ('jump_null', 139),
    ('read_none', 139), ('write_readonly', 139), ('write_text', 139),
    ('read_kernel', 139), ('write_kernel', 139), ('jump_kernel', 139),
    ('read_wild', 139), ('jump_wild', 139), ('jump_data', 139),
    ('jump_top', 139), ('syscall_top', 139), ('stack_overflow', 139),
    ('bad_stack', 139), ('wild_stack', None), ('divide', 136),
    ('undefined', 132), ('breakpoint', 133), ('halt', 139),
    ('no_interrupts', 139), ('port', 139), ('read_msr', 139),
    ('interrupt', 139), ('write_cr3', 139), ('misaligned', 139),
    ('no_signal_stack', 139), ('fault_in_handler', 139),
    ('bad_sigreturn', 139), ('aborted', 134), ('terminated', 143),
    ('killed', 137), ('piped', 141), ('alarmed', 142),
]
LOGGED = {139: r'segfault at|general protection|bad frame|no stack for', 136: r'divide error',
          132: r'invalid opcode', None: r'stack segment|general protection'}
NEVER = (r'panic', r'assert')


def starts():
    for shape in SHAPES:
        yield program('hello/' + shape, ['guest:%s/hello' % shape],
                      stdout=HELLO)
    for machine in MACHINES:
        options = ['--machine', machine]
        for status in (0, 7, 255):
            yield program('exit %d/%s' % (status, machine),
                          ['guest:glibc/hello', 'exit', str(status)], options,
                          stdout=HELLO + b'exit %d\n' % status, status=status)
        yield program('signal/' + machine, ['guest:glibc/die', 'read_null'],
                      options, status=139)
        yield program('busybox/' + machine, [BUSYBOX, 'echo', 'hello'],
                      options, stdout=b'hello\n')
        yield program('busybox sh/' + machine,
                      [BUSYBOX, 'sh', '-c', 'exit 7'], options, status=7)
        yield program('dynamic/' + machine, ['guest:glibc-dynamic/hello'],
                      options, stdout=HELLO)
    yield program('memory/4 GiB', ['guest:glibc/hello'],
                  ['--memory', '4G'], stdout=HELLO)
    yield program('memory/3 GiB, q35', ['guest:glibc/hello'],
                  ['--memory', '3G', '--machine', 'q35'], stdout=HELLO)
    yield program('memory/6 GiB, pc', ['guest:glibc/hello'],
                  ['--memory', '6G', '--machine', 'pc'], stdout=HELLO)
    yield program('more processors than are used', ['guest:glibc/hello'],
                  ['--cpus', '4'], stdout=HELLO)


def deaths():
    for way, status in DEATHS:
        def same(context, _, way=way, status=status):
            host = execute(['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh',
                            context.guest('die'), way])
            if status is not None and host.status != status:
                raise Failure('on this host the status is %d' % host.status)
        yield program('die/' + way, ['guest:glibc/die', way], ['--verbose'],
                      status=status, lacks=NEVER, silent=NEVER, check=same,
                      has=[LOGGED[status]] if status in LOGGED else [])
    for way in ('read_null', 'stack_overflow', 'aborted', 'divide'):
        status = dict(DEATHS)[way]
        yield program('die/musl/' + way, ['guest:musl/die', way],
                      status=status, stdout=b'')


def given():
    """Arguments, environment, standard input."""
    awkward = ['a b', '', '-x', '--', 'x=y', '"q"', "it's", '$HOME', 'tab\tx',
               'new\nline', '\\', 'é', '=', 'quiet', 'panic=1', 'é' * 300]
    yield program('arguments', [BUSYBOX, 'printf', '[%s]\n', *awkward],
                  host=[BUSYBOX, 'printf', '[%s]\n', *awkward])
    many = ['argument-%d' % i for i in range(1000)]
    yield program('arguments/1000', ['guest:glibc/hello', *many],
                  stdout=HELLO + ' '.join(many).encode() + b'\n')
    yield program('environment', [BUSYBOX, 'env'],
                  ['--env', 'NAME=value', '--env', 'EMPTY=', '--env',
                   'SPACES=a b  c', '--env', 'quoted="x"',
                   '--env', 'lower=1', '--env', 'EQ=a=b'],
                  has=[r'^NAME=value$', r'^EMPTY=$', r'^SPACES=a b  c$',
                       r'^quoted="x"$', r'^lower=1$', r'^EQ=a=b$'])
    text = bytes(range(256)) * 400 + b'no newline at the end'
    yield program('input/binary', [BUSYBOX, 'cat'], stdin=text, stdout=text)
    yield program('input/empty', [BUSYBOX, 'cat'], stdin=b'', stdout=b'')
    yield program('input/none', [BUSYBOX, 'wc', '-c'], stdout=b'0\n')
    yield program('input/not read', [BUSYBOX, 'true'], stdin=text * 10,
                  stdout=b'')
    yield program('input/1 MiB', [BUSYBOX, 'sha256sum'],
                  stdin=bytes(range(251)) * 4178, limit=90,
                  host=[BUSYBOX, 'sha256sum'])
    yield program('output/1 MiB', [BUSYBOX, 'seq', '1', '150000'], limit=90,
                  host=[BUSYBOX, 'seq', '1', '150000'])
    yield program('errors and output',
                  [BUSYBOX, 'sh', '-c', 'echo out; echo err >&2'],
                  has=[r'^out$'])


def ends():
    for machine in MACHINES:
        options = ['--machine', machine]
        for way, status in (('poweroff', 0), ('halt', 0), ('restart', 122),
                            ('restart2', 122)):
            yield program('reboot/%s/%s' % (way, machine),
                          ['guest:glibc/ends', way], options, status=status)
        yield program('panic/' + machine, ['guest:glibc/hello'],
                      [*options, '--append', 'remora.test=panic'], status=123,
                      check=panic_is_told)
    yield program('reboot/refusals', ['guest:glibc/ends', 'refusals'],
                  lacks=[r'^not ok'], has=[r'^# \d+ passed, 0 failed'])
    yield program('time is up', [BUSYBOX, 'sleep', '1000'],
                  ['--timeout', '2'], status=124)
    yield program('time is up/busy', [BUSYBOX, 'sh', '-c',
                                      'while :; do :; done'],
                  ['--timeout', '2'], status=124)


def panic_is_told(_, outcome):
    """Cause, registers, and a backtrace with names of functions."""
    text = (outcome.stdout + outcome.stderr).decode(errors='replace')
    for wanted in ('panic', 'rip', 'rsp', 'thread_main'):
        if wanted not in text.lower():
            raise Failure('the panic does not tell %r' % wanted)


def elf(machine=62, klass=2, data=1, kind=2):
    """The start of an ELF file: a header and one empty segment."""
    head = b'\x7fELF' + bytes([klass, data, 1]) + bytes(9)
    head += kind.to_bytes(2, 'little') + machine.to_bytes(2, 'little')
    head += (1).to_bytes(4, 'little') + (0x400078).to_bytes(8, 'little')
    head += (64).to_bytes(8, 'little') + bytes(8) + bytes(4)
    head += b''.join(n.to_bytes(2, 'little') for n in (64, 56, 1, 64, 0, 0))
    load = (1).to_bytes(4, 'little') + (5).to_bytes(4, 'little') + bytes(8)
    load += (0x400000).to_bytes(8, 'little') * 2
    load += (4096).to_bytes(8, 'little') * 2 + (4096).to_bytes(8, 'little')
    return head + load + bytes(4096)


def bad_programs():
    """What is wrong with a program is told before a machine is started."""
    def made(data):
        return lambda context: [context.write('program', data, 0o755)]

    def cut(size):
        def command(context):
            with open(guest_path(context, 'guest:glibc-dynamic/hello'),
                      'rb') as f:
                return [context.write('program', f.read(size), 0o755)]
        return command

    def patched(old, new):
        def command(context):
            with open(guest_path(context, 'guest:glibc-dynamic/hello'),
                      'rb') as f:
                data = f.read()
            if old not in data:
                raise Failure('%r is not in the program' % old)
            return [context.write('program', data.replace(old, new), 0o755)]
        return command

    rows = [
        ('missing', ['/no/such/program'], 127, 'no/such/program'),
        ('missing, in PATH', ['no-such-program-here'], 127,
         'no-such-program-here'),
        ('empty', made(b''), 126, 'program'),
        ('text', made(b'this is not a program\n'), 126, 'ELF'),
        ('a folder', ['/etc'], 126, '/etc'),
        ('four bytes', made(b'\x7fELF'), 126, 'trunc|short|cut'),
        ('only the header', made(elf()[:64]), 126, 'trunc|short|cut'),
        ('cut within a segment', cut(9000), 126, 'trunc|short|cut'),
        ('32 bits', made(elf(machine=3, klass=1)), 126, '32'),
        ('32 bits of x86-64', made(elf(klass=1)), 126, '32'),
        ('for aarch64', made(elf(machine=183)), 126,
         'aarch64|AArch64|processor|machine'),
        ('big-endian', made(elf(data=2)), 126, 'endian|processor'),
        ('an object file', made(elf(kind=1)), 126, 'program|execut'),
        ('absent interpreter', patched(b'/lib64/ld-linux-x86-64.so.2',
                                       b'/lib64/ld-linux-x86-64.so.9'), 126,
         r'ld-linux-x86-64\.so\.9'),
        ('absent library', patched(b'libc.so.6\0', b'libz.so.9\0'),
         126, r'libz\.so\.9'),
    ]
    for name, argv, status, says in rows:
        yield program('bad program/' + name, argv, status=status, stdout=b'',
                      says=[says, r'^remora: '])


def usage():
    def command(*words):
        return lambda context: [context.remora, *words]
    yield Case('usage/help', command('--help'), has=[r'remora run'])
    yield Case('usage/run help', command('run', '--help'),
               has=[r'--memory', r'--machine', r'--timeout', r'--dry-run'])
    yield Case('usage/version', command('version'), has=[r'^remora \d'])
    for name, words in (
            ('nothing', []), ('unknown command', ['rub']),
            ('no program', ['run']), ('unknown option', ['run', '--wrong']),
            ('memory', ['run', '--memory', 'much', '--', 'true']),
            ('machine', ['run', '--machine', 'pdp11', '--', 'true']),
            ('timeout', ['run', '--timeout', '-1', '--', 'true']),
            ('environment', ['run', '--env', 'novalue', '--', 'true']),
            ('kernel', ['run', '--kernel', '/no/kernel', '--', 'true']),
            ('rootfs', ['run', '--rootfs', '/no/root', '--', 'true'])):
        yield Case('usage/bad ' + name, command(*words), status=125,
                   stdout=b'', says=[r'remora'])
    yield program('dry run', ['guest:glibc/hello'], ['--dry-run'],
                  has=[r'qemu-system-x86_64', r'-kernel', r'microvm'],
                  lacks=[r'hello, world'])


def accelerated():
    """A few of the above with KVM, where a machine really runs with it."""
    def kvm(name, argv, **wanted):
        case = program('kvm/' + name, argv, accel='kvm', limit=10, **wanted)
        command = case.argv

        def probed(context):
            need_kvm(context)
            return command(context)
        case.argv = probed
        return case
    yield kvm('hello', ['guest:glibc/hello'], stdout=HELLO)
    yield kvm('dynamic', ['guest:glibc-dynamic/hello', 'exit', '7'], status=7)
    yield kvm('signal', ['guest:glibc/die', 'read_null'], status=139)
    yield kvm('busybox', [BUSYBOX, 'ls', '/'], has=[r'^dev$'])
    yield kvm('4 GiB', ['guest:glibc/hello'], options=['--memory', '4G'],
              stdout=HELLO)
    for machine in MACHINES:
        yield kvm(machine, ['guest:glibc/hello', 'exit', '9'],
                  options=['--machine', machine], status=9)


def cases(_):
    for group in (starts, deaths, given, ends, bad_programs, usage,
                  accelerated):
        yield from group()
