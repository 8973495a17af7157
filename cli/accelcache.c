/* SPDX-License-Identifier: ISC */
/*
 * accelcache.c - keeps the probe's result until the system is booted again:
 * one line "BOOT-ID DEVICE works|fails" in $XDG_RUNTIME_DIR/remora-kvm, or in
 * a folder of ours below /tmp.  What others could have written is not read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/accel.h"

#define CACHE_LINE 256

/* The folder, open; it belongs to us, and nobody else may write there. */
static int
cache_open_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char name[64];
	struct stat st;
	int fd;

	if (dir == NULL || dir[0] != '/') {
		snprintf(name, sizeof(name), "/tmp/remora-%u",
		    (unsigned)geteuid());
		if (mkdir(name, 0700) < 0 && errno != EEXIST)
			return -1;
		dir = name;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 &&
	    (fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
		(st.st_mode & 022) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What the result depends on: this boot of the system, and the device. */
static bool
cache_key(char key[CACHE_LINE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char id[64];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, id, sizeof(id) - 1);
	close(fd);
	if (n <= 0 || stat("/dev/kvm", &st) < 0)
		return false;
	id[n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	snprintf(key, CACHE_LINE, "%s %llx.%llx.%llx", id,
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    (unsigned long long)st.st_ctim.tv_sec);
	return true;
}

static bool
cache_read(int dir, const char *key, bool *works)
{
	int fd = openat(dir, "remora-kvm", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char line[CACHE_LINE + 16];
	size_t length = strlen(key);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid())
		n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	if (strncmp(line, key, length) != 0)
		return false;
	*works = strcmp(line + length, " works\n") == 0;
	return *works || strcmp(line + length, " fails\n") == 0;
}

/* Without a file the next run probes again; that is no error. */
static void
cache_write(int dir, const char *key, bool works)
{
	char line[CACHE_LINE + 16], name[64];
	int fd,
	    n = snprintf(line, sizeof(line), "%s %s\n", key,
		works ? "works" : "fails");

	snprintf(name, sizeof(name), "remora-kvm.%ld", (long)getpid());
	fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n ||
	    renameat(dir, name, dir, "remora-kvm") < 0)
		unlinkat(dir, name, 0);
	close(fd);
}

bool
accel_kvm_works(char *why, size_t size)
{
	char key[CACHE_LINE];
	bool works, known;
	int dir;

	if (access("/dev/kvm", R_OK | W_OK) != 0 || !cache_key(key))
		return accel_probe_kvm(why, size);
	dir = cache_open_dir();
	known = dir >= 0 && cache_read(dir, key, &works);
	if (known) {
		snprintf(why, size, "/dev/kvm: %s when it was last tried",
		    works ? "worked" : "failed");
	} else {
		works = accel_probe_kvm(why, size);
		if (dir >= 0)
			cache_write(dir, key, works);
	}
	if (dir >= 0)
		close(dir);
	return works;
}
