/* SPDX-License-Identifier: ISC */
/*
 * plug.c - a machine's first program, which says when an NVMe disk came and
 * went.  It sleeps until the kernel tells of a disk (uevents), reads its first
 * block past the page cache, and prints "read NAME"; when it has gone, "gone
 * NAME free=KiB".  "ready" once it listens.  From its environment: WRITE=1, and
 * another process writes to the disk until it fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096

/* bench/count.c counts between these. */
#define MARK() __asm__ volatile("nopl 0x52656d6f(%%rax,%%rax)" ::: "memory")

static char block[BLOCK] __attribute__((aligned(BLOCK)));

static int
listen_for_uevents(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
		.nl_groups = 1 };
	int size = 1 << 20, s;

	s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (s < 0 || bind(s, (void *)&address, sizeof(address)) != 0 ||
	    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0) {
		perror("plug: uevents");
		exit(1);
	}
	return s;
}

/* Of one event: the value of a variable, or "". */
static const char *
value(const char *event, size_t size, const char *name)
{
	const char *at = event, *end = event + size;
	size_t n = strlen(name);

	for (; at < end; at += strlen(at) + 1)
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return at + n + 1;
	return "";
}

static void
write_until_it_fails(const char *path)
{
	int fd;

	if (fork() != 0)
		return;
	fd = open(path, O_WRONLY | O_DIRECT);
	while (fd >= 0 && pwrite(fd, block, BLOCK, 0) == BLOCK)
		;
	_exit(0);
}

static void
came(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || read(fd, block, BLOCK) != BLOCK) {
		printf("unreadable %s: %s\n", name, strerror(errno));
	} else {
		MARK();
		printf("read %s\n", name);
		if (getenv("WRITE") != NULL)
			write_until_it_fails(path);
	}
	if (fd >= 0)
		close(fd);
}

static void
went(const char *name)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f;

	MARK();
	f = fopen("/proc/meminfo", "r");
	while (f != NULL && kib == 0 && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "MemFree: %lu", &kib);
	if (f != NULL)
		fclose(f);
	printf("gone %s free=%lu\n", name, kib);
}

int
main(void)
{
	static char event[8192];
	const char *action, *name;
	ssize_t n;
	int s;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL); /* it may stand there */
	s = listen_for_uevents();
	printf("ready\n");
	for (;;) {
		n = recv(s, event, sizeof(event) - 1, 0);
		if (n < 0) {
			printf("plug: events were lost: %s\n", strerror(errno));
			continue;
		}
		event[n] = '\0';
		action = value(event, n, "ACTION");
		name = value(event, n, "DEVNAME");
		if (strcmp(value(event, n, "DEVTYPE"), "disk") != 0 ||
		    strncmp(name, "nvme", 4) != 0)
			continue;
		if (strcmp(action, "add") == 0)
			came(name);
		else if (strcmp(action, "remove") == 0)
			went(name);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
