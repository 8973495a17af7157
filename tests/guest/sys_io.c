/* SPDX-License-Identifier: ISC */
/*
 * sys_io.c - reading and writing files: read(2), pread(2), readv(2),
 * lseek(2), ftruncate(2), fallocate(2), sendfile(2), copy_file_range(2),
 * fsync(2) and their kin.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define BAD ((void *)8)

static char dir[] = "/tmp/sys_io.XXXXXX";
static char path[80], buf[16384], page[4096];
static int fd, rdonly, wronly, dirfd;

static void
open_all(void)
{
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/file", dir);
	REQUIRE((fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644)) >= 0);
	REQUIRE((rdonly = open(path, O_RDONLY)) >= 0);
	REQUIRE((wronly = open(path, O_WRONLY)) >= 0);
	REQUIRE((dirfd = open(dir, O_RDONLY | O_DIRECTORY)) >= 0);
}

static void
read_and_write(void)
{
	CHECK_RET(read(fd, buf, 10), 0);
	CHECK_RET(write(fd, "0123456789", 10), 10);
	CHECK_RET(read(fd, buf, 10), 0);
	CHECK_RET(read(rdonly, buf, 4), 4);
	CHECK_MEM(buf, "0123", 4);
	CHECK_RET(read(rdonly, buf, 100), 6);
	CHECK_MEM(buf, "456789", 6);
	CHECK_RET(read(rdonly, buf, 0), 0);
	CHECK_RET(write(fd, buf, 0), 0);
	CHECK_ERR(read(-1, buf, 1), EBADF);
	CHECK_ERR(write(99, buf, 1), EBADF);
	CHECK_ERR(read(wronly, buf, 1), EBADF);
	CHECK_ERR(write(rdonly, buf, 1), EBADF);
	CHECK_ERR(read(dirfd, buf, 1), EISDIR);
	CHECK_ERR(write(dirfd, buf, 1), EBADF);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK_ERR(syscall(SYS_read, fd, BAD, 4), EFAULT);
	CHECK_RET(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_ERR(syscall(SYS_write, fd, BAD, 4), EFAULT);
	CHECK_ERR(syscall(SYS_read, fd, buf, -1L), EFAULT);
	CHECK_ERR(syscall(SYS_write, fd, 0xffff800000000000ul, 8), EFAULT);
	CHECK_RET(syscall(SYS_read, fd, buf, 16000ul), 10);
}

static void
positions(void)
{
	CHECK_RET(pread(fd, buf, 3, 7), 3);
	CHECK_MEM(buf, "789", 3);
	CHECK_RET(pread(fd, buf, 3, 10), 0);
	CHECK_RET(pread(fd, buf, 3, 1000), 0);
	CHECK_ERR(pread(fd, buf, 3, -1), EINVAL);
	CHECK_ERR(pwrite(fd, buf, 3, -1), EINVAL);
	CHECK_ERR(pread(-1, buf, 3, 0), EBADF);
	CHECK_ERR(pread(wronly, buf, 3, 0), EBADF);
	CHECK_ERR(pwrite(rdonly, buf, 3, 0), EBADF);
	CHECK_RET(lseek(fd, 3, SEEK_SET), 3);
	CHECK_RET(pwrite(fd, "AB", 2, 1), 2);
	CHECK_RET(lseek(fd, 0, SEEK_CUR), 3);
	CHECK_RET(pread(fd, buf, 10, 0), 10);
	CHECK_MEM(buf, "0AB3456789", 10);
	CHECK_RET(lseek(fd, 0, SEEK_END), 10);
	CHECK_RET(lseek(fd, -4, SEEK_CUR), 6);
	CHECK_RET(lseek(fd, 100, SEEK_END), 110);
	CHECK_RET(read(fd, buf, 1), 0);
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, -111, SEEK_CUR), EINVAL);
	CHECK_ERR(lseek(fd, 0, 9), EINVAL);
	CHECK_ERR(lseek(-1, 0, SEEK_SET), EBADF);
	CHECK_RET(lseek(fd, 20000, SEEK_SET), 20000);
	CHECK_RET(write(fd, "end", 3), 3); /* a hole before it */
	CHECK_RET(pread(fd, buf, 10, 19993), 10);
	CHECK_MEM(buf, "\0\0\0\0\0\0\0end", 10);
	CHECK_RET(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_OK(lseek(fd, 5000, SEEK_DATA));
	CHECK(lseek(fd, 0, SEEK_HOLE) > 0);
	CHECK_ERR(lseek(fd, 30000, SEEK_DATA), ENXIO);
	CHECK_ERR(lseek(fd, 30000, SEEK_HOLE), ENXIO);
	CHECK_ERR(lseek(fd, -1, SEEK_DATA), ENXIO);
}

static void
vectors(void)
{
	char a[4], b[4];
	struct iovec v[2] = { { a, 4 }, { b, 4 } };
	struct iovec bad[2] = { { a, 4 }, { BAD, 4 } };
	struct iovec huge[2] = { { a, (size_t)-1 }, { b, 1 } };

	CHECK_RET(ftruncate(fd, 0), 0);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	memcpy(a, "abcd", 4);
	memcpy(b, "efgh", 4);
	CHECK_RET(writev(fd, v, 2), 8);
	CHECK_RET(lseek(fd, 1, SEEK_SET), 1);
	CHECK_RET(readv(fd, v, 2), 7);
	CHECK_MEM(a, "bcde", 4);
	CHECK_MEM(b, "fghh", 4);
	CHECK_RET(readv(fd, v, 0), 0);
	CHECK_RET(syscall(SYS_writev, fd, v, 0), 0);
	CHECK_ERR(syscall(SYS_readv, fd, v, -1), EINVAL);
	CHECK_ERR(syscall(SYS_readv, fd, v, 1025), EINVAL);
	CHECK_ERR(readv(fd, huge, 2), EINVAL);
	CHECK_ERR(syscall(SYS_readv, fd, BAD, 2), EFAULT);
	CHECK_ERR(readv(-1, v, 2), EBADF);
	CHECK_ERR(writev(rdonly, v, 2), EBADF);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK_RET(readv(fd, bad, 2), 4); /* as far as it went */
	CHECK_RET(preadv(fd, v, 2, 2), 6);
	CHECK_MEM(a, "cdef", 4);
	CHECK_ERR(preadv(fd, v, 2, -1), EINVAL);
	CHECK_RET(pwritev(fd, v, 1, 8), 4);
	CHECK_RET(preadv2(fd, v, 2, 4, 0), 8);
	CHECK_MEM(b, "cdef", 4);
	CHECK_ERR(preadv2(fd, v, 2, 4, 0x40000000), EOPNOTSUPP);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK_RET(preadv2(fd, v, 1, -1, 0), 4);
	CHECK_RET(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_RET(pwritev2(fd, v, 1, 0, RWF_APPEND), 4);
	CHECK_RET(lseek(fd, 0, SEEK_END), 16);
}

static void
appending(void)
{
	int app = open(path, O_RDWR | O_APPEND);

	REQUIRE(app >= 0);
	CHECK_RET(ftruncate(app, 3), 0);
	CHECK_RET(lseek(app, 0, SEEK_SET), 0);
	CHECK_RET(write(app, "xyz", 3), 3);
	CHECK_RET(lseek(app, 0, SEEK_CUR), 6);
	CHECK_RET(pwrite(app, "w", 1, 0), 1); /* appends: pwrite(2), BUGS */
	CHECK_RET(lseek(app, 0, SEEK_END), 7);
	close(app);
}

static void
truncating(void)
{
	struct stat st;

	CHECK_RET(ftruncate(fd, 10000), 0);
	CHECK_RET(pwrite(fd, "q", 1, 9999), 1);
	CHECK_RET(ftruncate(fd, 5), 0);
	CHECK_RET(ftruncate(fd, 10000), 0);
	CHECK_RET(pread(fd, buf, 1, 9999), 1);
	CHECK_RET(buf[0], 0);
	CHECK_RET(truncate(path, 77), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_size, 77);
	CHECK_ERR(ftruncate(rdonly, 1), EINVAL);
	CHECK_ERR(ftruncate(-1, 1), EBADF);
	CHECK_ERR(ftruncate(fd, -1), EINVAL);
	CHECK_ERR(ftruncate(dirfd, 1), EINVAL);
	CHECK_ERR(truncate(dir, 1), EISDIR);
	CHECK_ERR(truncate(path, -1), EINVAL);
	CHECK_ERR(truncate("/nowhere/x", 1), ENOENT);
	CHECK_ERR(truncate("", 1), ENOENT);
	CHECK_ERR(syscall(SYS_truncate, BAD, 1), EFAULT);
}

static void
allocating(void)
{
	struct stat st;

	CHECK_RET(ftruncate(fd, 0), 0);
	CHECK_RET(fallocate(fd, 0, 0, 8192), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_size, 8192);
	CHECK(st.st_blocks >= 16);
	CHECK_RET(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8192, 4096), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_size, 8192);
	memset(page, 'p', sizeof(page));
	CHECK_RET(pwrite(fd, page, 4096, 0), 4096);
	CHECK_RET(pwrite(fd, page, 4096, 4096), 4096);
	CHECK_RET(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      4000, 200),
	    0);
	CHECK_RET(pread(fd, buf, 202, 3999), 202);
	CHECK(buf[0] == 'p' && buf[1] == 0 && buf[200] == 0 && buf[201] == 'p');
	CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	CHECK_ERR(fallocate(fd, 0x4000, 0, 1), EOPNOTSUPP);
	CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERR(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERR(fallocate(fd, 0, INT64_MAX, 1), EFBIG);
	CHECK_ERR(fallocate(rdonly, 0, 0, 1), EBADF);
	CHECK_ERR(fallocate(-1, 0, 0, 1), EBADF);
	CHECK_RET(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
	CHECK_RET(posix_fadvise(fd, 0, 0, 77), EINVAL);
	CHECK_RET(posix_fadvise(-1, 0, 0, 0), EBADF);
	CHECK_RET(readahead(fd, 0, 4096), 0);
	CHECK_ERR(readahead(wronly, 0, 4096), EBADF);
}

static void
copying(void)
{
	char other[90];
	off_t off = 2, off2 = 5;
	int out;

	snprintf(other, sizeof(other), "%s/out", dir);
	REQUIRE((out = open(other, O_RDWR | O_CREAT, 0600)) >= 0);
	CHECK_RET(ftruncate(fd, 0), 0);
	CHECK_RET(pwrite(fd, "0123456789", 10, 0), 10);
	CHECK_RET(lseek(fd, 4, SEEK_SET), 4);
	CHECK_RET(sendfile(out, fd, NULL, 100), 6);
	CHECK_RET(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_RET(sendfile(out, fd, &off, 3), 3);
	CHECK_RET(off, 5);
	CHECK_RET(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_RET(pread(out, buf, 20, 0), 9);
	CHECK_MEM(buf, "456789234", 9);
	off = -1;
	CHECK_ERR(sendfile(out, fd, &off, 1), EINVAL);
	CHECK_ERR(sendfile(out, -1, NULL, 1), EBADF);
	CHECK_ERR(sendfile(-1, fd, NULL, 1), EBADF);
	CHECK_ERR(sendfile(out, wronly, NULL, 1), EBADF);
	CHECK_ERR(sendfile(rdonly, fd, NULL, 1), EBADF);
	CHECK_ERR(syscall(SYS_sendfile, out, fd, BAD, 1), EFAULT);
	off = 0;
	CHECK_RET(copy_file_range(fd, &off, out, &off2, 4, 0), 4);
	CHECK_RET(off, 4);
	CHECK_RET(off2, 9);
	CHECK_RET(pread(out, buf, 20, 0), 9);
	CHECK_MEM(buf, "456780123", 9);
	CHECK_ERR(copy_file_range(fd, NULL, out, NULL, 4, 1), EINVAL);
	CHECK_ERR(copy_file_range(-1, NULL, out, NULL, 4, 0), EBADF);
	CHECK_ERR(copy_file_range(fd, NULL, rdonly, NULL, 4, 0), EBADF);
	CHECK_ERR(copy_file_range(dirfd, NULL, out, NULL, 4, 0), EISDIR);
	off = 0;
	off2 = 2;
	CHECK_ERR(copy_file_range(fd, &off, fd, &off2, 4, 0), EINVAL);
	close(out);
	unlink(other);
}

static void
syncing(void)
{
	int p[2];

	REQUIRE(pipe(p) == 0);
	CHECK_RET(fsync(fd), 0);
	CHECK_RET(fdatasync(fd), 0);
	CHECK_RET(fsync(dirfd), 0);
	CHECK_ERR(fsync(-1), EBADF);
	CHECK_ERR(fsync(p[0]), EINVAL);
	CHECK_ERR(fdatasync(p[1]), EINVAL);
	CHECK_RET(syncfs(fd), 0);
	CHECK_ERR(syncfs(-1), EBADF);
	CHECK_RET(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE), 0);
	CHECK_ERR(sync_file_range(fd, 0, 4096, 0x100), EINVAL);
	CHECK_ERR(sync_file_range(fd, -1, 4096, 0), EINVAL);
	CHECK_ERR(sync_file_range(p[0], 0, 0, 0), ESPIPE);
	CHECK_ERR(sync_file_range(-1, 0, 0, 0), EBADF);
	CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERR(pread(p[0], buf, 1, 0), ESPIPE);
	CHECK_ERR(pwrite(p[1], buf, 1, 0), ESPIPE);
	CHECK_ERR(ftruncate(p[1], 0), EINVAL);
	CHECK_ERR(fallocate(p[1], 0, 0, 1), ESPIPE);
	CHECK_RET(posix_fadvise(p[0], 0, 0, 0), ESPIPE);
	close(p[0]);
	close(p[1]);
	sync();
}

/* RLIMIT_FSIZE: SIGXFSZ, and EFBIG when that is ignored. */
static void
size_limit(void)
{
	struct rlimit old, low;

	REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
	low = old;
	low.rlim_cur = 8;
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &low) == 0);
	CHECK_RET(pwrite(fd, "0123456789", 10, 0), 8);
	CHECK_ERR(pwrite(fd, "x", 1, 8), EFBIG);
	CHECK_ERR(ftruncate(fd, 100), EFBIG);
	CHECK_RET(setrlimit(RLIMIT_FSIZE, &old), 0);
}

int
main(void)
{
	open_all();
	read_and_write();
	positions();
	vectors();
	appending();
	truncating();
	allocating();
	copying();
	syncing();
	size_limit();
	unlink(path);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
