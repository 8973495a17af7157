/* SPDX-License-Identifier: ISC */
/*
 * oom.c - memory runs out: who is chosen, who never is (oom_score_adj -1000),
 * and what the log and /proc/vmstat say of it.  Only for a machine of its own.
 */
#include "check.h"
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MIB      (1ul << 20)
#define READ_ALL 3

static void
set_adj(const char *adj)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (write(fd, adj, strlen(adj)) < 0)
		_exit(3);
	close(fd);
}

/* Touches so much, 0: memory without end; then tells, and waits. */
static void
take(size_t mib, int tell)
{
	for (size_t i = 0; mib == 0 || i < mib; i++) {
		char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(4);
		memset(p, 1, MIB);
	}
	if (write(tell, "x", 1) != 1)
		_exit(5);
	for (;;)
		pause();
}

static pid_t
taker(const char *adj, const char *name, size_t mib, bool waits)
{
	int tell[2];
	char c;
	pid_t pid;

	REQUIRE(pipe(tell) == 0);
	pid = fork();
	if (pid == 0) {
		set_adj(adj);
		prctl(PR_SET_NAME, name, 0, 0, 0);
		take(mib, tell[1]);
	}
	close(tell[1]);
	if (waits)
		CHECK_RET(read(tell[0], &c, 1), 1);
	close(tell[0]);
	return pid;
}

static bool
log_names(pid_t pid, const char *name)
{
	static char text[1 << 18];
	char line[80];
	int n = klogctl(READ_ALL, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	snprintf(line, sizeof(line), "Out of memory: killed process %d (%s)",
	    pid, name);
	return strstr(text, line) != NULL;
}

int
main(void)
{
	long before = check_number("/proc/vmstat", "oom_kill ");
	pid_t never = taker("-1000", "never", 12, true);
	pid_t hog = taker("0", "greedy", 0, false);
	int status = -1;

	CHECK_RET(before, 0);
	/* Who is never taken has half of it, and stays. */
	CHECK_RET(waitpid(hog, &status, 0), hog);
	CHECK_RET(status, SIGKILL);
	CHECK(log_names(hog, "greedy"));
	CHECK_RET(check_number("/proc/vmstat", "oom_kill "), 1);
	CHECK_RET(waitpid(never, &status, WNOHANG), 0);
	CHECK(!log_names(never, "never"));
	CHECK_RET(kill(never, SIGKILL), 0);
	CHECK_RET(waitpid(never, &status, 0), never);
	return check_done();
}
