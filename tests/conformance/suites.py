# SPDX-License-Identifier: ISC
"""suites.py - the test suites of other projects: their pieces, and how what
they print is read.

A piece is (name, seconds, command); the command runs in a shell in
/tmp/suite, where the suite's folder was copied.  A reader turns a piece's output into
{test: 'pass', 'fail' or 'skip'}.
"""
import fnmatch
import os
import re

CACHE = os.environ.get('REMORA_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'),
    'remora')
ROOT = os.path.join(CACHE, 'roots/suites')


def python_results(name, text, status):
    """unittest's verbose lines; a docstring may stand between."""
    found, test = {}, None
    for line in text.split('\n'):
        start = re.match(r'^(test\w*|setUpClass|tearDownClass) \(([\w.]+)\)',
                         line)
        if start:
            test = start.group(2)
            if not test.endswith('.' + start.group(1)):
                test += '.' + start.group(1)
        end = re.search(r"(?:\.\.\. |^)(ok|FAIL|ERROR|skipped .*|expected "
                        r"failure|unexpected success)$", line)
        if not end or not test:
            continue
        word = end.group(1)
        found[test] = ('pass' if word in ('ok', 'expected failure') else
                       'skip' if word.startswith('skipped') else 'fail')
        test = None
    for bad in re.findall(r'^(?:FAIL|ERROR): \S+ \(([\w.]+)\)', text, re.M):
        found[bad] = 'fail'
    found['%s (its end)' % name] = ('pass' if status is not None and
                                    'Tests result: ' in text else 'fail')
    return found


def line_results(name, text, status):
    """Lines "PASS: test"; DejaGnu's words."""
    found = {}
    for word, test in re.findall(
            r'^(PASS|FAIL|SKIPPED|UNTESTED|SKIP|ERROR|XFAIL): (.*?)\r?$', text,
            re.M):
        test = test.strip()
        n = 2
        first = test
        while test in found:
            test, n = '%s (%d)' % (first, n), n + 1
        found[test] = {'PASS': 'pass', 'XFAIL': 'pass', 'FAIL': 'fail',
                       'ERROR': 'fail'}.get(word, 'skip')
    found['%s (its end)' % name] = 'fail' if status in (None, 124, 137) \
        else 'pass'
    return found


def piece_results(name, text, status):
    """The piece is the test; 77 means skipped, as for Automake."""
    word = {0: 'pass', 77: 'skip'}.get(status, 'fail')
    return {name: word}


def stress_results(name, text, status):
    """stress-ng: 3 is no resources, 4 not implemented."""
    return {name: {0: 'pass', 3: 'skip', 4: 'skip'}.get(status, 'fail')}


PYTHON = ('test_os test_posix test_subprocess test_signal test_threading '
          'test_socket test_select test_epoll test_mmap test_time test_pty '
          'test_io test_tempfile test_fcntl test_poll test_selectors '
          'test_resource test_wait4 test_eintr test_openpty').split()

# An alarm is to come within a send, a second later: on a very slow machine it
# comes before, and the send waits for ever.
ALARMED = '*test_sendall_interrupted*'
# Linux has none here; where there is no host to talk to, they wait for ever.
VSOCK = '*VSOCK*'


def python_pieces(_):
    for name in PYTHON:
        left_out = ' -i %s -i %s' % (ALARMED, VSOCK)
        yield name, 1200, 'python3 -m test -v ' + name + (
            left_out if name == 'test_socket' else '')
    yield 'test_socket-alarmed', 300, (
        'python3 -m test -v test_socket -m ' + ALARMED)


def busybox_pieces(root):
    """Several applets each: the runner first makes links to all of them."""
    folder = root + '/suites/busybox/testsuite'
    # Left out: the source's own style; two that only compute, for minutes.
    names = sorted({f.removesuffix('.tests') for f in os.listdir(folder)
                    if f.endswith('.tests') or
                    os.path.isdir(os.path.join(folder, f))} -
                   {'all_sourcecode', 'bc', 'dc'})
    for i in range(0, len(names), 11):
        some = names[i:i + 11]
        yield '%s-%s' % (some[0], some[-1]), 1800, (
            'cd busybox/testsuite && bindir=/tmp/suite/busybox tsdir=$PWD '
            'sh ./runtest ' + ' '.join(some))


def bash_pieces(root):
    names = sorted(f for f in os.listdir(root + '/suites/bash/tests')
                   if f.startswith('run-') and '.' not in f)
    for name in names:
        if name not in ('run-all', 'run-minimal', 'run-gprof'):
            yield name, 300, (
                'cd bash/tests && PATH=$PWD:$PATH TMPDIR=/tmp HOME=/var/tmp '
                'THIS_SH=/bin/bash BASH_TSTOUT=/tmp/bash.out '
                'setpriv --reuid 65534 --regid 65534 --clear-groups sh ./' +
                name)


# All of t/io, and of t/op what asks something of the kernel.
PERL = ('alarm chdir chown chr chroot closure crypt die_exit exec exists_sub '
        'fh filetest filetest_stack_ok filetest_t fork getpid getppid glob '
        'goto groups heredoc inc incfilter inccode ioctl kill0 lex_assign lfs '
        'local lop magic mkdir numconvert oct open or overload pack pow print '
        'push rand readline recurse require_errors reset select sigdispatch '
        'signatures sleep sprintf srand sselect stat stat_errors study sub '
        'symbolcache sysio taint threads time tie tie_fetch_count utf8cache '
        'umask unlink utfhash vec waitpid warn wantarray write').split()


def perl_pieces(root):
    folder = root + '/suites/perl/t/'
    names = ['op/%s.t' % n for n in PERL
             if os.path.exists('%sop/%s.t' % (folder, n))]
    names += ['io/' + n for n in os.listdir(folder + 'io')
              if n.endswith('.t')]
    for name in sorted(names):
        yield name, 600, ('cd perl/t && prove -Q -e "perl -I../lib" ' + name)


# All that asks something of the kernel; of misc/ these.
COREUTILS = ('rm cp mv ln mkdir rmdir touch chmod chgrp chown install '
             'readlink dd du tail-2 id').split()
COREUTILS_MISC = (
    'cat-buf cat-proc cat-self chroot-credentials chroot-fail close-stdout '
    'csplit-io-err env-signal-handler env groups-process-all head-c head-pos '
    'head-write-error kill mknod mktemp nice nohup nproc-avail pwd-long '
    'readlink-fp-loop realpath seq-epipe seq-io-errors shred-remove sleep '
    'sort-compress-proc sort-merge-fdlimit sort-spinlock-abuse stat-birthtime '
    'stat-fmt stat-hyphen stat-mount stat-nanoseconds stdbuf stty sync '
    'tac-2-nonseekable tee test-N timeout timeout-blocked timeout-group '
    'truncate-dangling-symlink truncate-dir-fail truncate-fail-diag '
    'truncate-fifo truncate-overflow truncate-owned-by-other tty tty-eof '
    'wc-files0 wc-parallel wc-proc xattr yes').split()


def coreutils_pieces(root):
    folder = root + '/suites/coreutils/tests/'
    for kind in COREUTILS + ['misc']:
        for name in sorted(os.listdir(folder + kind)):
            stem, _, end = name.partition('.')
            if end in ('sh', 'pl', 'xpl') and (
                    kind != 'misc' or stem in COREUTILS_MISC):
                yield kind + '/' + name, 300, (
                    'cd coreutils && sh /suites/coreutils.sh %s/%s' %
                    (kind, name))


def redis_results(name, text, status):
    """Lines "[ok]: test (12 ms)"."""
    found = {}
    text = re.sub('\033\\[[0-9;]*m', '', text)
    for word, test in re.findall(
            r'^\[(ok|err|exception|skip|ignore)\]: (.*?)(?: \(\d+ ms\))?\r?$',
            text, re.M):
        test = re.sub(r' in tests/\S+\.tcl$', '', test)
        n, first = 2, test
        while test in found:
            test, n = '%s (%d)' % (first, n), n + 1
        found[test] = {'ok': 'pass', 'err': 'fail',
                       'exception': 'fail'}.get(word, 'skip')
    found['%s (its end)' % name] = 'pass' if status == 0 else 'fail'
    return found


# Its units that save, fork, wait, and that know many clients; fsync is as
# good as none on a tmpfs, and what only computes is left out.
REDIS = ('unit/auth unit/protocol unit/keyspace unit/scan unit/info '
         'unit/info-command unit/expire unit/quit unit/aofrw unit/multi '
         'unit/pubsub unit/slowlog unit/introspection unit/introspection-2 '
         'unit/limits unit/lazyfree unit/wait unit/pause unit/networking '
         'unit/oom-score-adj unit/shutdown unit/type/incr unit/type/list-3 '
         'unit/type/hash unit/bitops unit/latency-monitor integration/aof '
         'integration/aof-multi-part integration/rdb integration/logging '
         'integration/shutdown integration/redis-cli '
         'integration/redis-benchmark integration/convert-zipmap-hash-on-load '
         'integration/block-repl integration/replication-2').split()


def redis_pieces(_):
    for name in REDIS:
        yield name, 900, (
            'cd redis && tclsh8.6 tests/test_helper.tcl --single %s '
            '--clients 1 --tags -large-memory' % name)


# Of "veryquick", all that asks something of files, locks and shared memory,
# but for what takes many seconds on the fastest machine.
SQLITE = ('8_3_names atomic* attach* autovacuum* avfs backup* bigmmap '
          'bigrow btree* cache* chunksize conflict* corrupt* crash* dbpage '
          'delete* diskfull e_blob* e_vacuum e_wal* exclusive* external* '
          'fallocate filectrl filefmt incr* insert* interrupt* io journal* '
          'jrnlmode* loadext2 lock* manydb mem* mjournal mmap* multiplex* '
          'mutex1 nockpt nolock notify* openv2 oserror pager* pagesize '
          'pcache* pragma* quota* rdonly readonly rollback* rowallock '
          'savepoint* schema* securedel shared* shm* shortread1 shrink '
          'snapshot* softheap* stat* subjournal superlock symlink* sync* '
          'syscall* temp* trans* unixexcl uri* vacuum* wal* zerodamage '
          'zeroblob*').split()
# Not in "veryquick", and at the end what is long.
SQLITE_OUT = ('*malloc* *ioerr* *fault* *bigfile* *_err* backup '
              'btree8 corrupt corruptC crash crash[2-7] delete3 mmap4 mutex2 '
              'notify2 savepoint[46] trans2 vacuum3 walslow walcrash* '
              'walthread walprotocol autovacuum_crash memleak '
              'incrvacuum_ioerr shared_err '
              'memjournal2 mmap1 pager2 temptable2 vacuum6 vacuummem wal3 wal5 '
              'walbig walcksum walro2 walsetlk walvfs savepoint3').split()


def sqlite_pieces(root):
    """Several files each, in one process as sqlite does it; not as root."""
    def fits(name, patterns):
        return any(fnmatch.fnmatchcase(name, p) for p in patterns)
    folder = root + '/suites/sqlite/test'
    names = sorted(f.removesuffix('.test') for f in (
        os.listdir(folder) if os.path.isdir(folder) else ())
        if f.endswith('.test'))
    names = [n for n in names if fits(n, SQLITE) and not fits(n, SQLITE_OUT)]
    for i in range(0, len(names), 20):
        some = names[i:i + 20]
        yield '%s-%s' % (some[0], some[-1]), 1200, (
            'cd sqlite && setpriv --reuid 65534 --regid 65534 --clear-groups '
            './testfixture test/permutations.test veryquick ' +
            ' '.join(n + '.test' for n in some))


def sqlite_results(name, text, status):
    """A file is a test: "Time: FILE 12 ms" is its end, and before it stands
    "! STEP expected: ..." for what fails."""
    found, good = {}, True
    for line in text.split('\n'):
        end = re.match(r'Time: (\S+)\.test \d+ ms', line)
        if end:
            found[end.group(1)] = 'pass' if good else 'fail'
            good = True
        elif re.match(r'(?:\S+\.\.\.)?\s*! \S+ (?:expected|got)', line):
            good = False
    found['%s (its end)' % name] = 'pass' if status == 0 else 'fail'
    return found


STRESS = {
    'cpu': 'cpu atomic bsearch branch cpu-online fp funccall goto hash '
           'heapsort hsearch ipsec-mb jpeg lsearch matrix matrix-3d mergesort '
           'nop numa qsort radixsort rdrand shellsort skiplist '
           'sparsematrix str tree tsc tsearch vecmath vecwide waitcpu wcs zlib',
    'vm': 'bad-altstack bigheap brk madvise malloc memfd '
          'memrate mincore misaligned mlock mmap mmapaddr mmapfixed '
          'mmapfork mmaphuge mmapmany mremap msync munmap pageswap physpage '
          'prefetch remap resources secretmem shm stack stackmmap tmpfs vm '
          'vm-addr vm-rw vm-segv vm-splice',
    'scheduler': 'affinity clone cyclic daemon dnotify exec exit-group fork '
                 'forkheavy futex getrandom hrtimers kill loadavg membarrier '
                 'mmapfork mutex nanosleep netlink-proc nice pidfd poll pthread '
                 'race-sched resched schedpolicy sem session set sleep '
                 'spawn softlockup switch tee tun vfork vforkmany wait yield '
                 'zombie',
    'pipe': 'fifo pipe pipeherd sendfile splice tee vm-splice',
    'filesystem': 'access chattr chdir chmod chown copy-file dentry dir '
                  'dirdeep dirmany dup eventfd fallocate fanotify fcntl fiemap '
                  'file-ioctl filename flock fpunch fstat getdent handle '
                  'inode-flags inotify io iomix ioprio lease link lockf '
                  'lockofd mknod open procfs rename seal seek symlink '
                  'sync-file touch utime verity xattr',
    'interrupt': 'aio alarm clock context eventfd itimer kill nanosleep '
                 'opcode rseq sigabrt sigchld sigfd sigfpe sigio signal '
                 'signest sigpending sigpipe sigq sigrt sigsegv sigsuspend '
                 'sigtrap sleep timer timerfd',
}


def stress_pieces(_):
    seen = set()
    for kind, names in STRESS.items():
        for name in names.split():
            if name in seen:
                continue
            seen.add(name)
            yield '%s/%s' % (kind, name), 180, (
                'stress-ng --temp-path /tmp -q --verify --oomable -t 1 '
                '--vm-bytes 32M --mmap-bytes 16M --iomix-bytes 32M '
                '--%s 2' % name)


# name: (pieces, reader)
SUITES = {
    'python': (python_pieces, python_results),
    'busybox': (busybox_pieces, line_results),
    'bash': (bash_pieces, piece_results),
    'perl': (perl_pieces, piece_results),
    'coreutils': (coreutils_pieces, piece_results),
    'redis': (redis_pieces, redis_results),
    'sqlite': (sqlite_pieces, sqlite_results),
    'stress-ng': (stress_pieces, stress_results),
}
