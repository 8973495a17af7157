/* SPDX-License-Identifier: ISC */
/* files.c - reading, writing and replacing files. */
#include "guest/cloud/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
file_read(const char *path, size_t max, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	char piece[8192];
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (error == 0 && n > 0) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0)
			error = -errno;
		else if ((size_t)n > max - out->len)
			error = -EFBIG;
		else
			buf_add(out, piece, (size_t)n);
	}
	close(fd);
	return error;
}

static int
file_write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			data += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static int
file_write_flags(const char *path, const void *data, size_t n, mode_t mode,
    int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags,
	    mode & 0777);
	int error;

	if (fd < 0)
		return -errno;
	error = file_write_all(fd, data, n);
	if (error == 0 && fchmod(fd, mode) < 0)
		error = -errno;
	if (close(fd) < 0 && error == 0)
		error = -errno;
	return error;
}

int
file_write(const char *path, const void *data, size_t n, mode_t mode,
    bool append)
{
	return file_write_flags(path, data, n, mode,
	    append ? O_APPEND : O_TRUNC);
}

int
file_replace(const char *path, const void *data, size_t n, mode_t mode)
{
	char *other = mem_format("%s.cloud-new", path);
	struct stat st;
	int error = file_write_flags(other, data, n, mode,
	    O_TRUNC | O_NOFOLLOW);

	if (error == 0 && stat(path, &st) == 0 &&
	    chown(other, st.st_uid, st.st_gid) < 0)
		error = -errno;
	if (error == 0 && rename(other, path) < 0)
		error = -errno;
	if (error != 0)
		(void)unlink(other);
	free(other);
	return error;
}

int
file_make_parents(const char *path)
{
	char *copy = mem_string(path);
	int error = 0;

	for (char *p = copy; error == 0 && (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			error = -errno;
		*p = '/';
	}
	free(copy);
	return error;
}

int
file_make_folder(const char *path, mode_t mode)
{
	int error = file_make_parents(path);

	if (error == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
		error = -errno;
	return error;
}
