# SPDX-License-Identifier: ISC
"""scripts.py - what scripts of a machine's peer (peer.py) share."""
from . import packets as P
from .case import Case, Failure
from .peer import agent_command, scripted

PATTERN = bytes((i * 7 + i // 251) & 255 for i in range(1 << 18))
TIMED = P.NOP + P.NOP + P.stamp(1000, 0)
ESTABLISHED, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE, CLOSE_WAIT = \
    1, 3, 4, 5, 7, 8
LAST_ACK, CLOSING = 9, 11
EAGAIN, EINVAL = 11, 22
ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH = 104, 110, 111, 113
SOL_SOCKET, SO_ERROR, IPPROTO_TCP = 1, 4, 6
POLLIN, POLLPRI, POLLOUT, POLLERR = 1, 2, 4, 8


def state(peer, fd):
    return int(peer.call('info', fd)[1].split()[0])


def must(true, what):
    if not true:
        raise Failure(what)


def same(got, wanted, what):
    if got != wanted:
        raise Failure('%s: %r, wanted %r' % (what, got, wanted))


class Scripts(dict):
    """Scripts, each a case of its own: its name, from the function's."""

    def __call__(self, function):
        name = function.__name__.replace('__', '/').replace('_', ' ')
        self[name] = function
        return function

    def cases(self):
        for name, function in self.items():
            yield Case(name, agent_command, act=scripted(function),
                       timeout=300)
