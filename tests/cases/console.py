# SPDX-License-Identifier: ISC
"""console.py - sessions at the console, equal to those at the host's terminal.

Each session is held twice, key by key: at a terminal of the host with the
program itself, and with `remora run`.  What the terminal showed and the
program's status must be the same, byte for byte.
"""
import fcntl
import struct
import termios

from suite.case import Case, Failure, converse, dump, first_difference
from suite.machine import program, run_command

BUSYBOX = '/bin/busybox'
SH = [BUSYBOX, 'sh', '-c']
CAT = SH + ['echo up; exec busybox cat']
LIMIT = 40


def keys(awaited, typed):
    """Types bytes one by one, each when what came before it was shown.

    `typed` is a list of (bytes, what the terminal shows for them).
    """
    steps, shown = [], awaited
    for data, echo in typed:
        steps.append((shown, data))
        shown = echo
    return steps + [(shown, b'')]


def session(name, argv, dialogue, env=None):
    """A dialogue that must go the same way on both sides."""
    def act(context, command):
        def ours():
            return converse(command, dialogue, LIMIT + 10, env)

        # A machine has one line for both of the program's outputs.
        model = converse(['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh'] + argv,
                         dialogue, LIMIT, env)
        got = ours()
        wrong = []
        if got.stdout != model.stdout:
            wrong.append(first_difference(got.stdout, model.stdout))
        if got.status != model.status:
            wrong.append('status %d, wanted %d' % (got.status, model.status))
        if wrong:
            raise Failure('; '.join(wrong) + '\n' + dump(got) +
                          '\n--- on the host\n' + dump(model))
        return got
    options = [word for item in (env or {}).items()
               for word in ('--env', '%s=%s' % item)]
    return Case('session/' + name,
                lambda context: run_command(context, argv, options, LIMIT),
                status=None, needs=(argv[0],), timeout=2 * LIMIT, act=act)


def window(rows, columns):
    """A step's answer: the terminal's window gets this size."""
    def answer(terminal, _):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ,
                    struct.pack('HHHH', rows, columns, 0, 0))
    return answer


# The terminal's own editing, shown by a program that reads lines.
READ = 'printf "> "; while read -r line; do printf "[%s]\\n> " "$line"; done'


def editing():
    yield session('lines', SH + [READ], [
        (rb'> ', b'one\r'), (rb'\[one\]\r\n> ', b'two\n'),
        (rb'\[two\]\r\n> ', b'\x04')])
    yield session('erase', SH + [READ], keys(rb'> ', [
        (b'abc', rb'abc'), (b'\x7f', rb'\x08 \x08'), (b'd', rb'd'),
        (b'\t', rb'\t'), (b'\x7f', rb'\x08+'), (b'\x16', rb'\^\x08'),
        (b'\x03', rb'\^C'), (b'\x7f', rb'\x08 \x08\x08 \x08'),
        (b'\r', rb'\[abd\]\r\n> '), (b'\x04', rb'')]))
    yield session('words and lines', SH + [READ], keys(rb'> ', [
        (b'some words here', rb'here'), (b'\x17', rb'(\x08 \x08){4}'),
        (b'there', rb'there'), (b'\x12', rb'\^R\r\nsome words there'),
        (b'\x15', rb'(\x08 \x08){16}'), (b'again\r', rb'\[again\]\r\n> '),
        (b'half\x04', rb'half'), (b'\x04', rb'')]))
    yield session('stop and start', SH + [READ], keys(rb'> ', [
        (b'a', rb'a'), (b'\x13b\x11', rb'b'), (b'c\r', rb'\[abc\]\r\n> '),
        (b'\x04', rb'')]))
    yield session('cat', CAT, [
        (rb'up\r\n', b'first\r'), (rb'first\r\nfirst\r\n', b'part\x04'),
        (rb'partpart', b'\r'), (rb'\r\n\r\n', b'\x04')])


def signals():
    yield session('interrupt', CAT, [
        (rb'up\r\n', b'x\r'), (rb'x\r\nx\r\n', b'abc\x03')])
    yield session('quit', CAT, [
        (rb'up\r\n', b'x\r'), (rb'x\r\nx\r\n', b'\x1c')])
    # A loop, for a shell that is about to read may miss what comes then.
    yield session('trap', SH + ['trap "echo caught; exit 9" INT; echo ready; '
                                'while :; do :; done'], [
        (rb'ready\r\n', b'\x03')])
    yield session('busy', SH + ['echo ready; while :; do :; done'], [
        (rb'ready\r\n', b'\x03')])
    yield session('window', SH + [
        'trap "busybox stty size; exit" WINCH; busybox stty size; '
        'while :; do :; done'], [(rb'24 80\r\n', window(30, 100))])


def settings():
    def stty(name, settings, script, dialogue):
        """The script runs with these settings, which are undone again."""
        return session(name, SH + [
            'old=$(busybox stty -g); busybox stty %s; echo go; %s; '
            'busybox stty "$old"' % (settings, script)], dialogue)

    yield stty('bytes', '-echo -icanon min 1 time 0',
               'busybox dd bs=1 count=3 2>/dev/null | busybox od -c',
               [(rb'go\r\n', b'\x1b[A')])
    yield stty('raw', 'raw -echo',
               'busybox dd bs=1 count=4 2>/dev/null | busybox od -c',
               [(rb'go\n', b'\x03\r\x04\n')])
    yield stty('timed', '-icanon -echo min 0 time 5',
               'busybox dd bs=9 count=1 2>/dev/null | busybox od -c', [])
    yield stty('no echo', '-echo', 'read -r x; echo "<$x>"',
               [(rb'go\r\n', b'xyzzy\r')])
    yield stty('tabs', 'tab3', 'printf "a\\tb\\tc\\n"', [])
    yield stty('newlines', '-onlcr', 'printf "x\\ny\\n"', [])
    yield stty('upper', 'olcuc iuclc', 'read -r x; echo "$x"',
               [(rb'GO\r\n', b'WoRd\r')])


def shells():
    prompt = {'PS1': '% ', 'ENV': '', 'HOME': '/', 'HISTFILE': ''}
    yield session('shell', [BUSYBOX, 'sh', '-i'], [
        (rb'% ', b'echo one two\r'), (rb'one two\r\n.*% ', b'false\r'),
        (rb'% ', b'echo $?\r'), (rb'\n1\r\n.*% ', b'exit 3\r')], prompt)
    yield session('jobs', [BUSYBOX, 'sh', '-i'], [
        (rb'% ', b'busybox sh -c \'trap "echo again" CONT; echo up; '
                 b'while :; do :; done\'\r'),
        (rb'\nup\r\n', b'\x1a'), (rb'Stopped.*% ', b'jobs\r'),
        (rb'Stopped.*% ', b'fg\r'), (rb'\nagain\r\n', b'\x03'),
        (rb'% ', b'exit 5\r')], prompt)
    yield session('vi', [BUSYBOX, 'vi', '/nothing'], [
        (rb'/nothing', b'ihello\x1b'), (rb'hello', b':q!\r')], prompt)


def streams():
    data = bytes(range(256)) * 300
    yield program('bytes through pipes', [BUSYBOX, 'cat'], stdin=data,
                  stdout=data)
    yield program('an end and nothing before it', [BUSYBOX, 'wc', '-c'],
                  stdin=b'', stdout=b'0\n')
    yield program('a pipe is no terminal', SH + [
        'test -t 0; echo $?; test -t 1; echo $?; test -p /proc/self/fd/0; '
        'echo $?'], stdin=b'x', stdout=b'1\n1\n0\n')
    yield program('null is no terminal', SH + ['read x; echo $?; test -t 0; '
                                               'echo $?'],
                  stdout=b'1\n1\n')


def cases(build):
    for group in (editing, signals, settings, shells, streams):
        yield from group()
