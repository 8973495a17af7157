# SPDX-License-Identifier: ISC
"""case.py - what a test is, how it is run, and what is wrong with its outcome.

A case is data: a command, what it is given, and what must come out.  The
files of tests/cases yield cases; tests/run carries them out.
"""
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback


# Limits are those of an idle machine.  They only end what hangs: on a machine
# that is busy with other things all of it may take so many times longer.
PATIENCE = 5
ERRORS = 'errors'       # in a case's folder: what a machine's QEMU says


def deadline(seconds):
    """When something that takes at most so long has failed to come."""
    return time.monotonic() + seconds * PATIENCE


class Failure(Exception):
    """An outcome that is not the wanted one; the text says how."""


class Skip(Exception):
    """A case that cannot be tried here; the text says why."""


@dataclasses.dataclass
class Case:
    """One test.

    argv        the command: strings, or a function of the Context
    stdin       bytes, or None for /dev/null
    status      wanted exit status; None: any
    stdout      wanted bytes, exactly; None: any
    has, lacks  patterns searched (not searched) in standard output
    says        patterns searched in standard error, `silent` those not
    host        a command (or function of the Context) whose output and status
                on this host must be equal
    normal      function of bytes, applied to both outputs before comparing
    needs       programs or files; the case is skipped where one is missing
    timeout     seconds on an idle machine; passing PATIENCE times as many is
                a failure
    dialogue    [(pattern awaited, bytes sent)]: runs the command on a terminal
    act         function of (Context, argv), run instead of the command; it
                returns the Outcome
    check       function of (Context, Outcome) for what the rest cannot say
    """
    name: str
    argv: object
    stdin: bytes = None
    status: int = 0
    stdout: bytes = None
    has: tuple = ()
    lacks: tuple = ()
    says: tuple = ()
    silent: tuple = ()
    host: object = None
    normal: object = None
    needs: tuple = ()
    timeout: float = 60
    dialogue: list = None
    env: dict = None
    act: object = None
    check: object = None

    @property
    def patience(self):
        return self.timeout * PATIENCE


@dataclasses.dataclass
class Outcome:
    status: int             # as a shell has it: 128 + signal
    stdout: bytes
    stderr: bytes
    seconds: float


class Context:
    """What a case may use: the build, and a folder of its own."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.remora = os.path.join(build, 'remora')
        self.kernel = os.path.join(build, 'remora.elf')

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data, mode=0o644):
        """Creates a file in the case's folder and returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def guest(self, name, shape='glibc'):
        """A program of tests/guest in one of its shapes."""
        return os.path.join(self.build, 'guest', shape, name)


def execute(argv, stdin=None, timeout=60, env=None, merge=False):
    """Runs a command in a session of its own; kills it all when time is up.

    merge: standard error goes where standard output goes.
    """
    began = time.monotonic()
    environment = dict(os.environ, LC_ALL='C', TERM='dumb', **(env or {}))
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        env=environment, start_new_session=True)
    try:
        out, err = process.communicate(stdin, timeout)
        status = process.returncode
    except subprocess.TimeoutExpired as late:
        kill_session(process)
        out, err = process.communicate()
        raise Failure('no end after %g seconds\n%s' % (timeout, dump(
            Outcome(-1, out or late.stdout or b'', err or b'', timeout)))) \
            from None
    status = 128 - status if status < 0 else status
    return Outcome(status, out, err or b'', time.monotonic() - began)


def kill_session(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def converse(argv, dialogue, timeout, env=None):
    """Runs a command on a terminal of 24 rows and 80 columns.

    Each pattern is awaited in what came since the one before it; then the
    bytes are sent.  The terminal's whole output is the outcome's stdout.
    """
    import fcntl
    import pty
    import select
    import struct
    import termios
    began = time.monotonic()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    environment = dict(os.environ, LC_ALL='C', TERM='vt100', **(env or {}))
    before = termios.tcgetattr(theirs)

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                               stderr=subprocess.PIPE, env=environment,
                               preexec_fn=own_terminal)
    errors = []
    reader = threading.Thread(
        target=lambda: errors.append(process.stderr.read()))
    reader.start()
    seen, since = b'', 0
    steps = list(dialogue)
    failure = None
    while True:
        while steps and (found := re.search(steps[0][0], seen[since:],
                                            re.DOTALL)):
            since += found.end()
            answer = steps.pop(0)[1]
            if callable(answer):
                answer(ours, process)
            else:
                os.write(ours, answer)
        left = timeout - (time.monotonic() - began)
        if left <= 0:
            failure = 'no end after %g seconds' % timeout
            if steps:
                failure += ', awaiting %r' % steps[0][0]
            break
        ready, _, _ = select.select([ours], [], [], min(left, 0.2))
        if ready:
            seen += os.read(ours, 65536)
        elif process.poll() is not None:
            break
    if failure:
        kill_session(process)
    process.wait()
    after = termios.tcgetattr(theirs)
    os.close(theirs)
    os.close(ours)
    reader.join()
    status = process.returncode
    status = 128 - status if status < 0 else status
    outcome = Outcome(status, seen, errors[0], time.monotonic() - began)
    if failure is None and steps:
        failure = 'ended awaiting %r' % steps[0][0]
    if failure is None and after != before:
        failure = 'the terminal was not restored: %r, before %r' % (after,
                                                                     before)
    if failure:
        raise Failure(failure + '\n' + dump(outcome))
    return outcome


def visible(data, limit=12000):
    """Bytes as text for a log; the middle of long ones is left out."""
    text = data.decode('utf-8', 'backslashreplace').replace('\r\n', '\n')
    text = re.sub(r'[\x00-\x08\x0b-\x1f\x7f]',
                  lambda m: '\\x%02x' % ord(m.group()), text)
    text = re.sub(r'(?m)(^ok .*\n){2,}',
                  lambda m: '[%d checks ok]\n' % m.group().count('\n'), text)
    if len(text) > limit:
        half = limit // 2
        text = '%s\n[... %d characters ...]\n%s' % (
            text[:half], len(text) - limit, text[-half:])
    return text


def dump(outcome):
    parts = []
    for title, data in (('output', outcome.stdout), ('errors', outcome.stderr)):
        if data:
            parts.append('--- %s\n%s' % (title, visible(data)))
    return '\n'.join(parts)


def first_difference(got, wanted):
    """Where two byte strings part, in words."""
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b),
              min(len(got), len(wanted)))
    line = wanted.count(b'\n', 0, at) + 1
    return ('output differs at byte %d (line %d): got %r, wanted %r; '
            '%d bytes, wanted %d' % (at, line, got[at:at + 60],
                                     wanted[at:at + 60], len(got), len(wanted)))


def missing(needs):
    """The first of these programs or files that is not here, or None."""
    for need in needs:
        if '/' in need:
            if not os.path.exists(need):
                return need
        elif shutil.which(need) is None:
            return need
    return None


def judge(case, context, outcome):
    """Raises Failure unless the outcome is what the case wants."""
    wrong = []
    stdout, status = case.stdout, case.status
    if case.host is not None:
        host = case.host(context) if callable(case.host) else case.host
        # A machine has one serial line for both of the program's outputs.
        # There it begins with its signals as they are, whoever runs this.
        model = execute(['env', '--default-signal', *host], case.stdin,
                        case.patience, {'TZ': 'UTC0'}, True)
        stdout, status = model.stdout, model.status
    got = outcome.stdout
    if case.normal and stdout is not None:
        got, stdout = case.normal(got), case.normal(stdout)
    if status is not None and outcome.status != status:
        wrong.append('status %d, wanted %d' % (outcome.status, status))
    if stdout is not None and got != stdout:
        wrong.append(first_difference(got, stdout))
    for where, data, patterns, want in (
            ('output', outcome.stdout, case.has, True),
            ('output', outcome.stdout, case.lacks, False),
            ('errors', outcome.stderr, case.says, True),
            ('errors', outcome.stderr, case.silent, False)):
        for pattern in patterns:
            pattern = pattern.encode() if isinstance(pattern, str) else pattern
            if bool(re.search(pattern, data, re.MULTILINE)) != want:
                wrong.append('%s %s %r' % (where, 'lack' if want else 'have',
                                           pattern.decode()))
    if wrong:
        raise Failure('; '.join(wrong) + '\n' + dump(outcome))
    if case.check:
        try:
            case.check(context, outcome)
        except Failure as failure:
            raise Failure('%s\n%s' % (failure, dump(outcome))) from None


def guest_log(case, argv):
    """What the kernel says when a failed `remora run` is run once more."""
    if '--' not in argv[2:] or argv[1:2] != ['run'] or '--verbose' in argv \
            or '--dry-run' in argv or case.dialogue is not None or case.act:
        return ''
    at = argv.index('--')
    try:
        again = execute(argv[:at] + ['--verbose'] + argv[at:], case.stdin,
                        case.patience, case.env, True)
    except Failure as failure:
        return '\n--- once more, with --verbose: %s' % failure
    return '\n--- once more, with --verbose: status %d\n%s' % (
        again.status, visible(again.stdout))


def witnesses(context):
    """What files of a failed case's machine tell beside its console."""
    text = ''
    for name, title in ((ERRORS, 'errors of QEMU'),
                        ('control', 'control channel')):
        try:
            with open(context.path(name), 'rb') as f:
                data = f.read()
        except OSError:  # it has none
            continue
        if data:
            text += '\n--- %s\n%s' % (title, visible(data))
    return text


def attempt(case, build):
    """Carries a case out.  Returns (verdict, text, seconds)."""
    began = time.monotonic()
    verdict, text = 'PASS', ''
    with tempfile.TemporaryDirectory(prefix='remora-test-') as folder:
        context = Context(build, folder)
        argv = []
        try:
            absent = missing(case.needs)
            if absent:
                raise Skip('%s is not installed' % absent)
            argv = case.argv(context) if callable(case.argv) else case.argv
            if case.act is not None:
                outcome = case.act(context, argv)
            elif case.dialogue is not None:
                outcome = converse(argv, case.dialogue, case.patience, case.env)
            else:
                outcome = execute(argv, case.stdin, case.patience, case.env)
            judge(case, context, outcome)
        except Skip as skip:
            verdict, text = 'SKIP', str(skip)
        except Failure as failure:
            verdict, text = 'FAIL', str(failure)
            text += witnesses(context)
            text += '\n--- command\n' + ' '.join(map(str, argv))
            text += guest_log(case, argv)
        except OSError as error:
            verdict, text = 'FAIL', 'cannot be run: %s' % error
            text += witnesses(context)
        except Exception:  # what nobody foresaw fails one case, not the run
            verdict, text = 'FAIL', traceback.format_exc()
            text += witnesses(context)
    return verdict, text, time.monotonic() - began
