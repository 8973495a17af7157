# SPDX-License-Identifier: ISC
"""machine.py - commands that boot something, for the cases.

program()   a case that runs a program by `remora run`
raw()       a command line of QEMU itself, without the `remora` command
"""
import os

from . import case as suite

MACHINES = ('microvm', 'q35', 'pc')


def program(name, argv, options=(), limit=40, **wanted):
    """A case: `remora run OPTIONS -- ARGV`, under emulation.

    argv may hold a first element like 'guest:glibc/hello', which stands for
    a program of tests/guest.
    """
    def command(context):
        words = argv(context) if callable(argv) else list(argv)
        more = options(context) if callable(options) else list(options)
        if words and words[0].startswith('guest:'):
            shape, _, file = words[0][6:].partition('/')
            words[0] = context.guest(file, shape)
            if not os.path.exists(words[0]):
                raise suite.Skip('%s was not built: its C library is not '
                                 'installed' % words[0])
        if '--accel' not in more:
            more = ['--accel', 'tcg'] + more
        if '--timeout' not in more:
            more = ['--timeout', str(limit)] + more
        return [context.remora, 'run', *more, '--', *words]
    return suite.Case(name, command, timeout=limit + 10, **wanted)
