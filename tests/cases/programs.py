# SPDX-License-Identifier: ISC
"""programs.py - Debian's own programs, unmodified: what they print in a
machine is what they print on this host, byte for byte.

Each case gives the program the same files under the same names in both
places.  No program here starts another one.
"""
import glob
import gzip
import os
import re

from suite.machine import program

BUSYBOX = '/bin/busybox'
OLD = 1577934245            # a time whose date `ls -l` prints with its year


def plant(context):
    """A small fixed tree; every name, size, mode and time is known."""
    root = context.path('tree')
    words = ['remora', 'shark', 'whale', 'tuna', 'eel', 'ray', 'cod', 'bass']
    text = ''.join('%s %d %s\n' % (words[i * 5 % 8], i * 7919 % 1000,
                                   words[i * 3 % 8]) for i in range(400))
    files = {
        'text': text.encode(),
        'empty': b'',
        'binary': bytes((i * i + i // 7) % 256 for i in range(70001)),
        'page': b'p' * 4096,
        'folder/one': b'1\n',
        'folder/deep/er/two': b'2\n' * 1000,
        'folder/.hidden': b'hidden\n',
        'name with space': b'x',
        'script.sh': b'#!/bin/sh\necho hi\n',
    }
    for name, data in files.items():
        context.write('tree/' + name, data)
    os.chmod(os.path.join(root, 'script.sh'), 0o755)
    os.chmod(os.path.join(root, 'binary'), 0o600)
    os.symlink('text', os.path.join(root, 'link'))
    os.symlink('/nowhere/at/all', os.path.join(root, 'dangling'))
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            os.utime(os.path.join(folder, name), (OLD, OLD),
                     follow_symlinks=False)
        os.utime(folder, (OLD, OLD))
    return root


def same(name, argv, add=(), options=(), tree=True, **wanted):
    """A case: argv, with TREE standing for the planted tree, here and there."""
    def words(context):
        root = context.path('tree')
        return [w.replace('TREE', root) for w in argv]

    def machine(context):
        if tree:
            plant(context)
        return words(context)

    def given(context):
        more = [w.replace('TREE', context.path('tree')) for w in options]
        for path in ([context.path('tree')] if tree else []) + list(add):
            more += ['--add', path]
        return more
    wanted.setdefault('needs', [argv[0]])
    return program(name, machine, given, host=words, **wanted)


def without_folder_sizes(listing):
    """How large a folder is, and what it takes, is its file system's affair."""
    listing = re.sub(rb'(?m)^total \d+$', b'total', listing)
    return re.sub(rb'(?m)^(d\S+ +\d+ \S+ +\S+) +\d+ ', rb'\1 - ', listing)


BUSYBOX_SAME = [
    ('cat', 'cat TREE/text TREE/binary'),
    ('sha256sum', 'sha256sum TREE/binary TREE/text TREE/empty'),
    ('sha512sum', 'sha512sum TREE/binary'),
    ('md5sum', 'md5sum TREE/binary'),
    ('sha1sum', 'sha1sum TREE/binary'),
    ('sed', ['sed', '-n', 's/shark \\([0-9]*\\)/<\\1>/gp', 'TREE/text']),
    ('awk', ['awk', '{ n[$1] += $2; s = s length($0) } END { for (i = 1; i '
             '<= 3; i++) printf "%d %.3f %s\\n", i, i / 7, substr(s, i, 5); '
             'print n["shark"], n["eel"], toupper("x"), 1e9 * 3 }',
             'TREE/text']),
    ('sort', 'sort -k2,2n -k1,1 TREE/text'),
    ('sort -u', 'sort -u TREE/text'),
    ('find', 'find TREE -type f -size +1k'),
    ('find -name', ['find', 'TREE', '-name', '*o*', '-o', '-type', 'l']),
    ('grep', 'grep -n -i -E ^(SHARK|eel).*7 TREE/text'),
    ('grep -r', 'grep -r -c 2 TREE/folder'),
    ('head', 'head -n 5 TREE/text'),
    ('tail', 'tail -c 100 TREE/binary'),
    ('wc', 'wc TREE/text TREE/binary TREE/empty'),
    ('od', 'od -A x -t x1 -v -N 300 TREE/binary'),
    ('hexdump', 'hexdump -C -n 500 TREE/binary'),
    ('xxd', 'xxd -l 200 TREE/binary'),
    ('base64', 'base64 TREE/binary'),
    ('uniq', 'uniq -c TREE/text'),
    ('cut', 'cut -d - -f 1 TREE/text'),
    ('nl', 'nl TREE/text'),
    ('tac', 'tac TREE/text'),
    ('rev', 'rev TREE/text'),
    ('fold', 'fold -w 7 TREE/text'),
    ('diff', 'diff TREE/text TREE/folder/deep/er/two'),
    ('cmp', 'cmp TREE/text TREE/binary'),
    ('paste', 'paste TREE/text TREE/page'),
    ('strings', 'strings TREE/binary'),
    ('gzip -c', 'gzip -c TREE/text'),
    ('bzip2 -c', 'bzip2 -c TREE/text'),
    ('tar', 'tar cf - -C TREE text binary folder/one link'),
    ('readlink', 'readlink TREE/link'),
    ('stat', ['stat', '-c', '%s %a %F %Y %h %N', 'TREE/text', 'TREE/binary',
              'TREE/link']),
    ('dd', 'dd if=TREE/binary bs=1000 skip=3 count=20 status=none'),
    ('expr', 'expr 6 * 7'),
    ('factor', 'factor 1234567890 97'),
    ('seq', 'seq 1 0.5 100'),
    ('date', 'date -u -d @1234567890 +%F,%T,%A,%j'),
    ('cal', 'cal 2 2024'),
    ('printf', ['printf', '%5.2f|%-8s|%05d|%x\\n', '3.14159', 'abc', '42',
                '255']),
    ('false', 'false'),
    ('test', 'test -f TREE/text -a -x TREE/script.sh'),
    ('no such file', 'cat TREE/no-such-file'),
    ('dc', ['dc', '-e', '2 100 ^ p 17 k 2 v p']),
    ('cp and more, in sh',
     ['sh', '-c', 'set -e; cd "TREE"; read -r a b c <text; echo "$c $b $a"; '
      'i=0; while read -r x y z; do i=$((i + y)); done <text; echo $i; '
      'case $a in r*) echo R;; *) echo other;; esac; '
      'for f in *; do echo "$f"; done; echo new >fresh; '
      'while read -r l; do echo "got $l"; done <fresh; '
      'test -s fresh; printf "%s\\n" "${a%m*}" "${#b}" "$((1 << 40))"; '
      'trap "echo bye" EXIT; exit 5']),
]
# These read what the machine itself is: looked at, not compared.
BUSYBOX_OWN = [
    ('uname', 'uname -s -m', [r'^Linux x86_64$']),
    ('ls /', 'ls -l /', [r' dev$', r' proc$', r' tmp$']),
    ('ls -lR /', 'ls -lR /', [r'^/dev:$', r' null$', r'^/proc/1']),
    ('ls /dev', 'ls -l /dev',
     [r'^crw-rw-rw-.* 1, +3 .* null$', r' 1, +5 .* zero$', r' 1, +7 .* full$',
      r' 1, +8 .* random$', r' 1, +9 .* urandom$', r' 5, +1 .* console$',
      r' 5, +0 .* tty$']),
    ('mount', 'mount', [r' on / type ', r' on /proc type proc ',
                        r' on /dev type ']),
    ('free', 'free', [r'^Mem: +\d{4,6} +\d+']),
    ('df', 'df -a', [r' /proc$']),
    ('ps', 'ps', [r'^ +1 .*ps$']),
    ('uptime', 'uptime', [r'up +']),
    ('cpuinfo', 'cat /proc/cpuinfo',
     [r'^processor\t: 0$', r'^vendor_id\t: ', r'^flags\t\t: .*\bsse2\b']),
    ('meminfo', 'cat /proc/meminfo',
     [r'^MemTotal: +\d+ kB$', r'^MemFree: +\d+ kB$',
      r'^MemAvailable: +\d+ kB$']),
    ('version', 'cat /proc/version', [r'^Linux version \d+\.\d+']),
    ('cmdline', 'cat /proc/cmdline', [r'console=ttyS0']),
    ('uptime file', 'cat /proc/uptime', [r'^\d+\.\d\d \d+\.\d\d$']),
    ('stat file', 'cat /proc/stat', [r'^cpu +\d+', r'^cpu0 ', r'^btime \d+',
                                     r'^processes \d+']),
    ('mounts', 'cat /proc/mounts', [r' / ', r'^\S+ /proc proc ']),
    ('self status', 'cat /proc/self/status',
     [r'^Name:\tbusybox$', r'^Pid:\t1$', r'^VmRSS:\t +\d+ kB$',
      r'^Threads:\t1$']),
    ('self stat', 'cat /proc/self/stat', [r'^1 \(busybox\) R 0 ']),
    ('self maps', 'cat /proc/self/maps',
     [r'^[0-9a-f]+-[0-9a-f]+ r-xp .*/busybox$', r'\[stack\]$', r'\[vdso\]$',
      r'\[heap\]$']),
    ('self cmdline', 'cat /proc/self/cmdline',
     [r'^/bin/busybox\x00cat\x00/proc/self/cmdline\x00$']),
    ('self exe', 'readlink /proc/self/exe', [r'/busybox$']),
    ('self fd', 'ls -l /proc/self/fd', [r' 0 -> ', r' 1 -> ', r' 2 -> ']),
    ('id', 'id', [r'^uid=0 gid=0']),
    ('pwd', 'pwd', [r'^/$']),
    ('hostname', 'hostname', [r'\S']),
    ('date', 'date +%Y', [r'^20[2-9]\d$']),
    ('urandom', 'dd if=/dev/urandom bs=16 count=1 status=none', [r'(?s).{16}']),
    ('zero', 'dd if=/dev/zero of=/dev/null bs=1M count=8', []),
    ('full', ['sh', '-c', 'echo x >/dev/full || echo refused'],
     [r'^refused$']),
    ('sleep', 'sleep 0.3', []),
]


def words_of(line):
    return line.split() if isinstance(line, str) else list(line)


def sorted_lines(text):
    """For programs that show a folder's own order, each system's affair."""
    return b'\n'.join(sorted(text.split(b'\n')))


def busybox():
    for name, line in BUSYBOX_SAME:
        own_order = name.startswith('find') or name == 'grep -r'
        # tar writes the names of users and groups.
        add = ['/etc/passwd', '/etc/group'] if name == 'tar' else []
        yield same('busybox/' + name, [BUSYBOX, *words_of(line)], add,
                   normal=sorted_lines if own_order else None)
    yield same('busybox/ls -lnR', [BUSYBOX, 'ls', '-lnRa', '--full-time',
                                   'TREE'],
               normal=lambda text: re.sub(
                   rb'(?m)^.* \.\.$', b'', without_folder_sizes(text)))
    for name, line, has in BUSYBOX_OWN:
        yield program('busybox/own/' + name, [BUSYBOX, *words_of(line)],
                      has=has, needs=[BUSYBOX])
    yield same('busybox/dd to a file', [BUSYBOX, 'dd', 'if=TREE/binary',
                                        'of=/dev/stdout', 'bs=777',
                                        'status=none'])
    yield gunzip_case()


def gunzip_case():
    def command(context):
        plant(context)
        with open(context.path('tree/text'), 'rb') as f:
            context.write('tree/text.gz', gzip.compress(f.read(), mtime=0))
        return [BUSYBOX, 'zcat', context.path('tree/text.gz')]

    return program('busybox/zcat', command,
                   lambda context: ['--add', context.path('tree')],
                   host=lambda context: [BUSYBOX, 'cat',
                                         context.path('tree/text')])


LUA = '''
local t = {}
for i = 1, 2000 do t[i] = (i * 7919) % 1009 end
table.sort(t)
print(#t, t[1], t[1000], t[2000])
print(string.format("%5.3f|%q|%x", math.pi, "a\\nb", 255))
local function fib(n) if n < 2 then return n end return fib(n-1)+fib(n-2) end
print(fib(20), math.maxinteger, 2^53, 10 // 3, 7 % -3)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(co(), co(), co())
for w in ("one two three"):gmatch("%a+") do io.write(w:upper(), ";") end
print()
local f = assert(io.open(arg[1], "r"))
local n = 0
for line in f:lines() do n = n + #line end
f:close()
print(n, pcall(error, {1}) , select("#", pcall(error, "x")))
print(utf8.char(228, 8364), #utf8.char(8364))
print(io.open("/no/such/file"))
local w = assert(io.open(arg[1] .. ".out", "w"))
w:write("written\\n"); w:close()
for line in io.lines(arg[1] .. ".out") do print(line) end
os.remove(arg[1] .. ".out")
print(os.time{year=2020, month=1, day=1, hour=12}, os.getenv("NOTHING"))
os.exit(9)
'''

SQL = '''
PRAGMA journal_mode=delete;
CREATE TABLE fish(id INTEGER PRIMARY KEY, name TEXT, weight REAL);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000)
INSERT INTO fish SELECT i, 'fish-' || (i * 7919 % 1009), i * 0.25 FROM n;
COMMIT;
CREATE INDEX by_name ON fish(name);
SELECT count(*), sum(weight), min(name), max(name) FROM fish;
SELECT name, count(*) c FROM fish GROUP BY name ORDER BY c DESC, name LIMIT 5;
UPDATE fish SET weight = weight * 2 WHERE id % 3 = 0;
DELETE FROM fish WHERE id % 7 = 0;
SELECT count(*), round(avg(weight), 6), total(weight) FROM fish;
SELECT a.id, b.id FROM fish a JOIN fish b ON a.name = b.name AND a.id < b.id
 ORDER BY 1, 2 LIMIT 4;
SELECT upper(hex(name)), length(name), substr(name, 2, 3) FROM fish LIMIT 2;
SELECT date(0, 'unixepoch'), json('{"a": [1, 2]}'), 7/2, 7/2.0;
PRAGMA integrity_check;
VACUUM;
SELECT count(*) FROM fish WHERE name LIKE 'fish-1%';
.tables
.schema fish
SELECT * FROM absent;
'''

PYTHON = '''
import json, hashlib, re, sys, os, struct, math, zlib, collections, itertools
data = open(sys.argv[1], "rb").read()
print(len(data), hashlib.sha256(data).hexdigest())
print(hashlib.md5(data).hexdigest(), hashlib.blake2b(data).hexdigest()[:32])
words = re.findall(r"[a-z]+", data.decode())
count = collections.Counter(words)
print(json.dumps(dict(sorted(count.items())), indent=1))
print(json.loads('{"a": [1, 2.5, null, true, "\\u00e4"]}'))
print(2 ** 200, math.factorial(30), sum(1 / i for i in range(1, 1000)))
print(struct.pack("<IQd", 1, 2, 3.5).hex(), zlib.crc32(data))
print(sorted(os.listdir(os.path.dirname(sys.argv[1]))))
print(re.sub(r"(\\w+) (\\d+)", r"\\2 \\1", data.decode().split("\\n")[0]))
try:
    open("/no/such/file")
except OSError as e:
    print(e)
with open(sys.argv[1] + ".new", "w") as f:
    f.write("line\\n" * 10000)
print(os.stat(sys.argv[1] + ".new").st_size)
os.rename(sys.argv[1] + ".new", sys.argv[1] + ".newer")
os.unlink(sys.argv[1] + ".newer")
print(list(itertools.islice(itertools.permutations("abc"), 4)))
sys.exit(11)
'''

PERL = r'''
my ($path) = @ARGV;
open(my $f, "<", $path) or die "cannot open: $!";
my (%n, $total);
while (<$f>) { my ($a, $b) = split; $n{$a} += $b; $total += $b; }
close $f;
print "$_ $n{$_}\n" for sort keys %n;
printf "%d %.4f %s\n", $total, $total / 7, join ",", map { $_ ** 2 } 1 .. 5;
(my $s = "The quick brown fox") =~ s/(\w+) (\w+)/$2 $1/;
print "$s\n", scalar reverse("abc"), "\n", sprintf("%b %o %x", 10, 10, 255),
    "\n";
open(my $g, "<", "/no/such/file") or print "error: $!\n";
print join(" ", sort { $a <=> $b } grep { $_ % 3 == 0 } 1 .. 30), "\n";
my @s = stat $path; print "$s[7] $s[9]\n";
print pack("A3 n C", "abcd", 258, 65), "\n";
exit 6;
'''

BC = b'''scale=50
4*a(1)
e(1)
2^300
sqrt(2)
define f(n) { if (n <= 1) return (1); return (n * f(n - 1)); }
f(40)
for (i = 0; i < 5; i++) i^3
obase=16
65535
quit
'''


def scripted(name, argv, script, add=(), **wanted):
    """A case: SCRIPT in argv stands for a file with that text."""
    def words(context):
        return [w.replace('SCRIPT', context.path('script'))
                .replace('TREE', context.path('tree')) for w in argv]

    def machine(context):
        plant(context)
        context.write('script', script.encode())
        return words(context)

    def options(context):
        more = ['--memory', '256M']
        for path in [context.path('tree'), context.path('script'), *add]:
            if os.path.exists(path):
                more += ['--add', path]
        return more
    wanted.setdefault('needs', [argv[0]])
    return program(name, machine, options, host=words, limit=100, **wanted)


def interpreters():
    yield scripted('lua', ['/usr/bin/lua5.4', 'SCRIPT', 'TREE/text'], LUA)
    yield scripted('lua/-e', ['/usr/bin/lua5.4', '-e', 'print(1 + 1)'], '')
    yield program('sqlite3', ['/usr/bin/sqlite3', '-batch', '/tmp/fish.db'],
                  ['--memory', '128M'], stdin=SQL.encode(), limit=100,
                  needs=['/usr/bin/sqlite3'],
                  host=['sh', '-c', 'd=$(mktemp -d) && trap "rm -r $d" EXIT; '
                        'sqlite3 -batch "$d/fish.db"'])
    yield program('sqlite3/from memory', ['/usr/bin/sqlite3', ':memory:',
                                          'SELECT sqlite_version(), 6 * 7'],
                  needs=['/usr/bin/sqlite3'],
                  host=['sqlite3', ':memory:',
                        'SELECT sqlite_version(), 6 * 7'])
    library = [p for p in glob.glob('/usr/lib/python3.11') +
               glob.glob('/usr/lib/python3') if os.path.isdir(p)]
    python = '/usr/bin/python3.11'
    yield scripted('python3', [python, 'SCRIPT', 'TREE/text'], PYTHON,
                   add=library[:1])
    yield scripted('python3/-c', [python, '-c',
                                  'import json, sys; print(json.dumps('
                                  '[2 ** 70, sys.version_info[:2]]))'], '',
                   add=library[:1])
    yield scripted('python3/error', [python, '-c', '1 / 0'], '',
                   add=library[:1])
    yield scripted('perl', ['/usr/bin/perl', 'SCRIPT', 'TREE/text'], PERL,
                   add=['/usr/lib/x86_64-linux-gnu/perl-base'])
    yield scripted('perl/-e', ['/usr/bin/perl', '-e',
                               'print 2**10, "\\n"; exit 3'], '',
                   add=['/usr/lib/x86_64-linux-gnu/perl-base'])
    yield program('bc', ['/usr/bin/bc', '-lq'], stdin=BC,
                  host=['/usr/bin/bc', '-lq'], needs=['/usr/bin/bc'])
    yield program('openssl speed', ['/usr/bin/openssl', 'speed', '-elapsed',
                                    '-seconds', '1', 'sha256'],
                  ['--memory', '128M'], limit=100,
                  has=[r'^sha256 +[\d.]+k'], needs=['/usr/bin/openssl'])
    yield program('openssl sha256', ['/usr/bin/openssl', 'dgst', '-sha256',
                                     '-r'],
                  ['--memory', '128M'], stdin=b'remora' * 5000, limit=100,
                  host=['/usr/bin/openssl', 'dgst', '-sha256', '-r'],
                  needs=['/usr/bin/openssl'])


ESCAPE = b'\x1b'


def on_a_terminal():
    """vi, a shell and their like, typed at: the machine's console as a tty."""
    def vi(name, dialogue, **wanted):
        return program(name, [BUSYBOX, 'vi', '/tmp/text'], dialogue=dialogue,
                       needs=[BUSYBOX], **wanted)
    # An escape is one only if nothing follows it at once.
    yield vi('vi', [
        (rb'~.*100%', b'i'), (rb'I /tmp/text', b'hello from vi'),
        (rb'hello from vi', ESCAPE), (rb'- /tmp/text', b'yyp'),
        (rb'hello from vi', b':wq\r')], has=[r'2L, 28C'])
    yield vi('vi/not saved', [
        (rb'~.*100%', b'i'), (rb'I /tmp/text', b'word'),
        (rb'word', ESCAPE), (rb'- /tmp/text', b':q!\r')])
    yield program('shell/typed', [BUSYBOX, 'sh'], needs=[BUSYBOX], status=3,
                  dialogue=[(rb'[#$] ', b'echo $((6 * 7))\r'),
                            (rb'\n42\r\n.*[#$] ', b'exut\x7f\x7fit 3\r')])
    yield program('shell/interrupted', [BUSYBOX, 'sh'], needs=[BUSYBOX],
                  status=4, dialogue=[
                      (rb'[#$] ', b'echo go; while :; do :; done\r'),
                      (rb'done\r\n.*go\r\n', b'\x03'),
                      (rb'[#$] ', b'exit 4\r')])
    yield program('shell/end of file', [BUSYBOX, 'sh', '-c',
                                        'while read -r l; do echo "<$l>"; '
                                        'done; echo end'],
                  needs=[BUSYBOX], dialogue=[
                      (rb'', b'abc\r'), (rb'<abc>', b'\x04')],
                  has=[r'<abc>', r'^end'])
    yield program('terminal/size', [BUSYBOX, 'stty', 'size'],
                  needs=[BUSYBOX], dialogue=[], has=[r'^24 80'])
    yield program('terminal/interrupt', [BUSYBOX, 'sh', '-c',
                                         'echo ready; exec %s sleep 100'
                                         % BUSYBOX],
                  needs=[BUSYBOX], status=130, dialogue=[(rb'ready', b'\x03')])


def cases(_):
    for group in (busybox, interpreters, on_a_terminal):
        yield from group()
