# SPDX-License-Identifier: ISC
"""guest.py - the programs of tests/guest: on this host, then in a machine.

A program that fails on the host says something untrue about Linux, or the
host forbids it something; either way it proves nothing about the kernel.
"""
import os
import re

from suite.case import Case, Failure
from suite.machine import program

FAMILIES = ('sys', 'mm', 'sig', 'time', 'proc', 'tty', 'check')


def told_all(_, outcome):
    """The sums at the end are there, and agree with the lines."""
    lines = outcome.stdout.replace(b'\r\n', b'\n').decode(errors='replace')
    last = re.findall(r'^# (\d+) passed, (\d+) failed$', lines, re.M)
    if not last:
        raise Failure('the program did not come to its end')
    ok = len(re.findall(r'^ok ', lines, re.M))
    if ok < int(last[-1][0]) or int(last[-1][1]) != 0:
        raise Failure('%d lines "ok", but the program counted %s passed, '
                      '%s failed' % (ok, *last[-1]))


def cases(build):
    names = sorted(f[:-2] for f in os.listdir('tests/guest')
                   if re.match('(%s)_.*\\.c$' % '|'.join(FAMILIES), f))
    for name in names:
        for libc in ('glibc', 'musl'):
            path = os.path.join(build, 'guest', libc, name)
            yield Case('host/%s/%s' % (libc, name), [path], needs=[path],
                       lacks=[r'^not ok'], check=told_all)
            yield program('%s/%s' % (libc, name),
                          ['guest:%s/%s' % (libc, name)], limit=180,
                          lacks=[r'^not ok'], check=told_all)
    path = os.path.join(build, 'guest', 'glibc', 'check_itself')
    yield Case('host/wrong checks are told', [path, 'wrong'], status=1,
               has=[r'^# 11 passed, 9 failed$', r'^not ok .*1 \+ 1 == 3'])
    for libc in ('glibc', 'musl'):
        yield program(libc + '/bad_pointers', ['guest:%s/bad_pointers' % libc],
                      limit=200, lacks=[r'^not ok'], check=told_all)
    yield program('glibc/random_code', ['guest:glibc/random_code'],
                  limit=100, lacks=[r'^not ok'], check=told_all)
