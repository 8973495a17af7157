/* SPDX-License-Identifier: ISC */
/*
 * smp_kill.c - whoever is killed ends: processes that trace each other, are
 * stopped, sleep, run, or end just now, killed in any order by two threads at
 * once.  And what the other threads of a process do when one of them ends or
 * begins a new program.
 *
 *     smp_kill [ROUNDS [SEED]]
 */
#include "traced.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define P_SETOPTIONS 0x4200
#define P_SEIZE      0x4206
#define P_INTERRUPT  0x4207
#define OPT_EXIT     0x40
#define EV_EXIT      6
#define PATIENCE_MS  90000

#define KILLED_BY(sig) (sig)
#define EXITED(code)   ((code) << 8)

static uint64_t chance = 1;
static struct shared {
	pid_t pid[3]; /* of a round */
	pid_t child;
	int ready;
} * shared;

static unsigned
below(unsigned n)
{
	uint64_t z = chance += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % n;
}

/* What wait(2) tells next of pid; -1: nothing, for very long. */
static int
status_of(pid_t pid)
{
	int64_t until = check_now_ms() + PATIENCE_MS;
	int status;

	while (check_now_ms() < until) {
		if (waitpid(pid, &status, __WALL | WNOHANG) == pid)
			return status;
		usleep(500);
	}
	kill(pid, SIGKILL);
	return -1;
}

static void
wait_until_ready(int n)
{
	while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) < n)
		sched_yield();
}

static void
now_ready(void)
{
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
}

/* ---- the first thread ends, others go on ---- */

static void *
sleeps(void *arg)
{
	(void)arg;
	now_ready();
	for (;;)
		poll(NULL, 0, -1);
	return NULL;
}

static void *
exits_with_5(void *arg)
{
	char path[64];

	/* Once the first thread has ended, it is a zombie there. */
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	for (;;) {
		char text[64] = "";
		int fd = open(path, O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
		    strstr(text, ") Z") != NULL)
			break;
		close(fd);
		sched_yield();
	}
	syscall(SYS_exit, 5);
	return arg;
}

/* A process whose first thread ends, and is stopped there for its tracer. */
static pid_t
stopped_at_end(void)
{
	pthread_t t;
	pid_t pid;

	shared->ready = 0;
	pid = fork();
	if (pid == 0) {
		pt(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		pthread_create(&t, NULL, sleeps, NULL);
		wait_until_ready(1);
		syscall(SYS_exit, 3);
	}
	if (status_of(pid) != (SIGSTOP << 8 | 0x7f))
		return -1;
	pt(P_SETOPTIONS, pid, 0, OPT_EXIT);
	pt(PTRACE_CONT, pid, 0, 0);
	if (status_of(pid) != ((SIGTRAP | EV_EXIT << 8) << 8 | 0x7f))
		return -1;
	return pid;
}

static void
first_thread_ends(void)
{
	pthread_t t;
	pid_t pid;

	pid = stopped_at_end();
	REQUIRE(pid > 0);
	CHECK_RET(kill(pid, SIGTERM), 0);
	pt(PTRACE_CONT, pid, 0, 0); /* unless that woke it already */
	CHECK_RET(status_of(pid), KILLED_BY(SIGTERM));
	pid = stopped_at_end();
	REQUIRE(pid > 0);
	CHECK_RET(kill(pid, SIGKILL), 0);
	CHECK_RET(status_of(pid), KILLED_BY(SIGKILL));
	pid = fork();
	if (pid == 0) {
		pthread_create(&t, NULL, exits_with_5, NULL);
		syscall(SYS_exit, 3);
	}
	CHECK_RET(status_of(pid), EXITED(5));
}

/* ---- a new program in the place of several threads ---- */

static void *
vforks(void *arg)
{
	pid_t pid = vfork();

	if (pid == 0) {
		shared->child = syscall(SYS_getpid);
		now_ready();
		for (;;)
			syscall(SYS_poll, NULL, 0, -1);
	}
	return arg;
}

static void *
spins(void *arg)
{
	now_ready();
	for (;;)
		__asm__ volatile("pause");
	return arg;
}

static void
ignore(int sig)
{
	(void)sig;
}

static void *
is_signalled(void *arg)
{
	now_ready();
	for (;;)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
	return arg;
}

static void
new_program(void *(*other)(void *), int nothers)
{
	char *argv[] = { "smp_kill", "--end", NULL };
	pthread_t t;
	int i;

	signal(SIGUSR1, ignore);
	for (i = 0; i < nothers; i++)
		pthread_create(&t, NULL, other, NULL);
	wait_until_ready(nothers);
	execv("/proc/self/exe", argv);
	_exit(1);
}

/* Its status at the end; -1 if it came to none. */
static int
status_of_new_program(void *(*other)(void *), int nothers)
{
	pid_t pid;

	shared->ready = 0;
	pid = fork();
	if (pid == 0)
		new_program(other, nothers);
	return status_of(pid);
}

static void
threads_before_exec(void)
{
	int i, bad = 0;

	CHECK_RET(status_of_new_program(vforks, 1), EXITED(9));
	REQUIRE(shared->child > 0);
	CHECK_RET(kill(shared->child, SIGKILL), 0);
	CHECK_RET(status_of(shared->child), KILLED_BY(SIGKILL));
	CHECK_RET(status_of_new_program(spins, 2), EXITED(9));
	for (i = 0; i < 20 && bad == 0; i++)
		bad += status_of_new_program(is_signalled, 3) != EXITED(9);
	CHECK_RET(bad, 0);
}

/* ---- rounds ---- */

/* What a process of a round does to the next one, for ever. */
static void
torment(unsigned self)
{
	pid_t other = shared->pid[(self + 1) % 3];
	int status;

	for (;;) {
		switch (below(12)) {
		case 0: /* only one of them waits at the end of another */
			pt(P_SEIZE, other, 0, self == 0 ? OPT_EXIT : 0);
			break;
		case 1: pt(PTRACE_ATTACH, other, 0, 0); break;
		case 2: pt(P_INTERRUPT, other, 0, 0); break;
		case 3: kill(other, SIGSTOP); break;
		case 4: kill(other, SIGCONT); break;
		case 5: kill(other, SIGUSR1); break;
		case 6: pt(PTRACE_DETACH, other, 0, 0); break;
		case 7: poll(NULL, 0, below(3)); break;
		default: pt(PTRACE_CONT, other, 0, 0); break;
		}
		while (waitpid(-1, &status, __WALL | WNOHANG) > 0)
			;
	}
}

static void *
ends_soon(void *arg)
{
	poll(NULL, 0, below(3));
	return arg;
}

static void
one_of_three(unsigned self)
{
	void *(*const other[])(
	    void *) = { sleeps, spins, ends_soon, is_signalled };
	unsigned i, n;
	pthread_t t;

	signal(SIGUSR1, ignore);
	chance += self * 7919;
	for (i = 0, n = below(3); i < n; i++)
		pthread_create(&t, NULL, other[below(4)], NULL);
	if (below(4) == 0 && fork() == 0)
		pt(PTRACE_TRACEME, 0, 0, 0);
	if (below(8) == 0) {
		pt(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
	}
	torment(self);
}

static void *
kills(void *arg)
{
	const unsigned *order = arg;
	unsigned i;

	for (i = 0; i < 3; i++)
		if (order[i] < 3)
			kill(shared->pid[order[i]], SIGKILL);
	return NULL;
}

static void
tell_all(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[300], text[100];
	ssize_t n;
	int fd;

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		fd = open(path, O_RDONLY);
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		check_note("%s", text);
		close(fd);
	}
	closedir(d);
}

/* Until nobody is left; what they left behind comes to us, and is killed. */
static bool
all_end(void)
{
	int64_t until = check_now_ms() + PATIENCE_MS;
	int status;
	pid_t pid;

	while (check_now_ms() < until) {
		pid = waitpid(-1, &status, __WALL | WNOHANG);
		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid > 0 && !WIFEXITED(status) && !WIFSIGNALED(status))
			kill(pid, SIGKILL); /* it stopped, as our tracee */
		if (pid == 0)
			usleep(100);
	}
	tell_all();
	return false;
}

/* The children of the three are in their group, and nobody else is. */
static bool
one_round(void)
{
	unsigned order[2][3] = { { 0, 1, 2 }, { 3, 3, 3 } }, i, j, swap;
	pthread_t t;
	pid_t pid;

	for (i = 0; i < 3; i++) {
		while ((pid = fork()) < 0)
			usleep(10000); /* as many as may be, for now */
		if (pid == 0) {
			wait_until_ready(1);
			one_of_three(i);
		}
		shared->pid[i] = pid;
		setpgid(pid, shared->pid[0]);
	}
	now_ready();
	for (i = below(200); i > 0; i--)
		sched_yield();
	for (i = 2; i > 0; i--) {
		j = below(i + 1);
		swap = order[0][i];
		order[0][i] = order[0][j];
		order[0][j] = swap;
	}
	for (i = 0; i < 3; i++)
		if (below(2) == 0) {
			order[1][i] = order[0][i];
			order[0][i] = 3;
		}
	pthread_create(&t, NULL, kills, order[1]);
	kills(order[0]);
	pthread_join(t, NULL);
	kill(-shared->pid[0], SIGKILL);
	return all_end();
}

static void
rounds(int n)
{
	int i, bad = 0;

	for (i = 0; i < n && bad == 0; i++) {
		shared->ready = 0;
		bad += !one_round();
	}
	CHECK_RET(bad, 0);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--end") == 0)
		return 9;
	chance = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared != MAP_FAILED);
	CHECK_RET(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	first_thread_ends();
	threads_before_exec();
	rounds(argc > 1 ? atoi(argv[1]) : 40);
	return check_done();
}
