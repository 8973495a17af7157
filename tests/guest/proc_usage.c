/* SPDX-License-Identifier: ISC */
/*
 * proc_usage.c - what a process has used (faults, memory at most), what it
 * keeps for itself and its children (timer slack, classes), and who may leave
 * which class.  getrusage(2), prctl(2), sched_setattr(2), ioprio_set(2).
 */
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KEEP_CAPS 0x10 /* SECBIT_KEEP_CAPS */
#define KEEP_ALL  0x18 /* SCHED_FLAG_KEEP_POLICY, _PARAMS */
#define NPAGES    2048

static int
ended(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static void
touch_pages(void)
{
	size_t i, size = NPAGES * 4096ul;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, size, MADV_NOHUGEPAGE);
	for (i = 0; i < size; i += 4096)
		p[i] = 1;
	munmap(p, size);
}

static void
memory_and_faults(void)
{
	struct rusage before, after, child;
	int status;
	pid_t pid;

	CHECK_RET(getrusage(RUSAGE_CHILDREN, &before), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_RET(getrusage(RUSAGE_THREAD, &before), 0);
		touch_pages();
		CHECK_RET(getrusage(RUSAGE_THREAD, &after), 0);
		CHECK(after.ru_minflt >= before.ru_minflt + NPAGES);
		CHECK(after.ru_maxrss >= NPAGES * 4);
		_exit(check_done());
	}
	CHECK_RET(wait4(pid, &status, 0, &child), pid);
	CHECK_RET(status, 0);
	CHECK(child.ru_minflt >= NPAGES);
	CHECK(child.ru_maxrss >= NPAGES * 4);
	CHECK_RET(getrusage(RUSAGE_CHILDREN, &after), 0);
	CHECK(after.ru_minflt >= before.ru_minflt + NPAGES);
	CHECK(after.ru_maxrss >= child.ru_maxrss);
	CHECK_ERR(getrusage(2, &after), EINVAL);
}

/* Fields 10 and 11 of /proc/PID/stat, where ps and top look. */
static void
faults_in_stat(void)
{
	unsigned long minor = 0, children = 0, before;
	char text[600], *at;
	int fd, i;

	for (i = 0, before = 0; i < 2; i++) {
		fd = open("/proc/self/stat", O_RDONLY);
		memset(text, 0, sizeof(text));
		CHECK(read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
		at = strrchr(text, ')');
		REQUIRE(at != NULL);
		CHECK_RET(sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %lu %lu",
			      &minor, &children),
		    2);
		if (i == 0) {
			before = minor;
			touch_pages();
		}
	}
	CHECK(minor >= before + NPAGES);
	CHECK(children >= NPAGES);
}

static void
kept_words(void)
{
	pid_t pid;

	CHECK_RET(prctl(PR_SET_TIMERSLACK, 1234, 0, 0, 0), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1234);
		CHECK_RET(prctl(PR_SET_TIMERSLACK, 99, 0, 0, 0), 0);
		CHECK_RET(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
		CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1234);
		_exit(check_done());
	}
	CHECK_RET(ended(pid), 0);
	CHECK_RET(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
	CHECK_RET(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & KEEP_CAPS, KEEP_CAPS);
	CHECK_RET(prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & KEEP_CAPS, 0);
	CHECK_RET(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	CHECK_RET(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0),
	    0);
	CHECK_RET(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
	CHECK_ERR(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0), EINVAL);
	CHECK_ERR(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
	CHECK_ERR(setpgid(-1, 0), EINVAL);
}

/* The kernel's struct sched_attr, whose header and <sched.h> disagree. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void
attributes(void)
{
	struct attr a = { .size = 48, .policy = SCHED_BATCH, .nice = 7 };
	char large[200] = "";

	CHECK_RET(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	a.policy = SCHED_OTHER;
	a.nice = 1;
	a.flags = KEEP_ALL;
	CHECK_RET(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	CHECK_RET(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	CHECK_RET(getpriority(PRIO_PROCESS, 0), 7);
	a.size = 40;
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	CHECK(a.size >= 48);
	a.size = sizeof(large);
	memcpy(large, &a, sizeof(a));
	CHECK_RET(syscall(SYS_sched_setattr, 0, large, 0), 0);
	large[150] = 1; /* what nobody knows */
	CHECK_ERR(syscall(SYS_sched_setattr, 0, large, 0), E2BIG);
}

/* The lowest class is left by those who could raise their nice value. */
static void
classes(void)
{
	struct sched_param zero = { 0 };
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_NICE, &none) != 0 || setuid(1234) != 0)
		_exit(3);
	CHECK_RET(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &zero), 0);
	CHECK_RET(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &zero), 0);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &zero),
	    EPERM);
	CHECK_RET(syscall(SYS_sched_setscheduler, 0,
		      SCHED_IDLE | SCHED_RESET_ON_FORK, &zero),
	    0);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &zero), EPERM);
	CHECK_RET(syscall(SYS_sched_getscheduler, 0),
	    SCHED_IDLE | SCHED_RESET_ON_FORK);
}

static void
reset_is_kept(void)
{
	struct sched_param p = { .sched_priority = 5 };

	CHECK_RET(syscall(SYS_sched_setscheduler, 0,
		      SCHED_FIFO | SCHED_RESET_ON_FORK, &p),
	    0);
	p.sched_priority = 6;
	CHECK_RET(syscall(SYS_sched_setparam, 0, &p), 0);
	CHECK_RET(syscall(SYS_sched_getscheduler, 0),
	    SCHED_FIFO | SCHED_RESET_ON_FORK);
	/* Of a group, the best one counts: real time 0 before the usual 4. */
	CHECK_RET(syscall(SYS_ioprio_set, 1, 0, 1 << 13), 0);
	CHECK_RET(syscall(SYS_ioprio_get, 2, 0), 1 << 13);
}

/* Credentials name a process that there is. */
static void
told_credentials(void)
{
	struct ucred cred = { 0x3fffffff, 0, 0 };
	char control[CMSG_SPACE(sizeof(cred))];
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2];

	CHECK_RET(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK_ERR(sendmsg(pair[0], &m, 0), ESRCH);
	cred.pid = 1;
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK_RET(sendmsg(pair[0], &m, 0), 1);
	close(pair[0]);
	close(pair[1]);
}

static void
in_child(void (*fn)(void), const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		fn();
		_exit(check_done());
	}
	check_true_at(__FILE__, __LINE__, name, ended(pid) == 0);
}

int
main(void)
{
	memory_and_faults();
	faults_in_stat();
	in_child(kept_words, "words that are kept");
	in_child(attributes, "attributes");
	if (getuid() == 0) {
		in_child(classes, "classes");
		in_child(reset_is_kept, "reset on fork");
		told_credentials();
	}
	return check_done();
}
