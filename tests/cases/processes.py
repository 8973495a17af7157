# SPDX-License-Identifier: ISC
"""processes.py - Debian's own programs that start others, talk to them over
sockets, and run them at pseudo-terminals."""
import glob

from suite.machine import program

BUSYBOX = '/bin/busybox'

PYTHON = r'''
import asyncio, pty, subprocess, threading
echo = subprocess.run(["/bin/busybox", "echo", "hi"], capture_output=True)
print("subprocess", echo.stdout)
found = []
threads = [threading.Thread(target=lambda i=i: found.append(i * i))
           for i in range(20)]
[t.start() for t in threads], [t.join() for t in threads]
print("threads", sum(found))
async def main():
    async def upper(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()
    server = await asyncio.start_unix_server(upper, "/tmp/socket")
    reader, writer = await asyncio.open_unix_connection("/tmp/socket")
    writer.write(b"hello\n")
    print("asyncio", await reader.readline())
    writer.close()
    server.close()
    seq = await asyncio.create_subprocess_exec("/bin/busybox", "seq", "3",
        stdout=asyncio.subprocess.PIPE)
    print("seq", (await seq.communicate())[0])
asyncio.run(main())
print("pty", pty.spawn(["/bin/busybox", "tty"]))
'''

GIT = ('export HOME=/tmp; cd /tmp; git init -q r; cd r; '
       'git config user.email a@b.c; git config user.name N; echo x > f; '
       'git add f; git commit -q -m first; echo y >> f; '
       'git commit -q -a -m second; git log --format=%s; git status -s')


def cases(_):
    yield program('script', ['/usr/bin/script', '-q', '-e', '-c',
                             'busybox tty; exit 3', '/dev/null'],
                  ['--add', BUSYBOX, '--add', '/bin/sh'], status=3,
                  needs=['/usr/bin/script', BUSYBOX], has=[r'^/dev/pts/0'])
    for library in glob.glob('/usr/lib/python3.[0-9]*')[:1]:
        python = '/usr/bin/' + library.rsplit('/', 1)[1]
        yield program('python', [python, '-c', PYTHON],
                      ['--memory', '512M', '--add', library, '--add', BUSYBOX],
                      limit=90, needs=[python, BUSYBOX],
                      has=[r"^subprocess b'hi\\n'", r'^threads 2470',
                           r"^asyncio b'HELLO\\n'", r"^seq b'1\\n2\\n3\\n'",
                           r'^/dev/pts/0', r'^pty 0'])
    yield program('git', ['/bin/bash', '-c', GIT],
                  ['--memory', '256M', '--add', '/usr/bin/git', '--add',
                   '/usr/lib/git-core', '--add', '/bin/sh'], limit=60,
                  needs=['/usr/bin/git', '/bin/bash'],
                  has=[r'^second\r?\nfirst\r?$'])
    yield program('seccomp_notify/4', ['guest:glibc/proc_seccomp_notify'],
                  ['--cpus', '4'], limit=200, lacks=[r'^not ok'],
                  has=[r'^# \d+ passed, 0 failed'])
    yield program('creds/4', ['guest:glibc/proc_creds'], ['--cpus', '4'],
                  limit=200, lacks=[r'^not ok'],
                  has=[r'^# \d+ passed, 0 failed'])
