# SPDX-License-Identifier: ISC
"""roots.py - whole roots: a small one of busybox alone, with init, getty and
login at the console, and Debian's own, made by mmdebstrap."""
import os
import shutil
import subprocess

from suite.case import Skip
from suite.machine import program

BUSYBOX = '/bin/busybox'
APPLETS = ('cat getty hostname init login ls mkdir mount poweroff ps reboot '
           'sh sleep sync touch tty umount who').split()
# By `openssl passwd -6 -salt saltsalt secret`.
SECRET = ('$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDe'
          'hy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1')
FILES = {
    'etc/inittab': '::sysinit:/etc/rc\n'
                   'console::respawn:/sbin/getty 115200 console vt100\n'
                   '::ctrlaltdel:/sbin/reboot\n'
                   '::shutdown:/bin/sh -c "echo going down"\n'
                   '::restart:/sbin/init\n',
    'etc/rc': '#!/bin/sh\nmount -t proc proc /proc\n'
              'mkdir -p /dev/pts /tmp\nmount -t tmpfs tmpfs /tmp\n'
              'hostname fishbowl\necho rc has run\n',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n'
                  'fish:x:1000:1000:fish:/fish:/bin/sh\n',
    'etc/group': 'root:x:0:\ntty:x:5:\nfish:x:1000:\n',
    'etc/issue': 'Fishbowl \\l\n',
    'etc/securetty': 'console\n',
}


def plant(context):
    """The root of a small distribution."""
    root = context.path('root')
    for name in ('bin', 'sbin', 'root', 'fish', 'proc', 'sys', 'dev'):
        os.makedirs(os.path.join(root, name))
    shutil.copy(BUSYBOX, os.path.join(root, 'bin/busybox'))
    for name in APPLETS:
        os.symlink('busybox', os.path.join(root, 'bin', name))
    for name in ('init', 'getty', 'poweroff', 'reboot'):
        os.symlink('../bin/busybox', os.path.join(root, 'sbin', name))
    for name, text in FILES.items():
        context.write('root/' + name, text.encode())
    for name in ('root', 'fish'):
        with open(os.path.join(root, 'etc/shadow'), 'a') as f:
            f.write('%s:%s:19000:0:99999:7:::\n' % (name, SECRET))
    os.chmod(os.path.join(root, 'etc/shadow'), 0o600)
    os.chmod(os.path.join(root, 'etc/rc'), 0o755)
    return root


def inittab(name, dialogue, how='--rootfs', **wanted):
    """A session at the console of the small distribution."""
    def given(context):
        root = plant(context)
        return [how, root + (':/' if how == '--share' else '')]
    return program('inittab/' + name, ['/sbin/init'], given,
                   dialogue=dialogue, needs=[BUSYBOX], **wanted)


LOGIN = [(rb'rc has run\r\n[^$]*Fishbowl [^$]*fishbowl login: ', b'root\r'),
         (rb'Password: ', b'wrong\r'),
         (rb'Login incorrect\r\n[^$]*fishbowl login: ', b'root\r'),
         (rb'Password: ', b'secret\r'), (rb'# ', b'tty; echo "<$HOME>"\r'),
         (rb'/dev/console\r\n</root>\r\n.*# ',
          b'sh -c "echo up; exec sleep 99"\r'),
         (rb'99"\r\nup\r\n', b'\x1a'),
         (rb'\[1\]\+ +Stopped.*# ', b'bg; jobs; kill %1\r'),
         (rb'\[1\]\+ +Running .*# ', b'sh -c "echo up; cat"\r'),
         (rb'cat"\r\nup\r\n', b'\x03'), (rb'# ', b'echo "<$?>"\r'),
         (rb'<130>\r\n.*# ', b'exit\r'),
         (rb'fishbowl login: ', b'fish\r'), (rb'Password: ', b'secret\r'),
         (rb'\$ ', b'cat /etc/shadow; pwd\r'),
         (rb'Permission denied\r\n/fish\r\n.*\$ ', b'poweroff\r'),
         (rb'not permitted\r\n.*\$ ', b'exit\r')]


def cases(_):
    yield inittab('login', LOGIN + [(rb'login: ', b'root\r'),
                                    (rb'Password: ', b'secret\r'),
                                    (rb'# ', b'poweroff\r'),
                                    (rb'going down', b'')])
