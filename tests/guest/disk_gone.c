/* SPDX-License-Identifier: ISC */
/*
 * disk_gone.c - what becomes of open, mapped and written devices whose disk is
 * taken away:
 *     disk_gone /dev/vda1 [host]
 * Another process removes the PCI function while this one reads and writes; or
 * the host does, when this has said that it may.
 */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static sigjmp_buf back;
static const char *path;

static void
on_bus(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static bool
faults(volatile char *p, bool write)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	if (write)
		*p = 1;
	else
		(void)*p;
	return false;
}

/* The function's folder: the first above the disk that can be removed. */
static bool
find_function(char *out, size_t size)
{
	char link[64], *at, *end;
	bool found = false;

	snprintf(link, sizeof(link), "/sys/class/block/%s",
	    strrchr(path, '/') + 1);
	at = realpath(link, NULL);
	while (at != NULL && !found && (end = strrchr(at, '/')) != NULL) {
		*end = '\0';
		snprintf(out, size, "%s/remove", at);
		found = access(out, W_OK) == 0;
	}
	free(at);
	return found;
}

/*
 * Reads and writes until an error says that the disk has gone; after the first
 * few, tells the other process to take it.
 */
static void
use(int fd, char *buf, int go)
{
	ssize_t n = 4096;
	unsigned i;

	for (i = 0; n == 4096; i++) {
		if (i == 10)
			CHECK_RET(write(go, "g", 1), 1);
		n = i % 2 == 0 ? pread(fd, buf, 4096, i % 64 * 4096) :
				 pwrite(fd, buf, 4096, i % 64 * 4096);
	}
	CHECK(i > 10);
	CHECK((n == -1 && (errno == EIO || errno == ENOSPC)) || n == 0);
}

static void
remove_function(const char *file, int go)
{
	int fd = file != NULL ? open(file, O_WRONLY) : 0;
	char c;

	if (file == NULL)
		_exit(read(go, &c, 1) != 1 ||
		    write(1, "# it may go\n", 12) != 12);
	_exit(fd < 0 || read(go, &c, 1) != 1 || write(fd, "1", 1) != 1);
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_bus };
	char file[PATH_MAX], *buf, *map;
	int cached, direct, status, go[2];
	uint64_t size = 1;
	struct stat st;
	bool by_host = argc > 2 && strcmp(argv[2], "host") == 0;
	pid_t child;

	path = argc > 1 ? argv[1] : "/dev/vda";
	sigaction(SIGBUS, &sa, NULL);
	CHECK(by_host || find_function(file, sizeof(file)));
	cached = open(path, O_RDWR);
	direct = open(path, O_RDWR | O_DIRECT);
	buf = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
	CHECK(cached >= 0 && direct >= 0 && map != MAP_FAILED);
	CHECK(!faults(map, false) && !faults(map + 4096, true));
	CHECK_RET(pwrite(cached, "lost", 4, 8192), 4);
	CHECK_RET(pipe(go), 0);
	child = fork();
	if (child == 0)
		remove_function(by_host ? NULL : file, go[0]);
	use(direct, buf, go[1]);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(status, 0);
	/* The host's removal goes on behind the first error. */
	while (by_host && !faults(map, false))
		usleep(5000);
	CHECK(faults(map, false) && faults(map + 4096, true));
	CHECK(faults(map + 60000, false));
	CHECK_ERR(pread(cached, buf, 4096, 0), EIO);
	CHECK_ERR(pwrite(cached, buf, 4096, 0), EIO);
	CHECK(ioctl(cached, BLKGETSIZE64, &size) == -1 || size != 1);
	CHECK_ERR(stat(path, &st), ENOENT);
	CHECK_ERR(open(path, O_RDONLY), ENOENT);
	CHECK_RET(munmap(map, 65536), 0);
	CHECK_RET(close(cached), 0);
	CHECK_RET(close(direct), 0);
	return check_done();
}
