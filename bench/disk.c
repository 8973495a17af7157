/* SPDX-License-Identifier: ISC */
/*
 * disk.c - a number of reads of a disk, past the page cache, as a machine's
 * first program.  From its environment: DISK=vda, say, N=n, and
 * HOW=read4k (one after the other), aio4k (32 at a time), deep4k (256 at a
 * time), seq1m (pieces of 1 MiB from the start) or fio: the job in /job.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH  256
#define SMALL  4096u
#define LARGE  (1u << 20)
#define BLOCKS 4096u /* of 4 KiB: what the disk has, at least */

static char *buf;
static int fd;

/* What boot arguments say of a driver that is a module. */
static void
module_words(char *words, size_t size)
{
	static char line[4096];
	FILE *f = fopen("/proc/cmdline", "r");
	char *word;

	*words = '\0';
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		return;
	fclose(f);
	for (word = strtok(line, " \n"); word != NULL;
	     word = strtok(NULL, " \n")) {
		if (strncmp(word, "virtio_mmio.", 12) == 0)
			snprintf(words + strlen(words), size - strlen(words),
			    "%s ", word + 12);
	}
}

/* Modules that a kernel needs first; it may have none, or need none. */
static void
load_modules(void)
{
	static char words[4096];
	char path[32];
	int i, m;

	module_words(words, sizeof(words));
	for (i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/module%d", i);
		m = open(path, O_RDONLY);
		if (m < 0)
			break;
		syscall(SYS_finit_module, m, words, 0);
		close(m);
	}
}

static int
open_disk(void)
{
	const char *disk = getenv("DISK");
	unsigned major, minor;
	char line[128], name[64], path[80];
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "/dev/%s", disk != NULL ? disk : "vda");

	for (i = 0; i < 100; i++, usleep(50000)) {
		f = fopen("/proc/partitions", "r");
		while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
			if (sscanf(line, "%u %u %*u %63s", &major, &minor,
				name) != 3 ||
			    strcmp(name, path + 5) != 0)
				continue;
			unlink(path);
			mknod(path, S_IFBLK | 0600, makedev(major, minor));
			return open(path, O_RDONLY | O_DIRECT);
		}
		if (f != NULL)
			fclose(f);
	}
	return -1;
}

/* Every block once in a while, none twice in a row. */
static off_t
place(unsigned i)
{
	return (off_t)(i * 2654435761u % BLOCKS) * SMALL;
}

/* bench/count.c counts between these. */
#define MARK() __asm__ volatile("nopl 0x52656d6f(%%rax,%%rax)" ::: "memory")

static int
read_small(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (pread(fd, buf, SMALL, place(i)) != SMALL)
			return 1;
	return 0;
}

static int
read_large(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (pread(fd, buf, LARGE, (off_t)(i % 16) * LARGE) != LARGE)
			return 1;
	return 0;
}

static int
read_many(unsigned n, unsigned depth)
{
	static struct iocb cb[DEPTH], *list[DEPTH];
	static struct io_event event[DEPTH];
	aio_context_t ctx = 0;
	unsigned begun = 0, ended = 0;
	long got, i;

	if (syscall(SYS_io_setup, depth, &ctx) != 0)
		return 2;
	got = depth;
	for (i = 0; i < got; i++)
		event[i].obj = (uintptr_t)&cb[i];
	while (ended < n) {
		for (i = 0; i < got; i++) {
			list[i] = (struct iocb *)(uintptr_t)event[i].obj;
			*list[i] = (struct iocb){ .aio_fildes = fd,
				.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_buf = (uintptr_t)buf +
				    (list[i] - cb) * SMALL,
				.aio_nbytes = SMALL,
				.aio_offset = place(begun++) };
		}
		if (syscall(SYS_io_submit, ctx, got, list) != got)
			return 3;
		got = syscall(SYS_io_getevents, ctx, 1, depth, event, NULL);
		for (i = 0; i < got; i++)
			if (event[i].res != SMALL)
				return 4;
		ended += got;
	}
	return 0;
}

static int
measure(const char *how, unsigned n)
{
	if (strcmp(how, "aio4k") == 0)
		return read_many(n, 32);
	if (strcmp(how, "deep4k") == 0)
		return read_many(n, DEPTH);
	return strcmp(how, "seq1m") == 0 ? read_large(n) : read_small(n);
}

static int
count(const char *how, unsigned n)
{
	int error;

	buf = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (fd < 0 || buf == MAP_FAILED) {
		printf("disk: none\n");
		return 1;
	}
	error = measure(how, DEPTH); /* everything was used once */
	MARK();
	error |= measure(how, n);
	MARK();
	return error;
}

/* Debian's fio, with the job that the archive has. */
static int
fio(void)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0) {
		execl("/usr/bin/fio", "fio", "/job", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	return status;
}

int
main(void)
{
	const char *how = getenv("HOW"), *times = getenv("N");
	unsigned n = times != NULL ? strtoul(times, NULL, 10) : 1;
	int error = 1;

	if (how == NULL)
		how = "read4k";
	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	load_modules();
	fd = open_disk();
	if (fd >= 0 && strcmp(how, "fio") == 0)
		error = fio();
	else
		error = count(how, n);
	printf("status=%d\n", error);
	fflush(stdout);
	reboot(RB_AUTOBOOT);
	return error;
}
