/* SPDX-License-Identifier: ISC */
/*
 * proc_files.c - files of /proc that tools read: who has locked what
 * (lslocks, lsof), sockets between processes (lsof, ss), memory (free),
 * words of /proc/sys (sysctl).  proc(5).
 */
#include "check.h"
#include <sched.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static char text[1 << 20];

/* The whole file; "" if there is none. */
static const char *
contents(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < sizeof(text) - 1 &&
	    (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return text;
}

/* A line of the file with all these words; they stand in this order. */
static bool
has_line(const char *path, const char *first, const char *second)
{
	const char *line, *at, *end;

	for (line = contents(path); *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			return false;
		at = memmem(line, (size_t)(end - line), first, strlen(first));
		if (at != NULL &&
		    memmem(at, (size_t)(end - at), second, strlen(second)))
			return true;
	}
	return false;
}

static void
locked_files(void)
{
	char name[] = "/tmp/proc_files.XXXXXX", who[64], what[64];
	struct flock l = { .l_type = F_WRLCK, .l_start = 5, .l_len = 10 };
	int fd = mkstemp(name), other;
	struct stat st;

	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	other = open(name, O_RDWR);
	CHECK_RET(fcntl(fd, F_SETLK, &l), 0);
	snprintf(who, sizeof(who), "POSIX  ADVISORY  WRITE %d ", getpid());
	snprintf(what, sizeof(what), ":%lu 5 14", (unsigned long)st.st_ino);
	CHECK(has_line("/proc/locks", who, what));
	l.l_type = F_UNLCK;
	CHECK_RET(fcntl(fd, F_SETLK, &l), 0);
	CHECK(!has_line("/proc/locks", who, what));
	CHECK_RET(flock(other, LOCK_SH), 0);
	snprintf(who, sizeof(who), "FLOCK  ADVISORY  READ %d ", getpid());
	snprintf(what, sizeof(what), ":%lu 0 EOF", (unsigned long)st.st_ino);
	CHECK(has_line("/proc/locks", who, what));
	l.l_type = F_RDLCK;
	CHECK_RET(fcntl(fd, F_OFD_SETLK, &l), 0);
	snprintf(what, sizeof(what), ":%lu 5 14", (unsigned long)st.st_ino);
	CHECK(has_line("/proc/locks", "OFDLCK ADVISORY  READ -1 ", what));
	close(fd);
	close(other);
	CHECK(!has_line("/proc/locks", "ADVISORY", what));
	unlink(name);
}

static void
local_sockets(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char line[160];
	struct stat st;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/proc_files.%d",
	    getpid());
	CHECK_RET(bind(listener, (void *)&a, sizeof(a)), 0);
	fstat(listener, &st);
	snprintf(line, sizeof(line), " %5lu %s", (unsigned long)st.st_ino,
	    a.sun_path);
	CHECK(has_line("/proc/net/unix", " 00000000 00000000 0001 01", line));
	CHECK_RET(listen(listener, 5), 0);
	CHECK(has_line("/proc/net/unix", " 00000000 00010000 0001 01", line));
	close(listener);
	unlink(a.sun_path);
	CHECK(!has_line("/proc/net/unix", " 0001 ", line));
	a.sun_path[0] = '\0';
	strcpy(a.sun_path + 1, "fish");
	listener = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_RET(bind(listener, (void *)&a, sizeof(a.sun_family) + 5), 0);
	CHECK(has_line("/proc/net/unix", " 00000000 0002 01 ", " @fish"));
	close(listener);
	CHECK_RET(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	fstat(pair[1], &st);
	snprintf(line, sizeof(line), "%lu", (unsigned long)st.st_ino);
	CHECK(has_line("/proc/net/unix", " 00000000 0005 03 ", line));
	close(pair[0]);
	close(pair[1]);
}

/* /proc/PID/fd and stat(2) agree: so lsof finds whose a socket is. */
static void
numbers(void)
{
	char path[64], link[64], wanted[64];
	struct stat st;
	int fd[4];
	ssize_t n;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	REQUIRE(pipe(fd + 2) == 0);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[i]);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		CHECK_RET(fstat(fd[i], &st), 0);
		snprintf(wanted, sizeof(wanted), "%s:[%lu]",
		    i < 2 ? "socket" : "pipe", (unsigned long)st.st_ino);
		CHECK_STR(link, wanted);
		close(fd[i]);
	}
}

static long
kib(const char *word)
{
	contents("/proc/meminfo");
	return strstr(text, word) == NULL ?
	    -1 :
	    strtol(strstr(text, word) + strlen(word), NULL, 10);
}

static void
memory(void)
{
	static const char *const words[] = { "MemTotal:", "MemFree:",
		"MemAvailable:", "Buffers:", "\nCached:", "SwapCached:",
		"\nActive:", "\nInactive:", "Active(anon):", "Inactive(anon):",
		"Active(file):", "Inactive(file):", "Unevictable:", "Mlocked:",
		"SwapTotal:", "SwapFree:", "Dirty:", "Writeback:", "AnonPages:",
		"Mapped:", "Shmem:", "KReclaimable:", "Slab:", "SReclaimable:",
		"SUnreclaim:", "KernelStack:", "PageTables:", "CommitLimit:",
		"Committed_AS:", "VmallocTotal:", "VmallocUsed:" };
	const size_t size = 8 << 20;
	long anon;
	char *p;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!CHECK(kib(words[i]) >= 0))
			check_note("no %s", words[i]);
	anon = kib("AnonPages:");
	p = malloc(size);
	memset(p, 1, size);
	if (getpid() == 1) /* a host has others */
		CHECK(kib("AnonPages:") >= anon + 8000);
	free(p);
	CHECK(kib("KernelStack:") > 0 && kib("PageTables:") > 0);
	CHECK(strstr(contents("/proc/vmstat"), "\noom_kill ") != NULL);
	CHECK(strstr(contents("/proc/stat"), "\nsoftirq ") != NULL);
}

static void
system_words(void)
{
	static const char *const paths[] = { "fs/epoll/max_user_watches",
		"fs/file-max", "fs/inotify/max_queued_events",
		"fs/inotify/max_user_instances", "fs/inotify/max_user_watches",
		"fs/mqueue/msg_default", "fs/protected_symlinks",
		"kernel/dmesg_restrict", "kernel/sched_rr_timeslice_ms",
		"vm/dirty_ratio", "vm/overcommit_ratio", "vm/page-cluster",
		"vm/vfs_cache_pressure", "vm/nr_hugepages", "vm/panic_on_oom" };
	char path[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", paths[i]);
		if (access(path, F_OK) != 0 && getpid() != 1)
			continue; /* a host may be built without it */
		if (!CHECK(*contents(path) >= '0' && *text <= '9'))
			check_note("%s: \"%s\"", path, text);
	}
}

/* What a machine's own start sets stays set; nonsense does not. */
static void
set_words(void)
{
	int fd = open("/proc/sys/vm/vfs_cache_pressure", O_RDWR);

	CHECK_RET(write(fd, "50\n", 3), 3);
	CHECK_STR(contents("/proc/sys/vm/vfs_cache_pressure"), "50\n");
	CHECK_ERR(pwrite(fd, "much\n", 5, 0), EINVAL);
	CHECK_ERR(pwrite(fd, "-1\n", 3, 0), EINVAL);
	CHECK_ERR(pwrite(fd, "99999999999999999999999\n", 24, 0), EINVAL);
	CHECK_STR(contents("/proc/sys/vm/vfs_cache_pressure"), "50\n");
	CHECK_RET(pwrite(fd, "100", 3, 0), 3);
	CHECK_STR(contents("/proc/sys/vm/vfs_cache_pressure"), "100\n");
	close(fd);
	fd = open("/proc/sys/vm/dirty_ratio", O_WRONLY);
	CHECK_ERR(write(fd, "101\n", 4), EINVAL);
	close(fd);
}

/* The processors a thread may use, not those there are. */
static void
allowed(void)
{
	cpu_set_t set;
	int cpu = 0;

	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) > 0);
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_RET(syscall(SYS_sched_setaffinity, 0, sizeof(set), &set), 0);
	CHECK_RET(check_number("/proc/self/status", "Cpus_allowed_list:\t"),
	    cpu);
	CHECK(strstr(contents("/proc/self/status"), "_list:\t0-") == NULL ||
	    strstr(text, "Cpus_allowed_list:\t0-") == NULL);
}

/* Columns that programs cut by place: a name, the number, " kB". */
static void
check_smaps(void)
{
	static const char *const wanted[] = { "Size:", "Rss:", "Pss:",
		"Private_Dirty:", "Anonymous:", "Swap:", "Locked:" };
	unsigned rows[7] = { 0 }, bad = 0, i;
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		for (i = 0; i < 7; i++)
			rows[i] += strncmp(line, wanted[i],
				       strlen(wanted[i])) == 0;
		if (strstr(line, " kB\n") != NULL &&
		    (strlen(line) != 28 || line[23] < '0' || line[23] > '9'))
			bad++;
	}
	fclose(f);
	CHECK_RET(bad, 0);
	CHECK(rows[0] > 2);
	for (i = 1; i < 7; i++)
		CHECK_RET(rows[i], rows[0]);
}

int
main(void)
{
	mkdir("/tmp", 01777);
	locked_files();
	local_sockets();
	numbers();
	memory();
	system_words();
	if (getpid() == 1)
		set_words();
	allowed();
	check_smaps();
	return check_done();
}
