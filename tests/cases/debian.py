# SPDX-License-Identifier: ISC
"""debian.py - Debian 12's programs, unmodified, from a whole root: shells,
compilers, databases, language runtimes.

The root is the one that `setup.sh conformance` makes, shared by 9P, or this
host's own, read-only, where the program is installed here.
"""
import os

from suite.case import Skip
from suite.machine import program

CACHE = os.environ.get('REMORA_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'),
    'remora')
ROOTS = (os.path.join(CACHE, 'roots/debian'), '/')
PROLOGUE = ('mount -t tmpfs tmpfs /tmp; mount -t tmpfs tmpfs /run; '
            'chmod 1777 /tmp; mkdir -p /dev/shm; export LC_ALL=C HOME=/tmp '
            'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; cd /tmp\n')


def root_with(needs):
    """The first root that has all these files."""
    for root in ROOTS:
        if all(os.path.exists(root + path) for path in needs):
            return root
    raise Skip('%s: neither here nor in a root made by setup.sh conformance'
               % ' '.join(needs))


def debian(name, script, needs=(), memory='512M', cpus=2, limit=100, **wanted):
    """A case: bash runs the script in the root, as root, in /tmp."""
    def options(_):
        root = root_with(['/bin/bash', *needs])
        return ['--memory', memory, '--cpus', str(cpus),
                '--share', root + ':/,ro']
    return program(name, ['/bin/bash', '-c', PROLOGUE + script], options,
                   limit=limit, **wanted)


def same(name, shell, script):
    """The same script by the same shell on this host must say the same."""
    case = debian(name, 'cat >s <<"END OF SCRIPT"\n%s\nEND OF SCRIPT\n'
                  '%s s; exit $?' % (script, shell), [shell], status=None)
    case.host = [shell, '-c', 'cd "$(mktemp -d)"; export LC_ALL=C; cat >s <<'
                 '"END OF SCRIPT"\n%s\nEND OF SCRIPT\n%s s 2>&1; r=$?; '
                 'rm -r "$PWD"; exit $r' % (script, shell)]
    return case


BASH = r'''
set -u
seq 1 1000 | sort -R | sort -n | tail -1
(sleep 0.1 & wait); echo $?
cat <<-X <<Y
	dropped
X
here $((6 * 7)) `echo document`
Y
cat <<<"a string"
trap 'echo usr1' USR1; trap 'echo err' ERR
kill -USR1 $$; false; trap - ERR
declare -A h=([one]=1 [two]=2); for k in "${!h[@]}"; do echo $k ${h[$k]}; done |
    sort
diff <(seq 5) <(seq 2 6); echo "status ${PIPESTATUS[*]}"
coproc C { while read -r l; do echo "<$l>"; done; }
pid=$C_PID
echo hello >&"${C[1]}"; read -r answer <&"${C[0]}"; echo "$answer"
eval "exec ${C[1]}>&-"; wait $pid; echo "coproc $?"
{ set -m; sleep 99 & kill -STOP %1; until jobs | grep -q Stop; do :; done; jobs
kill -CONT %1; kill %1
set +m; wait $!; echo $?; } 2>/dev/null
set -o pipefail; true | (exit 3) | cat; echo $?
f() { local x=$1; [ $x -le 1 ] && echo 1 || echo $((x * $(f $((x - 1))))); }
f 8
printf '%s\n' {a..c}{1..3} | paste -sd, ; echo ${BASH_REMATCH[0]-none}
[[ remora-0.1 =~ ([a-z]+)-([0-9.]+) ]]; echo ${BASH_REMATCH[2]} ${RANDOM//[0-9]/}
exec 7>out; echo seven >&7; exec 7>&-; mapfile -t m <out; echo ${m[0]} ${#m[@]}
(ulimit -n 5; exec 9>&1) 2>/dev/null; echo ulimit $?
mkfifo up; bash -c 'trap "echo term; exit 8" TERM; echo >up; while :; do :; done' &
read -r _ <up; kill -TERM $!; wait $!; echo $?; timeout -s TERM 0.2 sleep 99; echo $?; { bash -c 'kill -SEGV $$'; echo $?; } 2>/dev/null
for i in {1..50}; do (exit $i) & p[i]=$!; done; s=0
for i in {1..50}; do wait ${p[i]}; s=$((s + $?)); done; echo $s
read -r -t 0.1 x < <(exec sleep 99 2>/dev/null); echo read $(($? > 128))
trap 'echo leaving $?' EXIT
exit 6
'''

DASH = r'''
trap 'echo bye' 0; trap 'echo hup' HUP
kill -HUP $$
x=$(printf 'a\nb\nc\n' | while read -r l; do printf '%s-' "$l"; done); echo "$x"
{ echo out; echo err >&2; } 2>&1 | sort
i=0; while [ $i -lt 300 ]; do i=$((i + 1)); : >f$i; done; ls | wc -l
sh -c 'exit 42' || echo $?
mkfifo p; (echo through >p) & read -r y <p; echo $y; wait
set -- one "two words" three; for a; do echo "[$a]"; done; shift 2; echo $1 $#
cat <<'E' | tr a-z A-Z
$quoted
E
sleep 5 & kill $!; wait $!; echo $?
(trap '' TERM; exec sh -c 'kill -TERM $$; echo ignored') &
wait; echo ${x%-*} ${x#*-} ${#x} ${nothing:-default}
umask 027; : >private; ls -l private | cut -c1-10; test -x /bin/sh; echo $?
exec 5<s; read -r first <&5; read -r second <&5; echo "$second"
'''

COREUTILS = r'''
umask 022
seq 100 | shuf --random-source=/bin/sh | sort -n | cksum
seq 20 | split -l 7 - part; wc -l part*; tac partaa | nl | fold -w 4
printf 'a b\nb c\nc d\n' | tsort; factor 9999999967; numfmt --to=iec 123456789
join <(printf '1 x\n2 y\n') <(printf '1 p\n2 q\n'); comm -12 <(seq 4) <(seq 3 9)
mkdir -p d/e/f; touch -d '2001-02-03 04:05:06 UTC' d/e/f/g; cp -a d c
stat -c '%n %F %a %Y' c/e/f/g; ln c/e/f/g hard; stat -c %h hard
ln -s c/e sym; readlink -f sym/f | sed "s|$PWD||"; rm -r c; ls d sym 2>&1
install -m 640 s copy; stat -c '%a' copy; chmod u=rwx,go=rx copy; ls -l copy |
    cut -c1-10
dd if=/dev/zero of=sparse bs=1 count=1 seek=1M 2>/dev/null; stat -c %s sparse
truncate -s 5 sparse; od -An -tx1 sparse; cp --sparse=always sparse s2; cmp s2 sparse
timeout 0.2 sleep 5; echo $?; nice -n 5 nice; env -i A=1 env; nohup true 2>&1
mkfifo p; (tee q <p | md5sum) & seq 50 >p; wait; sha1sum q; b2sum q | cut -c1-9
seq 30 | csplit - 10 20 ; seq 3 | pr -t -2; expr 6 \* 7; date -u -d @0 +%c
echo text | base32 | base64; yes | head -n 100000 | uniq -c; seq 9 | paste - - -
mv d e; mv e/e/f/g .; test -e g; echo $?; rmdir e/e/f; ls -R e; cat nothing
chown 12:34 g; stat -c %u:%g g; chgrp 0 g; mktemp -u XXXX | wc -c; tty </dev/null
seq 1000 | tail -n +990 | head -n 3; printf '%b' 'x\ty\n' | expand; printenv HOSTX
ls -d / /bin/sh; dircolors -p | head -n 1; unlink g; link hard g; stat -c %i g hard |
    uniq | wc -l; sync; sum s2; realpath -m --relative-to=/a/b /a/c; stdbuf -o0 echo u
'''


def shells():
    yield debian('acceptance', 'seq 1 1000 | sort -R | sort -n | tail -1; '
                 '(sleep 1 & wait); echo $?', stdout=b'1000\n0\n')
    yield same('bash', '/bin/bash', BASH)
    yield same('dash', '/bin/dash', DASH)
    yield same('coreutils', '/bin/bash', COREUTILS)
    yield debian('procps', 'sleep 77 & until pgrep -x sleep >/dev/null; do :; done; '
                 'ps -eo pid,ppid,stat,args; top -bn1; '
                 'free; uptime; pgrep -l sleep; mount; df /tmp; pkill sleep; '
                 'wait $!; echo $?; vmstat; nproc; w -h; cat /proc/loadavg',
                 ['/usr/bin/top', '/usr/bin/pgrep'], has=[
                     r'^ +1 +0 \S+ +/bin/bash', r'^ +\d+ +1 S +sleep 77$',
                     r'^MiB Mem : +\d+', r'^Mem: +\d+', r' load average: ',
                     r'^\d+ sleep$', r'^share0 on / type 9p \(ro',
                     r'^tmpfs .* /tmp$', r'^143$', r'^ r  b +swpd',
                     r'^2$'])
    yield debian('lsof', 'exec 8>/tmp/open; sleep 99 | sleep 99 & '
                 'until [ "$(pgrep -xc sleep)" = 2 ]; do :; done; '
                 'lsof -p $$; lsof /tmp/open; lsof -c sleep; '
                 'flock /tmp/open sh -c "lslocks -nro type,mode,path; "'
                 '"lsof -a -d 8-9 /tmp/open"; '
                 'python3 -c "import os, socket; s = socket.socket(1); "'
                 '"s.bind(\'/tmp/named\'); s.listen(); "'
                 '"os.system(\'lsof -U\')"',
                 ['/usr/bin/lsof', '/usr/bin/lslocks', '/usr/bin/python3'],
                 has=[r'^bash +1 root +cwd +DIR ', r' 8w +REG .* /tmp/open$',
                      r'^bash +1 root +txt +REG .*bash$',
                      r'^sleep .* 0r +FIFO ', r'^FLOCK WRITE /tmp/open$',
                      r'^python3 .* 3u +unix .* /tmp/named type=STREAM '
                      r'\(LISTEN\)$'])


MAKE = r'''
for i in 1 2 3 4 5 6; do echo "int f$i(int x) { return x * $i; }" >f$i.c; done
cat >main.c <<X
#include <stdio.h>
int f1(int), f6(int);
int main(void) { printf("%d\n", f6(f1(7))); return 0; }
X
printf 'p: main.o f1.o f2.o f3.o f4.o f5.o f6.o\n\t$(CC) -o $@ $^\n' >Makefile
make -s -j4 CC=gcc && ./p; make -s -j4 CC=gcc; touch f3.c; make -n CC=gcc | wc -l
echo 'int main(void) { return' >bad.c; gcc bad.c || echo refused
'''
GIT = r'''
export GIT_CONFIG_NOSYSTEM=1; git config --global init.defaultBranch main
git config --global user.email a@b.c; git config --global user.name N
git init -q r; cd r; for i in 1 2 3; do echo $i >f$i; git add .
git commit -q -m c$i; done; git log --format=%s; git checkout -q -b side HEAD~1
echo 9 >f9; git add f9; git commit -q -m side; git checkout -q main
git merge -q -m merged side; git log --format=%s | head -n 1; ls; git gc -q
git fsck --strict && git clone -q . ../s && git -C ../s grep -n 9; echo x >>f1
git diff --stat; git stash -q; git status -s | wc -l; git stash pop -q
git bisect start -q HEAD HEAD~2 | head -n 1; git worktree list | wc -l
'''
PYTHON = r'''
cat >m.py <<X
import asyncio, multiprocessing as mp, os, signal, subprocess, threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory
def square(x):
    return x * x
def work(q, lock, count):
    with lock:
        count.value += 1
    q.put(os.getpid())
async def main():
    async def upper(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()
    server = await asyncio.start_unix_server(upper, "socket")
    async def ask(i):
        r, w = await asyncio.open_unix_connection("socket")
        w.write(b"fish%d\n" % i)
        return (await r.readline()).decode().strip()
    print(await asyncio.gather(*(ask(i) for i in range(5))))
    p = await asyncio.create_subprocess_shell("seq 3; exit 4",
                                              stdout=subprocess.PIPE)
    print((await p.communicate())[0], p.returncode)
if __name__ == "__main__":
    with mp.Pool(4) as pool:
        print("pool", sum(pool.map(square, range(1000))))
    q, lock, count = mp.Queue(), mp.Lock(), mp.Value("i", 0)
    ps = [mp.Process(target=work, args=(q, lock, count)) for _ in range(6)]
    [p.start() for p in ps]
    print("queue", len({q.get() for _ in ps}))
    [p.join() for p in ps]
    print("count", count.value, [p.exitcode for p in ps])
    mem = shared_memory.SharedMemory(create=True, size=100)
    other = shared_memory.SharedMemory(mem.name)
    mem.buf[0] = 7
    print("shared", other.buf[0])
    other.close(), mem.close(), mem.unlink()
    mp.set_start_method("spawn", force=True)
    with ProcessPoolExecutor(2) as e:
        print("spawned", list(e.map(square, range(5))))
    out = subprocess.run("cat; exit 3", shell=True, input=b"in",
                         capture_output=True)
    print("run", out.stdout, out.returncode)
    total, lock = 0, threading.Lock()
    def add():
        global total
        for _ in range(1000):
            with lock:
                total += 1
    ts = [threading.Thread(target=add) for _ in range(8)]
    [t.start() for t in ts], [t.join() for t in ts]
    print("threads", total)
    p = subprocess.Popen(["sleep", "100"])
    p.send_signal(signal.SIGINT)
    print("killed", p.wait())
    asyncio.run(main())
X
python3 m.py
'''
PERL = r'''
perl -e '
use threads; use IPC::Open3; use Socket; use POSIX;
print join(",", map { $_->join } map { threads->create(sub { $_[0] ** 2 }, $_) }
    1 .. 5), "\n";
open(P, "-|", "seq 3; exit 5"); print <P>; close P; print $? >> 8, "\n";
my $p = fork; exit 3 unless $p; waitpid $p, 0; print WEXITSTATUS($?), "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; sleep 9 }; print $@;
my $pid = open3(my $i, my $o, undef, "cat"); print $i "x\n"; close $i; print <$o>;
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); syswrite $a, "pair\n";
print scalar <$b>; printf "%s\n", (POSIX::uname())[0]; kill "STOP", 0 if 0;
'
'''
SQLITE = r'''
sqlite3 f.db 'create table t(a, b); pragma journal_mode=wal;'
for i in 1 2 3 4; do (for j in $(seq 25); do
    sqlite3 -cmd '.timeout 60000' f.db "insert into t values($i, $j)" || echo fail
done) & done; wait
sqlite3 f.db 'select count(*), sum(a * b) from t; pragma integrity_check'
sqlite3 f.db <<'X'
pragma journal_mode=delete;
begin exclusive;
.shell sqlite3 f.db "select 1 from t limit 1" || echo refused
commit;
X
'''
STRESS = ('stress-ng --cpu 2 --vm 2 --vm-bytes 32M --matrix 2 --verify -t 3 '
          '|| echo failed; nproc; lscpu')


def building():
    yield debian('make -j4, gcc', MAKE, ['/usr/bin/gcc', '/usr/bin/make'],
                 has=[r'^42\n2$', r'^refused$'])
    yield debian('git', GIT, ['/usr/bin/git'], has=[
        r'^c3\nc2\nc1\nmerged\nf1\nf2\nf3\nf9$', r'^f9:1:9$', r'^0$'])
    yield debian('python3', PYTHON, ['/usr/bin/python3',
                                     '/usr/lib/python3/dist-packages'], has=[
        r'^pool 332833500\nqueue 6\ncount 6 \[0, 0, 0, 0, 0, 0\]\nshared 7\n'
        r'spawned \[0, 1, 4, 9, 16\]\nrun b.in. 3\nthreads 8000\nkilled -2$',
        r"'FISH0', 'FISH1', 'FISH2', 'FISH3', 'FISH4'\]\nb.1.n2.n3.n. 4$"])
    yield debian('perl', PERL, ['/usr/bin/perl'], stdout=(
        b'1,4,9,16,25\n1\n2\n3\n5\n3\nalarm\nx\npair\nLinux\n'))
    yield debian('sqlite3, four writers', SQLITE, ['/usr/bin/sqlite3'],
                 has=[r'^wal\n100\|3250\nok\ndelete$', r'^refused$'])
    yield debian('stress-ng', STRESS, ['/usr/bin/stress-ng'], lacks=['fail'],
                 has=[r'^CPU\(s\): +2$'])


STRACE = r'''
strace -f -o log sh -c 'cat /etc/passwd | wc -c >/dev/null; exit 3'; echo $?
grep -c 'exited with' log; grep -o 'execve("/[^"]*", \["wc"' log
strace -c -o log ls / >/dev/null; tail -n 1 log
'''
GDB = r'''
sleep 100 & gdb -p $! -batch -ex bt; kill $!; wait $!; echo "sleep $?"
cat >a.c <<X
int f(int x) { return x * 2; }
int main(void) { int s = 0; for (int i = 0; i < 5; i++) s += f(i); return s; }
X
gcc -g -o a a.c
gdb -batch -ex 'break f if x == 3' -ex run -ex bt -ex finish -ex cont ./a
'''
CORE = r'''
cat >c.c <<X
#include <pthread.h>
#include <string.h>
#include <unistd.h>
static int ready[2];
static void *waits(void *a) { while (write(ready[1], "x", 1)) pause(); return a; }
static int inner(int n) {
    char *heap = strdup("on the heap");
    if (n > 0) return inner(n - 1) + heap[n];
    *(volatile int *)8 = heap[0]; return 1;
}
int main(int c, char **v) {
    pthread_t t; char b; pipe(ready);
    for (long i = 1; i < 4; i++)
        { pthread_create(&t, 0, waits, (void *)i); read(ready[0], &b, 1); }
    return inner(c);
}
X
gcc -g -o c c.c; ulimit -c unlimited; ./c; echo "status $?"; stat -c %a core
gdb -batch -ex 'thread apply all bt' -ex 'print $_siginfo.si_signo' \
    -ex 'frame function inner' -ex 'print heap' -ex 'x/i $pc' c core
'''
REDIS = r'''
redis-server --unixsocket /tmp/r --enable-debug-command local --port 0 --dir /tmp --save '' >log 2>&1 &
r='redis-cli -s /tmp/r'; until $r ping 2>/dev/null; do sleep 0.1; done
$r set a 5; $r incr a; for i in 1 2 3; do $r lpush l $i; done; $r lrange l 0 -1
$r debug populate 5000; $r bgsave
until [ "$($r lastsave)" -gt 0 ] && grep -q 'terminated with success' log
do sleep 0.1; done
$r info persistence | grep last_bgsave_status; $r bgrewriteaof
redis-benchmark -s /tmp/r -n 1000 -c 10 -q -t set,get --csv; $r flushall
$r shutdown nosave; wait; echo ended $?; redis-check-rdb dump.rdb
'''
JAVA = r'''
java -version; cat >T.java <<X
import java.util.*; import java.util.concurrent.*;
public class T {
    static int deep(int i) { return deep(i + 1) + 1; }
    public static void main(String[] a) throws Exception {
        ExecutorService e = Executors.newFixedThreadPool(8);
        List<Future<Long>> f = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            final int n = i;
            f.add(e.submit(() -> { long s = 0;
                for (int j = 0; j < 20000; j++) s += j * n; return s; }));
        }
        long t = 0;
        for (Future<Long> x : f) t += x.get();
        e.shutdown();
        System.out.println("total " + t);
        System.out.println(new ProcessBuilder("echo", "child").inheritIO()
            .start().waitFor());
        try { ((Object) null).hashCode(); }
        catch (NullPointerException x) { System.out.println("null"); }
        try { deep(0); }
        catch (StackOverflowError x) { System.out.println("deep"); }
        byte[][] waste = new byte[100][];
        for (int i = 0; i < 2000; i++) waste[i % 100] = new byte[100000];
        System.gc();
        System.exit(7);
    }
}
X
java T.java; echo status $?
'''
NODE = r'''
cat >t.js <<'X'
const { Worker } = require('worker_threads'), fs = require('fs');
const cp = require('child_process'), net = require('net');
const left = new Set(['worker', 'child', 'file', 'timer', 'socket']);
const done = (what, value) => { console.log(what, value); left.delete(what);
    if (left.size == 0) process.exit(5); };
new Worker("require('worker_threads').parentPort.postMessage(42)",
    { eval: true }).on('message', (m) => done('worker', m));
cp.exec('echo out; exit 3', (e, o) => done('child', o.trim() + e.code));
fs.writeFileSync('x', 'y'.repeat(100000));
fs.readFile('x', (e, d) => done('file', d.length));
setTimeout(() => done('timer', 1), 50);
net.createServer((c) => c.end('served')).listen('/tmp/sock', () =>
    net.connect('/tmp/sock').on('data', (d) => done('socket', d.toString())));
X
node t.js; echo status $?
'''
GO = r'''
export GOCACHE=/tmp/cache GOFLAGS=-mod=mod; cat >m.go <<X
package main
import ("fmt"; "os"; "os/exec"; "os/signal"; "sync"; "syscall"; "time")
func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			time.Sleep(time.Millisecond)
			mu.Lock(); n += i; mu.Unlock()
		}(i)
	}
	wg.Wait()
	o, e := exec.Command("/bin/echo", "child").Output()
	fmt.Println("sum", n, string(o), e)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-c)
	defer func() { fmt.Println(recover()); os.Exit(9) }()
	var p *int
	*p = 1
}
X
go build -o m m.go && ./m; echo status $?
'''


def servers():
    yield debian('strace', STRACE, ['/usr/bin/strace'], has=[
        r'^3\n3\nexecve\("/usr/bin/wc", \["wc"$', r'^100\.00 .* total$'])
    yield debian('gdb', GDB, ['/usr/bin/gdb', '/usr/bin/gcc'], has=[
        r'^#0 .* in clock_nanosleep', r'^sleep 143$', r'^#0  f \(x=3\) at a.c',
        r'^#1 .* in main \(\) at a.c:2$', r'^Value returned is \$1 = 6$',
        r'exited with code 024'])
    yield debian('core', CORE, ['/usr/bin/gdb', '/usr/bin/gcc'], has=[
        r'Segmentation fault +\(core dumped\)', r'^status 139\n600$',
        r'^Program terminated with signal SIGSEGV', r'in waits \(a=0x3\) at c.c',
        r'^#0 .* inner \(n=0\) at c.c', r'^#1 .* in inner \(n=1\) at c.c',
        r'^#2 .* in main \(c=1, ', r'^\$1 = 11$', r'= 0x\w+ "on the heap"$'])
    yield debian('redis', REDIS, ['/usr/bin/redis-server'], has=[
        r'^PONG\nOK\n6\n1\n2\n3\n3\n2\n1\nOK\n', r'status:ok', r'^ended 0$',
        r'RDB looks OK'])
    yield debian('java', JAVA, ['/usr/bin/java', '/usr/bin/javac'], '1G',
                 limit=200, has=[r'^openjdk version "17', r'^child\n0\nnull\n'
                                 r'deep\nstatus 7$', r'^total 244987750000$'])
    yield debian('node', NODE, ['/usr/bin/node'], '1G', has=[
        r'^worker 42$', r'^child out3$', r'^file 100000$', r'^timer 1$',
        r'^socket served$', r'^status 5$'])
    yield debian('go', GO, ['/usr/bin/go', '/usr/bin/gcc'], '1G', limit=280,
                 has=[r'^sum 499500 child\n <nil>\nuser defined signal 1\n'
                      r'runtime error: invalid memory address.*\n'
                      r'status 9$'])


def cases(_):
    yield from shells()
    yield from building()
    yield from servers()
