# SPDX-License-Identifier: ISC
"""fuzz.py - random system calls from several processors; see
tests/guest/fuzz_calls.c.  FUZZ_CALLS_SECONDS makes them last longer, and then
the seeds are other ones each time.  And programs that take all there is, which
tests/guest/hogs.c does: nothing of them must be left."""
import os
import random

from cases.guest import told_all
from suite.machine import program


def cases(_build):
    seconds = int(os.environ.get('FUZZ_CALLS_SECONDS', '30'))
    for cpus, memory in (('1', '64M'), ('4', '256M')):
        seed = int(cpus)
        if 'FUZZ_CALLS_SECONDS' in os.environ:
            seed = random.randrange(1 << 32)
        yield program('calls/%s/seed %d' % (cpus, seed),
                      ['guest:glibc/fuzz_calls', str(seconds), str(seed)],
                      ['--cpus', cpus, '--memory', memory],
                      limit=seconds * 3 + 150,
                      lacks=[r'^not ok', r'panic', r'assert'], check=told_all)
    for cpus, memory in (('1', '32M'), ('2', '48M')):
        yield program('hogs/' + cpus, ['guest:glibc/hogs'],
                      ['--cpus', cpus, '--memory', memory], limit=200,
                      lacks=[r'^not ok', r'panic', r'assert'], check=told_all)
        yield program('oom/' + cpus, ['guest:glibc/oom'],
                      ['--cpus', cpus, '--memory', '24M'], limit=200,
                      lacks=[r'^not ok', r'panic', r'assert'], check=told_all)
