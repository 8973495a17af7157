# SPDX-License-Identifier: ISC
"""boot.py - archives of every kind given to QEMU itself, boot arguments, and
what the kernel says of itself.  No `remora` command is in the way here.
"""
import gzip
import hashlib
import re
import subprocess

from suite import archive as cpio
from suite.archive import archive
from suite.case import Failure, Skip
from suite.machine import MACHINES, ends_like, guest_path, program, raw_case

BUSYBOX = '/bin/busybox'
HELLO = (r'^hello, world\r?$',)
# What no guest may bring the kernel to.
FALLS = (r'KASSERT', r'page fault in the kernel', r'double fault',
         r'general protection fault in the kernel')
# How a boot ends that finds nothing to run: 126 not a program, 127 none.
NO_INIT = r'exit 12[67]\n'


def init(context, name='init'):
    return cpio.file(name, guest_path(context, 'guest:glibc/hello'))


def plain(context):
    return archive(cpio.directory('dev'), cpio.device('dev/console', 5, 1),
                   init(context))


def zstd(data, *options):
    try:
        return subprocess.run(['zstd', '-q', '-c', *options], input=data,
                              stdout=subprocess.PIPE, check=True).stdout
    except FileNotFoundError:
        raise Skip('zstd is not installed') from None


def packed(data, with_what):
    return gzip.compress(data, mtime=0) if with_what == 'gzip' else zstd(data)


def busybox(line, *members):
    """An archive with busybox, and the arguments that start it."""
    def make(_):
        return archive(cpio.directory('bin'), cpio.file('bin/busybox',
                                                        BUSYBOX), *members)
    return make, 'rdinit=/bin/busybox -- ' + line


def good_archives():
    yield raw_case('archive/plain', plain, has=HELLO)
    for machine in MACHINES:
        yield raw_case('archive/plain/' + machine, plain, '-- exit 21',
                       machine=machine, has=HELLO, told='exit 21')
    for how in ('gzip', 'zstd'):
        yield raw_case('archive/' + how,
                       lambda c, how=how: packed(plain(c), how), has=HELLO)
        yield raw_case('archive/%s, then plain' % how, lambda c, how=how:
                       packed(archive(cpio.entry('init', b'no program')), how)
                       + plain(c), has=HELLO)
        yield raw_case('archive/plain, then ' + how, lambda c, how=how:
                       archive(cpio.entry('first', b'')) +
                       packed(plain(c), how), has=HELLO)
        yield raw_case('archive/%s of two' % how, lambda c, how=how:
                       packed(archive(cpio.entry('x', b'x')) + plain(c), how),
                       has=HELLO)
    yield raw_case('archive/zstd, long window', lambda c: zstd(
        archive(cpio.entry('zeros', bytes(9 << 20))) + plain(c), '--long=23',
        '-10'), memory='128M', has=HELLO)
    yield raw_case('archive/gzip in members', lambda c:
                   gzip.compress(plain(c)[:70000], mtime=0) +
                   gzip.compress(plain(c)[70000:], mtime=0), has=HELLO,
                   told=None, check=ends_like('exit 0\n|' + NO_INIT))
    yield raw_case('archive/zeros between', lambda c:
                   archive(cpio.entry('a', b'')) + bytes(4096) + plain(c) +
                   bytes(100000), has=HELLO)
    yield raw_case('archive/no trailer', lambda c: init(c), has=HELLO)
    yield raw_case('archive/check sums', lambda c: archive(
        cpio.entry('init', open(guest_path(c, 'guest:glibc/hello'),
                                'rb').read(), magic=b'070702')),
        told=None, check=ends_like('exit 0\n|' + NO_INIT))
    for prefix in ('./', '/', './/'):
        yield raw_case('archive/names begin with ' + prefix, lambda c, p=prefix:
                       archive(cpio.directory(p + 'dev'), init(c, p + 'init')),
                       has=HELLO)
    yield raw_case('archive/the last one wins', lambda c:
                   archive(cpio.entry('init', b'not this')) + plain(c),
                   has=HELLO)
    yield raw_case('archive/init is a link', lambda c: archive(
        cpio.directory('bin'), init(c, 'bin/hello'),
        cpio.symlink('init', 'bin/hello')), has=HELLO)
    yield raw_case('archive/folder not told', lambda c: archive(
        init(c, 'deep/down/init')), 'rdinit=/deep/down/init', told=None,
        check=ends_like('exit 0\n|' + NO_INIT))


def contents():
    """What was in the archive is what the program sees."""
    def case(name, line, members, has, **wanted):
        make, arguments = busybox(line, *members)
        return raw_case('contents/' + name, make, arguments, has=has,
                        needs=[BUSYBOX], **wanted)
    yield case('modes, owners, times', 'ls -ln --full-time /d', [
        cpio.directory('d'),
        cpio.entry('d/a', b'12345', 0o104751, uid=7, gid=8, mtime=86400),
        cpio.symlink('d/l', 'a'), cpio.device('d/n', 1, 3),
        cpio.entry('d/f', mode=0o010644)], [
            r'^-rwsr-x--x +1 7 +8 +5 1970-01-02 00:00:00.* /?(d/)?a\r?$',
            r'^lrwxrwxrwx .* l -> a\r?$', r'^crw------- .* 1, +3 .* n\r?$',
            r'^prw-r--r-- .* f\r?$'], told='exit 0')
    yield case('hard links', 'stat -c %n=%h=%s /a /b /c', [
        cpio.entry('a', b'', 0o100644, ino=5, nlink=3),
        cpio.entry('b', b'', 0o100644, ino=5, nlink=3),
        cpio.entry('c', b'linked', 0o100644, ino=5, nlink=3)],
        [r'^/a=3=6\r?$', r'^/b=3=6\r?$', r'^/c=3=6\r?$'])
    long = 'n' * 255
    yield case('a long name', 'cat /%s' % long,
               [cpio.entry(long, b'found\n', 0o100644)], [r'^found\r?$'])
    big = bytes(i * i % 253 for i in range(1 << 20))
    yield case('a large file', 'sha256sum /big',
               [cpio.entry('big', big, 0o100644)],
               ['^' + hashlib.sha256(big).hexdigest()])
    yield case('file where a folder was', 'cat /x', [
        cpio.directory('y'), cpio.entry('x', b'old\n', 0o100644),
        cpio.entry('x', b'new\n', 0o100644)], [r'^new\r?$'])
    yield case('10000 files', 'ls /many/9999', [
        cpio.directory('many'),
        *[cpio.entry('many/%d' % i, b'x', 0o100644, ino=i + 10)
          for i in range(10000)]], [r'^/many/9999\r?$'], memory='128M')


def broken(name, members, has=(), told_like='exit 0\n|' + NO_INIT, **wanted):
    """The kernel may go on with what it got, or say why it cannot; it may
    not fall, hang, or run something else."""
    return raw_case('broken/' + name, members, told=None, lacks=FALLS,
                    check=ends_like(told_like), has=has, **wanted)


def bad_archives():
    named = (r'(?i)initramfs|archive|init',)
    for how in ('plain', 'gzip', 'zstd'):
        def whole(c, how=how):
            return plain(c) if how == 'plain' else packed(plain(c), how)
        for part in (0.001, 0.1, 0.5, 0.99):
            yield broken('%s cut at %g' % (how, part),
                         lambda c, w=whole, p=part:
                         w(c)[:max(3, int(len(w(c)) * p))], has=named,
                         told_like='exit 0\n|' * (part > 0.9) + NO_INIT)
        if how != 'plain':
            # The sum comes last: what is wrong in the program itself may be
            # found by running it, as on Linux.
            yield broken('%s with a bit turned' % how,
                         lambda c, w=whole: turn(w(c), len(w(c)) // 2),
                         has=named, told_like='exit 0\n|' + NO_INIT +
                         r'|signal \d+\n')
            yield broken('%s with a wrong sum' % how,
                         lambda c, w=whole: turn(w(c), len(w(c)) - 6)
                         if w(c)[:1] == b'\x1f' else turn(w(c),
                                                         len(w(c)) - 2),
                         has=named)
    rows = [
        ('junk', lambda c: b'junk' * 1000),
        ('one byte', lambda c: b'0'),
        ('zeros', lambda c: bytes(5000)),
        ('xz', lambda c: b'\xfd7zXZ\0' + bytes(1000)),
        ('bzip2', lambda c: b'BZh91AY&SY' + bytes(1000)),
        ('old binary cpio', lambda c: b'\xc7\x71' + bytes(1000)),
        ('old portable cpio', lambda c: b'070707' + b'0' * 1000),
        ('size beyond the end', lambda c: cpio.entry(
            'init', b'x' * 100, filesize=0xffffffff)),
        ('size 4 GiB - 1', lambda c: cpio.entry(
            'a', b'', filesize=0xfffffffc) + plain(c)),
        ('name without end', lambda c: cpio.entry('init', b'x')
         .replace(b'init\0', b'init!') + plain(c)),
        ('name of 0 bytes', lambda c: cpio.entry('init', b'x', namesize=0)),
        ('name of 4 GiB', lambda c: cpio.entry('init', b'x',
                                               namesize=0xffffffff)),
        ('name of 5000 bytes', lambda c: archive(
            cpio.entry('n' * 5000, b'x'), init(c))),
        ('component of 300 bytes', lambda c: archive(
            cpio.entry('n' * 300, b'x'), init(c))),
        ('no hexadecimal', lambda c: cpio.entry('init', b'x')
         .replace(b'0000', b'zzzz') + plain(c)),
        ('names go up', lambda c: archive(
            cpio.entry('../../../etc/x', b'x'), init(c))),
        ('a file is a folder', lambda c: archive(
            cpio.entry('f', b'x'), cpio.entry('f/g', b'y'), init(c))),
        ('a link is a folder', lambda c: archive(
            cpio.symlink('f', 'f'), cpio.entry('f/g', b'y'), init(c))),
        ('a folder over a file', lambda c: archive(
            cpio.entry('f', b'x'), cpio.directory('f'), init(c))),
        ('a file over a full folder', lambda c: archive(
            cpio.directory('d'), cpio.entry('d/x', b'x'),
            cpio.entry('d', b'x'), init(c))),
        ('unknown kind of file', lambda c: archive(
            cpio.entry('w', b'x', mode=0o170000), init(c))),
        ('link of 70000 bytes', lambda c: archive(
            cpio.symlink('l', 'x' * 70000), init(c))),
        ('link to nothing', lambda c: archive(cpio.symlink('l', ''),
                                              init(c))),
        ('device 4294967295', lambda c: archive(
            cpio.device('d', 0xffffffff, 0xffffffff), init(c))),
    ]
    for name, make in rows:
        yield broken(name, make)
    yield broken('larger than memory', lambda c: gzip.compress(
        archive(*[cpio.entry('f%d' % i, bytes(1 << 20)) for i in range(100)],
                init(c)), 1), memory='32M', told_like=NO_INIT, has=named)


def turn(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]


def bad_inits():
    def made(data, mode=0o100755):
        return lambda c: archive(cpio.directory('dev'),
                                 cpio.entry('init', data, mode))
    rows = [
        ('none', lambda c: archive(cpio.directory('dev'))),
        ('no archive', None),
        ('empty', made(b'')),
        ('text', made(b'echo hello\n')),
        ('not executable', lambda c: archive(cpio.file(
            'init', guest_path(c, 'guest:glibc/hello'), 0o100644))),
        ('a folder', lambda c: archive(cpio.directory('init'))),
        ('a link to itself', lambda c: archive(cpio.symlink('init', 'init'))),
        ('a dangling link', lambda c: archive(cpio.symlink('init', 'x'))),
        ('a device', lambda c: archive(cpio.device('init', 1, 5))),
        ('four bytes of ELF', made(b'\x7fELF')),
        ('cut', lambda c: archive(cpio.entry('init', open(guest_path(
            c, 'guest:glibc/hello'), 'rb').read()[:5000]))),
        ('without its interpreter', lambda c: archive(cpio.file(
            'init', guest_path(c, 'guest:glibc-dynamic/hello')))),
    ]
    for name, make in rows:
        # Cut: the segments' pages behind the end of the file raise SIGBUS.
        like = NO_INIT if name != 'cut' else NO_INIT + r'|signal (7|11)\n'
        yield broken('init/' + name, make, told_like=like,
                     has=[r'init'] if name != 'cut' else [])
    yield broken('init/rdinit names nothing', plain, append='rdinit=/nothing',
                 has=[r'/nothing'], told_like=NO_INIT)


def arguments():
    yield raw_case('argument/rdinit', lambda c: archive(
        init(c, 'other'), cpio.directory('dev')), 'rdinit=/other -- exit 5',
        told='exit 5', has=HELLO)
    yield raw_case('argument/unknown ones go to init', plain,
                   'one two.three=4 NAME=value five -- exit 6',
                   has=[r'^one five exit 6|^one .*five exit 6'], told='exit 0')
    make, line = busybox('env')
    yield raw_case('argument/environment', make,
                   'FIRST=1 second="a b" ' + line, needs=[BUSYBOX],
                   has=[r'^FIRST=1\r?$', r'^second=a b\r?$',
                        r'^HOME=/\r?$', r'^TERM=\S+\r?$'])
    yield raw_case('argument/quiet', plain, 'quiet', stdout=None,
                   check=only_hello)
    yield raw_case('argument/loglevel=0', plain, 'loglevel=0',
                   check=only_hello)
    yield raw_case('argument/not quiet', plain,
                   has=[r'(?i)remora', *HELLO])
    make, line = busybox('dmesg')
    yield raw_case('argument/quiet, but dmesg', make, 'quiet ' + line,
                   needs=[BUSYBOX], has=[r'(?i)remora', r'(?i)memory'])
    yield raw_case('argument/bootchart', plain, 'bootchart',
                   has=[r'microseconds', r'\d+\.\d+  memory\r?$',
                        r'\d+\.\d+  first program\r?$', *HELLO])
    yield raw_case('argument/junk', plain,
                   '=== "" "un closed panic= reboot=zzz loglevel=x '
                   'console=nothing0 remora.winsize=0x0 remora.trace=',
                   told=None, lacks=FALLS, check=ends_like(r'exit 0\n'))
    yield raw_case('argument/2000 bytes', plain, 'x' * 1500 + ' -- exit 3',
                   told='exit 0', has=HELLO)
    yield raw_case('argument/panic at once', lambda c: archive(
        cpio.directory('dev')), 'panic=-1', told=None,
        check=ends_like(NO_INIT))
    yield raw_case('argument/panic after a second', plain,
                   'panic=1 remora.test=panic', told=None,
                   check=ends_like(r'panic asked for .*\n'))
    yield raw_case('argument/exit port alone', plain, '-- exit 9',
                   kernel_args='console=ttyS0 remora.exit=0x501', told=None,
                   has=HELLO)
    yield raw_case('argument/nothing to tell the end', plain,
                   kernel_args='console=ttyS0 panic=-1 reboot=t', told=None,
                   has=HELLO)


def only_hello(context, outcome):
    if outcome.stdout.replace(b'\r\n', b'\n') != b'hello, world\n':
        raise Failure('more than the program was heard')
    ends_like('exit 0\n')(context, outcome)


def traces():
    yield program('trace/syscalls', ['guest:glibc/hello', 'exit', '7'],
                  ['--verbose', '--append', 'remora.trace=syscalls'],
                  status=7, has=[r'write\(1, "hello, world\\nexit 7\\n", 20\)'
                                 r' += 20', r'exit_group\(7\)',
                                 r'arch_prctl\(|set_tid_address\('])
    yield program('trace/errors', [BUSYBOX, 'cat', '/no/such'],
                  ['--verbose', '--append', 'remora.trace=syscalls'],
                  status=1, needs=[BUSYBOX],
                  has=[r'"/no/such", O_RDONLY.*\) += -1 ENOENT'])
    yield program('unknown system call', ['guest:glibc/unknown_call'],
                  ['--verbose'], has=[r'^ok'], lacks=[r'^not ok'],
                  check=said_once)


def said_once(_, outcome):
    times = outcome.stdout.count(b'(kexec_load)')
    if times != 1:
        raise Failure('an unknown call was logged %d times' % times)


def large(context):
    """80 MiB that are packed."""
    path = context.write('large', b'x' * (80 << 20))
    return ['--add', path + ':/large']


def little_memory():
    for size in ('1M', '2M', '3M'):
        yield program('memory/%s is too little or enough' % size,
                      ['guest:glibc/hello'], ['--memory', size], status=None,
                      check=enough_or_told)
    yield program('memory/grows', [BUSYBOX, 'sh', '-c', 'wc -c </large; '
                                   'grep MemTotal /proc/meminfo'], large,
                  needs=[BUSYBOX],
                  has=[r'^83886080$', r'^MemTotal: +1[45]\d{4} kB$'])
    yield program('memory/does not grow', [BUSYBOX, 'true'],
                  lambda context: [*large(context), '--memory', '64M'],
                  needs=[BUSYBOX], status=125,
                  says=['are too few: .* need at least --memory 8[0-9]M'])
    yield program('memory/4M', ['guest:musl/hello'], ['--memory', '4M'],
                  has=[r'^hello, world'])
    yield program('memory/a program larger than memory',
                  ['guest:glibc/eat', '64'], ['--memory', '32M'],
                  status=None, lacks=FALLS, check=ends_in_order)


def enough_or_told(_, outcome):
    """Hello, or a status of its own and a line that names a size."""
    text = (outcome.stdout + outcome.stderr).decode(errors='replace')
    if outcome.status == 0 and 'hello, world' in text:
        return
    if outcome.status not in (123, 125):
        raise Failure('status %d' % outcome.status)
    if not re.search(r'\d+ ?([KM]i?B|[KM]\b)', text):
        raise Failure('it is not said how much memory is needed')


def ends_in_order(_, outcome):
    if outcome.status not in (0, 1, 137):
        raise Failure('status %d' % outcome.status)


def cases(_):
    for group in (good_archives, contents, bad_archives, bad_inits, arguments,
                  traces, little_memory):
        yield from group()
