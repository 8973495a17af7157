# SPDX-License-Identifier: ISC
"""ssh.py - a login: Debian's dropbear in the machine, ssh of the host."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

from suite.case import Case, Failure, Outcome, PATIENCE

NEEDS = ['/usr/sbin/dropbear', '/usr/bin/ssh', '/usr/bin/scp', '/bin/busybox']
SCRIPT = '''stty rows 40 columns 100; stty size
trap 'echo interrupted' INT
sleep 50 & jobs %1 >/dev/null && echo "a job"; kill %1; wait
kill -INT $$
[ -t 0 ] && tty
exit 9'''

RESIZE = '''trap 'echo "now $(stty size)"' WINCH; echo "ready $(stty size)"
while :; do read -r l && [ "$l" = end ] && exit 7; done'''
LIMIT = 180     # seconds until an answer has failed to come


class Terminal:
    """A program on a terminal of its own, which has a size."""

    def __init__(self, argv, rows, columns):
        self.text, self.began = b'', time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack(
                'HHHH', rows, columns, 0, 0))
            os.execv(argv[0], argv)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack(
            'HHHH', rows, columns, 0, 0))

    def more(self):
        """Some bytes; none at its end."""
        if not select.select([self.fd], [], [], LIMIT * PATIENCE)[0]:
            raise Failure('nothing more comes: %r' % self.text[-500:])
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            part = b''
        self.text += part
        return part

    def await_text(self, text):
        while text not in self.text:
            if not self.more():
                raise Failure('ended without %r: %r' % (text, self.text))

    def end(self):
        """Its Outcome, when it has ended by itself."""
        while self.more():
            pass
        os.close(self.fd)
        status = os.waitpid(self.pid, 0)[1]
        return Outcome(os.waitstatus_to_exitcode(status), self.text, b'',
                       time.monotonic() - self.began)


def resized(_, argv):
    """The shell there hears of the sizes that the terminal here has."""
    terminal = Terminal(argv, 33, 101)
    terminal.await_text(b'ready 33 101')
    for rows, columns in (50, 132), (24, 80):
        terminal.resize(rows, columns)
        terminal.await_text(b'now %d %d' % (rows, columns))
    os.write(terminal.fd, b'end\n')
    return terminal.end()


def cases(_):
    demo = os.path.join(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))), 'demo-ssh')
    yield Case('files, a terminal, a status',
               lambda c: [demo, c.build, SCRIPT], status=9, timeout=90,
               needs=NEEDS,
               says=[r'300000 bytes went there and came back'],
               has=[r'^40 100\r?$', r'^a job\r?$', r'^interrupted\r?$',
                    r'^/dev/pts/0\r?$'],
               lacks=[r"can't access tty"])
    yield Case('a terminal that changes its size',
               lambda c: [demo, c.build, RESIZE], act=resized, status=7,
               timeout=LIMIT + 120, needs=NEEDS, has=[r'^now 24 80\r?$'])
