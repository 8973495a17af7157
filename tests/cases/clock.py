# SPDX-License-Identifier: ISC
"""clock.py - the clock of a machine whose host stops it while it measures.

The process that is the machine is stopped for longer than the PIT counts, at
several moments of its start.  All machines of one host must then find the same
rate of their time stamp counter."""
import re
import signal
import subprocess
import threading
import time

from cases.pci import initrd
from suite.case import ERRORS, PATIENCE, Case, Failure, Outcome
from suite.machine import TEST_ARGS, qemu

BUSYBOX = '/bin/busybox'
HUNG = 60  # s
STOPPED = 0.13  # s; twice what the PIT counts
STARTS = (None, 0, 0.02, 0.04, 0.06)  # s after the machine's first word
SCRIPT = '''
/bin/busybox mount -t proc proc /proc
until /bin/busybox grep MHz /proc/cpuinfo; do :; done
/bin/busybox poweroff -f
'''


def rate(context, argv, stop_at):
    """MHz, as a machine says that is stopped twice, or not at all."""
    with open(context.path(ERRORS), 'ab') as errors:
        machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors)
    end = threading.Timer(HUNG * PATIENCE, machine.kill)
    end.start()
    try:
        said = machine.stdout.readline()  # it has just begun to measure
        for _ in range(0 if stop_at is None else 2):
            time.sleep(stop_at)  # where it is then does not matter
            machine.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED)
            machine.send_signal(signal.SIGCONT)
        said += machine.stdout.read()
    finally:
        end.cancel()
        machine.kill()
        machine.wait()
    found = re.search(rb'cpu MHz\s*: ([\d.]+)', said)
    if not found:
        raise Failure('no rate in %r' % said)
    return float(found.group(1))


def compare(context, argv):
    """A period of the PIT that is lost makes the rate a fifth higher at least;
    how busy the host is makes less than a hundredth."""
    rates = [rate(context, argv, at) for at in STARTS]
    if max(rates) > 1.05 * min(rates):
        raise Failure('rates of one counter, in MHz: %r' % rates)
    return Outcome(0, repr(rates).encode(), b'', 0)


def cases(_):
    for machine in ('microvm', 'pc'):
        yield Case('stopped while it measures/' + machine, lambda c, m=machine:
                   qemu(c.kernel, initrd(c, SCRIPT), TEST_ARGS +
                        ' PATH=/bin rdinit=/init loglevel=7', '64M', m,
                        control=c.path('control')),
                   timeout=180, needs=[BUSYBOX], act=compare)
