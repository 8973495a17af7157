# SPDX-License-Identifier: ISC
"""debuggers.py - Debian's strace and gdb, which watch programs in a machine."""
import os

from suite.machine import program

BUSYBOX = '/bin/busybox'
SCRIPT = '/bin/busybox true; kill -USR1 $$; echo not reached'

# A call, its pid before it where there are two processes.
TOLD = [
    r'^execve\("/bin/busybox", \["/bin/busybox", "sh", "-c", "[^"]*"\.\.\.\], '
    r'0x[0-9a-f]+ /\* \d+ vars \*/\) = 0\r?$',
    r'^\[pid +\d+\] execve\("/bin/busybox", \["/bin/busybox", "true"\], '
    r'0x[0-9a-f]+ /\* \d+ vars \*/\) = 0\r?$',
    r'^\[pid +\d+\] exit_group\(0\) +=',
    r'^\[pid +\d+\] \+\+\+ exited with 0 \+\+\+\r?$',
    r'^--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=\d+, '
    r'si_uid=0, si_status=0, si_utime=\d+.*, si_stime=\d+.*\} ---\r?$',
    r'^--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_USER, si_pid=\d+, '
    r'si_uid=0\} ---\r?$',
    r'^\+\+\+ killed by SIGUSR1 \+\+\+\r?$',
]
SUMMED = [
    r'^% time +seconds +usecs/call +calls +errors syscall\r?$',
    r'^ +\d+\.\d+ +\d+\.\d+ +\d+ +2 +execve\r?$',
    r'^ +\d+\.\d+ +\d+\.\d+ +\d+ +1 +write\r?$',
    r'^100\.00 .* total\r?$',
]
BACKTRACE = [
    r'^#0 .*pause \(\)',
    r'^#1 .* in inner \(n=.*0\) at .*debuggee\.c:\d+\r?$',
    r'^#4 .* in inner \(n=.*3\) at .*debuggee\.c:\d+\r?$',
    r'^#5 .* in main \(.*\) at .*debuggee\.c:\d+\r?$',
    r'^rax +0xfffffffffffffdfe +-514\r?$',
    r'^Hardware watchpoint 1: woken\r?$',
    r'^Old value = 0\r?$',
    r'^New value = 1\r?$',
    r'^# gdb ended with 0\r?$',
]


def cases(build):
    yield program('strace -f', ['/usr/bin/strace', '-f', BUSYBOX, 'sh', '-c',
                                SCRIPT], ['--add', BUSYBOX], has=TOLD,
                  status=138, limit=180)
    yield program('strace --seccomp-bpf',
                  ['/usr/bin/strace', '-f', '--seccomp-bpf', '-e',
                   'trace=openat', BUSYBOX, 'cat', '/proc/self/status'],
                  ['--add', BUSYBOX], limit=180,
                  has=[r'openat\(AT_FDCWD, "/proc/self/status"',
                       r'Seccomp:\s2', r'Seccomp_filters:\s1'])
    for cpus in ('1', '4'):
        yield program('strace -c/' + cpus,
                      ['/usr/bin/strace', '-f', '-c', BUSYBOX, 'sh', '-c',
                       '/bin/busybox true; echo hi'],
                      ['--add', BUSYBOX, '--cpus', cpus], has=SUMMED, limit=180)
        path = os.path.join(build, 'guest', 'glibc', 'debuggee')
        yield program('gdb -p/' + cpus, [path],
                      ['--add', '/usr/bin/gdb', '--add', '/usr/share/gdb',
                       '--add', '/usr/lib/python3.11', '--memory', '512M',
                       '--cpus', cpus], needs=[path, '/usr/bin/gdb'],
                      has=BACKTRACE, limit=200)
