# SPDX-License-Identifier: ISC
"""ssh.py - a login: Debian's dropbear in the machine, ssh of the host."""

import os

from suite.case import Case

NEEDS = ['/usr/sbin/dropbear', '/usr/bin/ssh', '/usr/bin/scp', '/bin/busybox']
SCRIPT = '''stty rows 40 columns 100; stty size
trap 'echo interrupted' INT
sleep 50 & jobs %1 >/dev/null && echo "a job"; kill %1; wait
kill -INT $$
[ -t 0 ] && tty
exit 9'''


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
