/* SPDX-License-Identifier: ISC */
/*
 * fuzz_calls.c - random system calls: every number, arguments of every kind,
 * threads that race, several processes at once.  The machine must stay up,
 * every process must end when it is killed, and when all are gone the memory
 * must be back.
 *
 *     fuzz_calls [SECONDS [SEED [NUMBER [ROUND]]]]
 *
 * Rounds have a number; the seed and a round's number make the same calls
 * again.  NUMBER: this system call only, -1: all; ROUND: always this one.  A
 * round is a process of a user of
 * its own, with a few threads, in an empty folder; it is killed after a while.
 */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#define NTHREADS  3
#define CALLS     4000 /* of one thread in a round, at most */
#define ROUND_MS  400
#define FIRST_UID 20000
#define PAGE      4096ul
#define AREA      (64 * PAGE)

static uint64_t seed;
static long only = -1, only_round = -1;
static uint64_t *ncalls; /* shared by all */

/* ---- chance ---- */

struct chance {
	uint64_t state;
};

static uint64_t
draw(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static unsigned
below(struct chance *c, unsigned n)
{
	return draw(c) % n;
}

/* ---- what calls are made with ---- */

static char *area;     /* read and write, then a page of each other kind */
static char *readonly; /* a page that may be read, one that may not */

static const char *const paths[] = { "a", "b", "c/d", ".", "..", "/", "",
	"a/b/c", "/proc/self/maps", "/proc/self/fd/3", "/proc/self/mem",
	"/proc/self/stat", "/proc/self/environ", "/proc/self/smaps",
	"/proc/self/task", "/proc/self/exe", "/proc/1/status", "/proc/stat",
	"/proc/meminfo", "/proc/sys/kernel/hostname", "/proc/self/cwd/a",
	"/proc/self/pagemap", "/proc/self/comm", "/proc/self/oom_score_adj",
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/ptmx",
	"/dev/pts/0", "/dev/tty", "/dev/shm/x", "/tmp/x", "/sys", "/sys/bus",
	"/sys/devices/system/cpu/online", "link", "fifo", "socket", "/proc",
	"/proc/sysvipc/shm", "/proc/self/ns/pid", "user.attribute" };
#define NPATHS (sizeof(paths) / sizeof(paths[0]))

/* The first fixed ones; what calls open comes after. */
static void
open_some(struct chance *c)
{
	int p[2], fd;

	fd = open("a", O_RDWR | O_CREAT, 0600);
	if (fd >= 0 && write(fd, area, below(c, 3 * PAGE)) < 0)
		close(fd);
	if (pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0)
		(void)socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p);
	(void)open("/dev/zero", O_RDWR);
	(void)open("/dev/null", O_RDWR);
	(void)open(".", O_RDONLY | O_DIRECTORY);
	(void)open("/dev/ptmx", O_RDWR | O_NOCTTY);
	(void)open("/proc/self/stat", O_RDONLY);
	(void)open("/proc/self/mem", O_RDWR);
	(void)eventfd(below(c, 3), EFD_NONBLOCK);
	(void)epoll_create1(0);
	(void)inotify_init1(IN_NONBLOCK);
	(void)timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	(void)syscall(SYS_memfd_create, "m", 2);
	(void)syscall(SYS_pidfd_open, getpid(), 0);
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
	(void)mkfifo("fifo", 0600);
	(void)symlink("a", "link");
	(void)mkdir("c", 0700);
}

/* Small numbers, sizes, bits, limits, masks. */
static uint64_t
number(struct chance *c)
{
	switch (below(c, 8)) {
	case 0: return below(c, 16);
	case 1: return 1ull << below(c, 64);
	case 2: return (1ull << below(c, 64)) - 1;
	case 3: return -(uint64_t)below(c, 16);
	case 4: return below(c, 300);
	case 5: return below(c, 40) * PAGE;
	case 6: return (1ull << below(c, 32)) | (1ull << below(c, 32));
	default: return draw(c) >> below(c, 64);
	}
}

static uint64_t
pointer(struct chance *c)
{
	switch (below(c, 16)) {
	case 0: return 0;
	case 1: return (uint64_t)readonly + below(c, PAGE);
	case 2: return (uint64_t)readonly + PAGE + below(c, PAGE);
	case 3: return 0xffff800000000000ull + below(c, PAGE);
	case 4: return (uint64_t)area + AREA - below(c, 64);
	case 5: return 0x800000000000ull - below(c, 64);
	case 6: return draw(c);
	case 7:
		return (
		    uint64_t)paths[below(c, sizeof(paths) / sizeof(paths[0]))];
	case 8: return (uint64_t)area + below(c, AREA);
	default: return (uint64_t)area + (below(c, AREA) & ~15u);
	}
}

static uint64_t
argument(struct chance *c)
{
	switch (below(c, 8)) {
	case 0:
	case 1: return below(c, 32); /* a descriptor, or nearly */
	case 2:
	case 3: return number(c);
	case 4:
		return (
		    uint64_t)paths[below(c, sizeof(paths) / sizeof(paths[0]))];
	default: return pointer(c);
	}
}

/* The words that structs are made of. */
static void
fill_area(struct chance *c)
{
	uint64_t *words = (uint64_t *)area;
	unsigned i, n = 16 + below(c, 240);
	unsigned at = below(c, AREA / 8 - n);

	for (i = at; i < at + n; i++)
		switch (below(c, 6)) {
		case 0: words[i] = pointer(c); break;
		case 1: words[i] = number(c); break;
		case 2: words[i] = below(c, 64); break;
		case 3: words[i] = 0; break;
		case 4:
			words[i] = (uint64_t)below(c, 40) << 32 | below(c, 40);
			break;
		default: words[i] = AF_UNIX | (uint64_t)'a' << 16; break;
		}
}

/*
 * Left out: what would end the round at once, or make it wait for nothing.
 * What needs privilege is asked, without it.
 */
static bool
left_out(long nr)
{
	return nr == SYS_exit || nr == SYS_exit_group || nr == SYS_pause ||
	    nr == SYS_rt_sigreturn || nr == SYS_rt_sigsuspend;
}

static long
choose(struct chance *c)
{
	long nr;

	if (only >= 0)
		return only;
	do
		nr = below(c, 100) == 0 ? (long)number(c) :
		    below(c, 5) == 0    ? 424 + below(c, 30) :
					  (long)below(c, 335);
	while (left_out(nr));
	return nr;
}

/* A new task on the same stack would have to come back from here. */
static bool
makes_tasks(long nr)
{
	return nr == SYS_clone || nr == SYS_clone3 || nr == SYS_fork ||
	    nr == SYS_vfork;
}

static void
make_task(struct chance *c)
{
	uint64_t flags = 0;
	unsigned i;
	long pid;

	for (i = below(c, 6); i > 0; i--)
		flags |= 1ull << (8 + below(c, 24));
	/* Memory is shared by threads of the C library only. */
	flags &= ~(uint64_t)(CLONE_VM | CLONE_VFORK | CLONE_SETTLS);
	pid = syscall(SYS_clone, flags | below(c, 65), 0, pointer(c),
	    pointer(c), 0);
	if (pid == 0) {
		for (i = below(c, 20); i > 0; i--)
			syscall(choose(c), argument(c), argument(c),
			    argument(c), argument(c), argument(c), argument(c));
		_exit(0);
	}
}

#include "fuzz_plans.h"

static void *
caller(void *arg)
{
	struct chance c = { (uint64_t)arg };
	unsigned i;
	long nr;

	for (i = 0; i < CALLS; i++) {
		if (i % 16 == 0)
			fill_area(&c);
		if (only < 0 && below(&c, 32) == 0)
			plan(&c);
		nr = choose(&c);
		__atomic_add_fetch(ncalls, 1, __ATOMIC_RELAXED);
		if (makes_tasks(nr))
			make_task(&c);
		else if (nr == SYS_mq_open) /* a name that clean() knows */
			syscall(nr, paths[below(&c, NPATHS)], argument(&c),
			    argument(&c), argument(&c));
		else
			syscall(nr, argument(&c), argument(&c), argument(&c),
			    argument(&c), argument(&c), argument(&c));
	}
	return NULL;
}

/* ---- a round ---- */

static void
limit(int what, uint64_t value)
{
	struct rlimit l = { value, value };

	setrlimit(what, &l);
}

/* Runners are no victims when memory is out; rounds are. */
static void
set_adj(int adj)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	snprintf(text, sizeof(text), "%d", adj);
	if (write(fd, text, strlen(text)) < 0)
		_exit(8);
	close(fd);
}

static void
prepare(struct chance *c, unsigned uid, const char *folder)
{
	limit(RLIMIT_AS, 64ul << 20);
	limit(RLIMIT_FSIZE, 1ul << 20);
	limit(RLIMIT_NOFILE, 64);
	limit(RLIMIT_NPROC, 24);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MEMLOCK, 1ul << 20);
	set_adj(0);
	if (chdir(folder) != 0 || setgid(uid) != 0 || setuid(uid) != 0)
		_exit(9);
	area = mmap(NULL, AREA + 2 * PAGE, PROT_READ | PROT_WRITE,
	    below(c, 2) == 0 ? MAP_PRIVATE | MAP_ANONYMOUS :
			       MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	if (area == MAP_FAILED)
		_exit(9);
	readonly = area + AREA;
	mprotect(readonly, PAGE, PROT_READ);
	mprotect(readonly + PAGE, PAGE, PROT_NONE);
}

static void
round_of(uint64_t n, unsigned uid, const char *folder, int ready)
{
	struct chance c = { seed ^ n * 0x9e3779b97f4a7c15ull };
	pthread_t t;
	int i, fd;

	prepare(&c, uid, folder);
	if (write(ready, "", 1) != 1)
		_exit(9);
	fd = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++)
		dup2(fd, i);
	for (i = 3; i < 64; i++)
		close(i);
	open_some(&c);
	for (i = 0; i < NTHREADS - 1; i++)
		pthread_create(&t, NULL, caller, (void *)draw(&c));
	caller((void *)draw(&c));
	_exit(0);
}

/* true: who ends a user's processes came to its end, and by itself. */
static bool
killer_did_it(pid_t pid)
{
	int64_t until = check_now_ms() + 2000;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (check_now_ms() > until) /* stopped, or traced */
			kill(pid, SIGKILL);
		usleep(500);
	}
	return status == 77 << 8;
}

/*
 * Begins a round; once it is that user's, or has ended: who kills all that is
 * that user's before would miss it.
 */
static pid_t
begin_round(uint64_t n, unsigned uid, const char *folder)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		round_of(n, uid, folder, ready[1]);
	close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) < 0)
		check_note("round %lu: errno %d of its pipe", n, errno);
	close(ready[0]);
	return pid;
}

/*
 * Ends everything of that user's.  Who does that is that user's, too, and may
 * be killed or stopped by one of those before: then another one does.
 */
static void
kill_user(unsigned uid)
{
	pid_t pid;

	do {
		pid = fork();
		if (pid == 0) {
			if (setgid(uid) != 0 || setuid(uid) != 0)
				_exit(78);
			kill(-1, SIGKILL);
			_exit(77);
		}
		if (pid < 0) /* no memory just now */
			usleep(10000);
	} while (pid < 0 || !killer_did_it(pid));
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	if (at->level > 0)
		remove(path);
	return 0;
}

/* false: somebody who was killed does not end. */
static bool
wait_for_all(void)
{
	int64_t until = check_now_ms() + 90000;
	pid_t pid;

	while (check_now_ms() < until) {
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
		if (pid < 0)
			return true;
		if (pid == 0)
			usleep(1000);
	}
	return false;
}

static void
tell_file(const char *pid, const char *file)
{
	char name[64], text[900], *p;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%s/%s", pid, file);
	fd = open(name, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	check_note("%s: %s", name, text);
}

/* What all processes, and their threads, wait for. */
static void
tell_who_is_left(void)
{
	DIR *d = opendir("/proc"), *tasks;
	struct dirent *e, *t;
	char name[300];

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(name, sizeof(name), "/proc/%s/task", e->d_name);
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		tell_file(e->d_name, "stat");
		tell_file(e->d_name, "status");
		tasks = opendir(name);
		while (tasks != NULL && (t = readdir(tasks)) != NULL)
			if (t->d_name[0] != '.')
				tell_file(t->d_name, "syscall");
		closedir(tasks);
	}
	closedir(d);
}

/* One of those who run rounds one after the other. */
static int
runner(unsigned which, unsigned nrunners, uint64_t first, int64_t end)
{
	unsigned uid = FIRST_UID + which;
	int64_t until;
	char folder[32];
	uint64_t n;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_adj(-1000);
	snprintf(folder, sizeof(folder), "/fuzz%u", which);
	mkdir(folder, 0777);
	for (n = first + which; check_now_ms() < end; n += nrunners) {
		if (chown(folder, uid, uid) != 0 || chmod(folder, 0777) != 0)
			return 3;
		pid = begin_round(only_round >= 0 ? only_round : (long)n, uid,
		    folder);
		until = check_now_ms() + ROUND_MS;
		while (
		    check_now_ms() < until && waitpid(pid, NULL, WNOHANG) == 0)
			usleep(2000);
		kill_user(uid);
		if (!wait_for_all()) {
			check_note("round %lu with seed %lu, user %u: killed, "
				   "and there still",
			    n, seed, uid);
			tell_who_is_left();
			return 2;
		}
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	rmdir(folder);
	return 0;
}

/* ---- what is left behind ---- */

static void
remove_ipc(void)
{
	struct shmid_ds shm;
	struct semid_ds sem;
	struct msqid_ds msg;
	int i, id;

	for (i = 0; i < 4096; i++) {
		id = shmctl(i, 13, &shm); /* SHM_STAT */
		if (id >= 0)
			shmctl(id, IPC_RMID, NULL);
		id = semctl(i, 0, 18, &sem); /* SEM_STAT */
		if (id >= 0)
			semctl(id, 0, IPC_RMID);
		id = msgctl(i, 11, &msg); /* MSG_STAT */
		if (id >= 0)
			msgctl(id, IPC_RMID, NULL);
	}
}

static void
clean(void)
{
	unsigned i;
	int fd;

	remove_ipc();
	for (i = 0; i < NPATHS; i++)
		syscall(SYS_mq_unlink, paths[i]);
	nftw("/tmp", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw("/dev/shm", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd >= 0 && write(fd, "3", 1) != 1)
		check_note("drop_caches: errno %d", errno);
	close(fd);
}

static long
free_kib(void)
{
	return check_number("/proc/meminfo", "MemFree:");
}

static unsigned
processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		n += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	closedir(d);
	return n;
}

static int
phase(unsigned nrunners, uint64_t first, int64_t ms)
{
	int64_t end = check_now_ms() + ms;
	int status, bad = 0;
	unsigned i;

	for (i = 0; i < nrunners; i++)
		if (fork() == 0)
			_exit(runner(i, nrunners, first, end));
	for (i = 0; i < nrunners; i++)
		if (waitpid(-1, &status, 0) < 0 || status != 0)
			bad++;
	clean();
	return bad;
}

int
main(int argc, char **argv)
{
	int64_t ms = 1000 * (argc > 1 ? atol(argv[1]) : 6);
	unsigned nrunners = sysconf(_SC_NPROCESSORS_ONLN) + 1, before;
	long after_first, after_second;

	seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	if (argc > 3)
		only = atol(argv[3]);
	if (argc > 4)
		only_round = atol(argv[4]);
	mkdir("/tmp", 0777);
	chmod("/tmp", 0777);
	ncalls = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(ncalls != MAP_FAILED);
	before = processes();
	CHECK_RET(phase(nrunners, 0, ms / 3), 0);
	after_first = free_kib();
	CHECK_RET(phase(nrunners, 1000000, ms - ms / 3), 0);
	after_second = free_kib();
	CHECK_RET(processes(), before);
	check_note("seed %lu, %lu calls, %ld kB free, then %ld", seed, *ncalls,
	    after_first, after_second);
	/* Tables that grew stay; what leaks does so at each round. */
	CHECK(after_second >= after_first - 1100);
	return check_done();
}
