/* SPDX-License-Identifier: ISC */
/*
 * sig_core.c - signals that leave a core: whether, where, how much of it, and
 * what is in it of each thread.  core(5), signal(7).
 *
 * The file's own checks need it to be called "core", as it is at first; a host
 * may have been told otherwise.
 */
#include "check.h"
#include <elf.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define THREADS     3
#define STATUS_REGS 112 /* of struct elf_prstatus */
#define STATUS_PID  32
#define CORE_RIP    16
#define MARK        0x0ddba11c0ffee000ul

static char dir[] = "/tmp/sig_core.XXXXXX";
static bool named_core;
static volatile unsigned long *mark; /* in memory of its own */
static int ready[2];

static void
limit(rlim_t size)
{
	struct rlimit l = { size, size };

	if (setrlimit(RLIMIT_CORE, &l) != 0)
		_exit(9);
}

/* A child that limits its core and dies of the signal; how it ended. */
static int
dies(rlim_t size, int signo, int dumpable)
{
	int status = -1;
	siginfo_t si;
	pid_t pid = fork();

	if (pid == 0) {
		limit(size);
		prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
		kill(getpid(), signo);
		_exit(8);
	}
	memset(&si, 0, sizeof(si));
	CHECK_RET(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(si.si_code, WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED);
	CHECK_RET(si.si_status, signo);
	CHECK(WIFSIGNALED(status));
	CHECK_RET(WTERMSIG(status), signo);
	return status;
}

static off_t
core_size(void)
{
	struct stat st;

	return lstat("core", &st) == 0 ? st.st_size : -1;
}

static void
whether(void)
{
	static const int with[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
		SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ };
	static const int without[] = { SIGHUP, SIGINT, SIGKILL, SIGTERM,
		SIGUSR1, SIGALRM, SIGPIPE, SIGVTALRM };
	size_t i;

	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		CHECK(!WCOREDUMP(dies(RLIM_INFINITY, without[i], 1)));
	CHECK(!WCOREDUMP(dies(0, SIGSEGV, 1)));
	CHECK(!WCOREDUMP(dies(RLIM_INFINITY, SIGSEGV, 0)));
	CHECK_RET(core_size(), -1);
	if (!named_core)
		return;
	for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		CHECK(WCOREDUMP(dies(RLIM_INFINITY, with[i], 1)));
		CHECK(core_size() > 4096);
		CHECK_RET(unlink("core"), 0);
	}
}

static void
where(void)
{
	struct stat st;

	/* An old one is written over, and one that is too large is cut. */
	close(open("core", O_WRONLY | O_CREAT, 0644));
	CHECK(WCOREDUMP(dies(8192, SIGABRT, 1)));
	CHECK(core_size() > 0 && core_size() <= 8192);
	CHECK_RET(unlink("core"), 0);
	CHECK(WCOREDUMP(dies(RLIM_INFINITY, SIGABRT, 1)));
	CHECK_RET(stat("core", &st), 0);
	CHECK_RET(st.st_mode & 07777, 0600);
	/* Nobody else's file: no link is followed, none is written. */
	CHECK_RET(truncate("core", 5), 0);
	CHECK_RET(link("core", "other"), 0);
	dies(RLIM_INFINITY, SIGABRT, 1);
	if (getpid() == 1) /* core(5); not each host's kernel does so */
		CHECK_RET(core_size(), 5);
	CHECK_RET(unlink("core"), 0);
	CHECK_RET(unlink("other"), 0);
	CHECK_RET(symlink("target", "core"), 0);
	dies(RLIM_INFINITY, SIGABRT, 1);
	CHECK_ERR(access("target", F_OK), ENOENT);
	CHECK_RET(unlink("core"), 0);
	CHECK_RET(mkdir("core", 0700), 0);
	CHECK(!WCOREDUMP(dies(RLIM_INFINITY, SIGABRT, 1)));
	CHECK_RET(rmdir("core"), 0);
}

/* ---- what is in it ---- */

static void *
waits(void *arg)
{
	if (write(ready[1], "x", 1) != 1)
		_exit(7);
	for (;;)
		pause();
	return arg;
}

static pid_t
crashing_threads(void)
{
	pthread_t t;
	char c;
	int i;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	limit(RLIM_INFINITY);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&t, NULL, waits, NULL) != 0 ||
		    read(ready[0], &c, 1) != 1)
			_exit(6);
	*mark = MARK;
	*(volatile int *)8 = 1;
	_exit(5);
}

struct note {
	Elf64_Nhdr h;
	const char *data;
};

/* The next note at *at, which goes on; false: none is left. */
static bool
next_note(const char **at, const char *end, struct note *n)
{
	if (end - *at < (ptrdiff_t)sizeof(n->h))
		return false;
	memcpy(&n->h, *at, sizeof(n->h));
	n->data = *at + sizeof(n->h) + ((n->h.n_namesz + 3) & ~3u);
	*at = n->data + ((n->h.n_descsz + 3) & ~3u);
	return *at <= end;
}

static void
look_at_notes(const char *at, size_t size, pid_t pid)
{
	const char *end = at + size;
	int tasks = 0, floats = 0, others = 0;
	struct note n;
	siginfo_t si;
	unsigned long rip;
	pid_t tid;

	while (next_note(&at, end, &n)) {
		if (n.h.n_type == NT_SIGINFO) {
			memcpy(&si, n.data, sizeof(si));
			CHECK_RET(si.si_signo, SIGSEGV);
			CHECK_RET(si.si_code, SEGV_MAPERR);
			CHECK(si.si_addr == (void *)8);
		}
		floats += n.h.n_type == NT_PRFPREG && n.h.n_descsz == 512;
		others += n.h.n_type == NT_AUXV || n.h.n_type == NT_FILE ||
		    n.h.n_type == NT_PRPSINFO;
		if (n.h.n_type != NT_PRSTATUS)
			continue;
		CHECK_RET(n.h.n_descsz, 336);
		memcpy(&tid, n.data + STATUS_PID, sizeof(tid));
		memcpy(&rip, n.data + STATUS_REGS + CORE_RIP * 8, sizeof(rip));
		if (tasks++ == 0) { /* who did it comes first */
			CHECK_RET(tid, pid);
			CHECK(rip - (unsigned long)crashing_threads < 4096);
		} else {
			CHECK(tid > pid || getpid() != 1);
		}
	}
	CHECK_RET(tasks, THREADS + 1);
	CHECK_RET(floats, THREADS + 1);
	CHECK_RET(others, 3);
}

static void
look_at_file(const char *file, size_t size, pid_t pid)
{
	const Elf64_Ehdr *eh = (const void *)file;
	const Elf64_Phdr *ph = (const void *)(file + sizeof(*eh));
	unsigned long at = (unsigned long)mark, found = 0;
	int i;

	CHECK_MEM(eh->e_ident, ELFMAG, SELFMAG);
	CHECK_RET(eh->e_type, ET_CORE);
	CHECK_RET(eh->e_machine, EM_X86_64);
	CHECK_RET(eh->e_phoff, sizeof(*eh));
	for (i = 0; i < eh->e_phnum; i++, ph++) {
		if (!CHECK(ph->p_offset + ph->p_filesz <= size))
			continue;
		if (ph->p_type == PT_NOTE)
			look_at_notes(file + ph->p_offset, ph->p_filesz, pid);
		else if (at - ph->p_vaddr < ph->p_filesz)
			memcpy(&found, file + ph->p_offset + at - ph->p_vaddr,
			    sizeof(found));
	}
	CHECK(found == MARK);
}

static void
what(void)
{
	int status = -1, fd;
	size_t size;
	char *file;
	pid_t pid;

	REQUIRE(pipe(ready) == 0);
	mark = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = crashing_threads();
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, SIGSEGV | 0x80);
	fd = open("core", O_RDONLY);
	REQUIRE(fd >= 0);
	size = (size_t)core_size();
	file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(file != MAP_FAILED);
	look_at_file(file, size, pid);
	munmap(file, size);
	close(fd);
	CHECK_RET(unlink("core"), 0);
}

int
main(void)
{
	char pattern[8] = "", pids[2] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	mkdir("/tmp", 01777);
	named_core = read(fd, pattern, sizeof(pattern) - 1) == 5 &&
	    strcmp(pattern, "core\n") == 0;
	close(fd);
	fd = open("/proc/sys/kernel/core_uses_pid", O_RDONLY);
	if (read(fd, pids, 1) == 1 && pids[0] != '0')
		named_core = false;
	close(fd);
	REQUIRE(mkdtemp(dir) != NULL && chdir(dir) == 0);
	whether();
	if (getpid() == 1)
		REQUIRE(named_core);
	if (named_core) {
		where();
		what();
	}
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
