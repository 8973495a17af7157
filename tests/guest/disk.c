/* SPDX-License-Identifier: ISC */
/*
 * disk.c - what programs can do with a block device: its size and kind, ends,
 * O_DIRECT, mappings, discard.  Run on a disk of 16 MiB that it may spoil:
 *     disk /dev/vda
 */
#include "check.h"
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/hdreg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define SIZE  (16ull << 20)
#define BLOCK 512

static const char *path;
static char *aligned; /* 64 KiB */

static void
what_it_is(void)
{
	struct hd_geometry geometry;
	struct stat st;
	uint64_t bytes = 0;
	unsigned long sectors = 0;
	int fd = open(path, O_RDONLY), n = 0;

	CHECK(fd >= 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(S_ISBLK(st.st_mode));
	CHECK_RET(major(st.st_rdev),
	    strncmp(path, "/dev/sd", 7) == 0       ? 8 :
		strncmp(path, "/dev/nvme", 9) == 0 ? 259 :
						     254);
	CHECK_RET(minor(st.st_rdev), 0);
	CHECK_RET(st.st_size, 0);
	CHECK_RET(ioctl(fd, BLKGETSIZE64, &bytes), 0);
	CHECK(bytes == SIZE);
	CHECK_RET(ioctl(fd, BLKGETSIZE, &sectors), 0);
	CHECK(sectors == SIZE / 512);
	CHECK_RET(ioctl(fd, BLKSSZGET, &n), 0);
	CHECK_RET(n, BLOCK);
	CHECK_RET(ioctl(fd, BLKPBSZGET, &n), 0);
	CHECK_RET(n, BLOCK);
	CHECK_RET(ioctl(fd, BLKROGET, &n), 0);
	CHECK_RET(n, 0);
	CHECK_RET(ioctl(fd, BLKFLSBUF, 0), 0);
	CHECK_RET(ioctl(fd, HDIO_GETGEO, &geometry), 0);
	CHECK_RET(geometry.start, 0);
	CHECK_ERR(ioctl(fd, BLKGETSIZE64, (void *)8), EFAULT);
	CHECK_RET(lseek(fd, 0, SEEK_END), (off_t)SIZE);
	CHECK_ERR(lseek(fd, 1, SEEK_CUR), EINVAL);
	CHECK_RET(read(fd, aligned, 1), 0);
	CHECK_ERR(write(fd, aligned, 1), EBADF);
	CHECK_ERR(ftruncate(fd, 0), EINVAL);
	CHECK_RET(fsync(fd), 0);
	close(fd);
}

static void
the_end(void)
{
	int fd = open(path, O_RDWR);

	memset(aligned, 'e', 8192);
	CHECK_RET(pwrite(fd, aligned, 8192, SIZE - 4096), 4096);
	CHECK_ERR(pwrite(fd, aligned, 1, SIZE), ENOSPC);
	CHECK_ERR(pwrite(fd, aligned, 1, SIZE + 4096), ENOSPC);
	CHECK_RET(pread(fd, aligned, 8192, SIZE - 4096), 4096);
	CHECK_RET(pread(fd, aligned, 8192, SIZE), 0);
	CHECK_RET(pread(fd, aligned, 8192, SIZE + 12345), 0);
	CHECK_RET(pwrite(fd, aligned, 0, SIZE), 0);
	close(fd);
}

static void
direct(void)
{
	int fd = open(path, O_RDWR | O_DIRECT), cached = open(path, O_RDWR);

	CHECK(fd >= 0);
	memset(aligned, 'a', 65536);
	CHECK_RET(pwrite(fd, aligned, 65536, 65536), 65536);
	CHECK_RET(pread(cached, aligned, 10, 65536 + 7), 10);
	CHECK(memcmp(aligned, "aaaaaaaaaa", 10) == 0);
	CHECK_RET(pwrite(cached, "b", 1, 65536 + 9), 1);
	CHECK_RET(pread(fd, aligned, 512, 65536), 512);
	CHECK(memcmp(aligned + 7, "aabaa", 5) == 0);
	memset(aligned, 'c', 512);
	CHECK_RET(pwrite(fd, aligned, 512, 65536), 512);
	CHECK_RET(pread(cached, aligned, 1024, 65536), 1024);
	CHECK(aligned[9] == 'c' && aligned[511] == 'c' && aligned[512] == 'a');
	CHECK_ERR(pwrite(fd, aligned, 100, 0), EINVAL);
	CHECK_ERR(pwrite(fd, aligned, 512, 100), EINVAL);
	CHECK_ERR(pread(fd, aligned, 513, 0), EINVAL);
	CHECK_ERR(pread(fd, aligned + 1, 512, 0), EINVAL);
	CHECK_RET(pread(fd, aligned, 1024, SIZE - 512), 512);
	CHECK_RET(pread(fd, aligned, 512, SIZE), 0);
	CHECK_ERR(pwrite(fd, aligned, 512, SIZE), ENOSPC);
	CHECK_ERR(pread(fd, (void *)4096, 512, 0), EFAULT);
	close(fd);
	close(cached);
}

static void
mapped(void)
{
	int fd = open(path, O_RDWR), other = open(path, O_RDONLY | O_DIRECT);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    1 << 20);
	unsigned i;

	CHECK(p != MAP_FAILED);
	for (i = 0; i < 3; i++) {
		p[5000] = 'm' + i;
		CHECK_RET(msync(p, 8192, MS_SYNC), 0);
		CHECK_RET(pread(other, aligned, 4096, (1 << 20) + 4096), 4096);
		CHECK_RET(aligned[5000 - 4096], 'm' + (int)i);
	}
	CHECK_RET(munmap(p, 8192), 0);
	close(fd);
	close(other);
}

static bool
all_zero(int fd, off_t from, size_t n)
{
	memset(aligned, 'x', 65536);
	if (pread(fd, aligned, n, from) != (ssize_t)n)
		return false;
	return aligned[0] == 0 && memcmp(aligned, aligned + 1, n - 1) == 0;
}

static void
discard(void)
{
	uint64_t range[2] = { 2 << 20, 65536 };
	int fd = open(path, O_RDWR), reader = open(path, O_RDONLY);

	memset(aligned, 'd', 65536);
	CHECK_RET(pwrite(fd, aligned, 65536, 2 << 20), 65536);
	CHECK_RET(fsync(fd), 0);
	CHECK_RET(ioctl(fd, BLKZEROOUT, range), 0);
	CHECK(all_zero(fd, 2 << 20, 65536));
	CHECK_RET(pwrite(fd, "d", 1, (2 << 20) + 65536), 1);
	CHECK_RET(ioctl(fd, BLKDISCARD, range), 0);
	CHECK_RET(pread(fd, aligned, 1, (2 << 20) + 65536), 1);
	CHECK_RET(aligned[0], 'd');
	CHECK_ERR(ioctl(reader, BLKDISCARD, range), EBADF);
	CHECK_RET(pwrite(fd, aligned, 65536, 2 << 20), 65536);
	CHECK_RET(fallocate(fd, FALLOC_FL_ZERO_RANGE, 2 << 20, 65536), 0);
	CHECK(all_zero(fd, 2 << 20, 65536));
	CHECK_ERR(fallocate(fd, 0, 0, 512), EOPNOTSUPP);
	CHECK_ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1, 512), EINVAL);
	CHECK_ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, SIZE - 512, 1024),
	    EINVAL);
	CHECK_RET(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		      SIZE - 512, 1024),
	    0);
	range[0] = 1;
	CHECK_ERR(ioctl(fd, BLKZEROOUT, range), EINVAL);
	range[0] = SIZE;
	CHECK_ERR(ioctl(fd, BLKZEROOUT, range), EINVAL);
	range[0] = UINT64_MAX & ~511ull;
	CHECK_ERR(ioctl(fd, BLKZEROOUT, range), EINVAL);
	close(fd);
	close(reader);
}

/* Something of each size and place, by both ways, read back by the other. */
static void
patterns(void)
{
	int fd = open(path, O_RDWR), dfd = open(path, O_RDWR | O_DIRECT);
	char *want = malloc(65536);
	unsigned i, k, seed = 1, at, n;

	for (i = 0; i < 200; i++) {
		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % (3 << 20) & ~511u;
		n = 512 + ((seed >> 4) % 65536 & ~511u);
		if (n > 65536)
			n = 65536;
		for (k = 0; k < n; k++)
			want[k] = aligned[k] = k * 7 + i + (k >> 9);
		if (pwrite(i & 1 ? fd : dfd, aligned, n, at) != (ssize_t)n)
			break;
		memset(aligned, 0, n);
		if (pread(i & 2 ? fd : dfd, aligned, n, at) != (ssize_t)n ||
		    memcmp(aligned, want, n) != 0)
			break;
	}
	CHECK_RET((int)i, 200);
	CHECK_RET(fsync(fd), 0);
	free(want);
	close(fd);
	close(dfd);
}

/* What changes a disk for all who use it is not for everybody who reads it. */
static void
not_for_everybody(void)
{
	static const unsigned long cmds[] = { BLKRRPART, BLKPG, BLKFLSBUF,
		BLKROSET, BLKBSZSET, BLKRASET };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_DEL_PARTITION };
	int fd = open(path, O_RDONLY), status;
	uint64_t bytes;
	unsigned i;
	pid_t child = fork();

	if (child == 0) {
		CHECK_RET(setresuid(65534, 65534, 65534), 0);
		for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
			CHECK_ERR(ioctl(fd, cmds[i], &arg), EACCES);
		CHECK_RET(ioctl(fd, BLKGETSIZE64, &bytes), 0);
		_exit(check_done());
	}
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(status, 0);
	CHECK_RET(ioctl(fd, BLKRRPART, 0), 0);
	CHECK_RET(close(fd), 0);
}

static long
own_io(const char *what)
{
	return check_number("/proc/self/io", what);
}

static struct rusage
used_by(int who)
{
	struct rusage ru;

	CHECK_RET(getrusage(who, &ru), 0);
	return ru;
}

/* The same in blocks of 512 bytes, of a thread, a process, its children. */
static void
counted_by_whom(int dfd)
{
	struct rusage self = used_by(RUSAGE_SELF), children, ru;
	struct rusage before = used_by(RUSAGE_CHILDREN);
	int status;
	pid_t pid;

	CHECK_RET(self.ru_inblock, own_io("\nread_bytes: ") / 512);
	CHECK_RET(self.ru_oublock, own_io("\nwrite_bytes: ") / 512);
	ru = used_by(1); /* RUSAGE_THREAD */
	CHECK_RET(ru.ru_inblock, self.ru_inblock);
	pid = fork();
	if (pid == 0)
		_exit(pread(dfd, aligned, 8192, 6 << 20) != 8192 ||
		    pwrite(dfd, aligned, 4096, 6 << 20) != 4096);
	CHECK_RET(wait4(pid, &status, 0, &ru), pid);
	CHECK_RET(status, 0);
	CHECK_RET(ru.ru_inblock, 16);
	CHECK_RET(ru.ru_oublock, 8);
	children = used_by(RUSAGE_CHILDREN);
	CHECK_RET(children.ru_inblock - before.ru_inblock, 16);
	CHECK_RET(children.ru_oublock - before.ru_oublock, 8);
	CHECK_RET(used_by(RUSAGE_SELF).ru_inblock, self.ru_inblock);
}

/* What goes between the disk and this process is counted: /proc/PID/io. */
static void
counted(void)
{
	int dfd = open(path, O_RDWR | O_DIRECT), fd = open(path, O_RDWR);
	long was = own_io("\nread_bytes: "), wrote;

	CHECK_RET(pread(dfd, aligned, 65536, 4 << 20), 65536);
	CHECK_RET(own_io("\nread_bytes: ") - was, 65536);
	wrote = own_io("\nwrite_bytes: ");
	CHECK_RET(pwrite(dfd, aligned, 8192, 4 << 20), 8192);
	CHECK_RET(own_io("\nwrite_bytes: ") - wrote, 8192);
	CHECK_RET(fsync(fd), 0);
	wrote = own_io("\nwrite_bytes: ");
	CHECK_RET(pwrite(fd, aligned, 1, 5 << 20), 1);
	CHECK_RET(pwrite(fd, aligned, 1, (5 << 20) + 1), 1);
	CHECK_RET(own_io("\nwrite_bytes: ") - wrote, 4096);
	CHECK_RET(fsync(fd), 0);
	counted_by_whom(dfd);
	close(fd);
	close(dfd);
}

int
main(int argc, char **argv)
{
	path = argc > 1 ? argv[1] : "/dev/vda";
	aligned = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	what_it_is();
	the_end();
	direct();
	mapped();
	counted();
	discard();
	patterns();
	not_for_everybody();
	return check_done();
}
