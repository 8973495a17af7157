/* SPDX-License-Identifier: ISC */
/* sys_inotify.c - inotify(7): which events come, in what order, and errors. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char dir[] = "/tmp/sys_inotify.XXXXXX";
static char got[4000];

static const struct {
	unsigned bit;
	const char *name;
} bits[] = {
	{ IN_ACCESS, "access" },
	{ IN_MODIFY, "modify" },
	{ IN_ATTRIB, "attrib" },
	{ IN_CLOSE_WRITE, "close_write" },
	{ IN_CLOSE_NOWRITE, "close_nowrite" },
	{ IN_OPEN, "open" },
	{ IN_MOVED_FROM, "moved_from" },
	{ IN_MOVED_TO, "moved_to" },
	{ IN_CREATE, "create" },
	{ IN_DELETE, "delete" },
	{ IN_DELETE_SELF, "delete_self" },
	{ IN_MOVE_SELF, "move_self" },
	{ IN_IGNORED, "ignored" },
	{ IN_ISDIR, "dir" },
};

/* All events that are there, as words: "create:x open:x". */
static const char *
events(int fd)
{
	char buf[4096] __attribute__((aligned(8)));
	struct inotify_event *e;
	long n = read(fd, buf, sizeof(buf)), at;
	size_t i;

	got[0] = '\0';
	for (at = 0; at < n; at += (long)(sizeof(*e) + e->len)) {
		e = (struct inotify_event *)(void *)(buf + at);
		if (at != 0)
			strcat(got, " ");
		for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
			if ((e->mask & bits[i].bit) != 0)
				strcat(got, bits[i].name);
		if (e->len != 0) {
			strcat(got, ":");
			strcat(got, e->name);
		}
	}
	return got;
}

static int in, wd;

static void
refusals(void)
{
	CHECK_ERR(inotify_init1(1), EINVAL);
	in = (int)CHECK_OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	CHECK_RET(fcntl(in, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(inotify_add_watch(in, ".", 0), EINVAL);
	CHECK_ERR(inotify_add_watch(in, "nothing", IN_OPEN), ENOENT);
	CHECK_ERR(inotify_add_watch(0, ".", IN_OPEN), EINVAL);
	CHECK_ERR(inotify_add_watch(99, ".", IN_OPEN), EBADF);
	CHECK_ERR(inotify_rm_watch(in, 5), EINVAL);
	wd = (int)CHECK_OK(inotify_add_watch(in, dir, IN_ALL_EVENTS));
	CHECK_RET(wd, 1);
	CHECK_ERR(read(in, got, sizeof(got)), EAGAIN);
}

static void
what_happens_in_it(void)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	int fd, n;
	char c;

	CHECK_RET(poll(&p, 1, 0), 0);
	fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK_RET(write(fd, "abc", 3), 3);
	CHECK_RET(pread(fd, &c, 1, 0), 1);
	close(fd);
	CHECK_RET(poll(&p, 1, 0), 1);
	CHECK_RET(ioctl(in, FIONREAD, &n), 0);
	CHECK_RET(n, 5 * 32);
	CHECK_ERR(read(in, got, 16), EINVAL);
	CHECK_STR(events(in),
	    "create:file open:file modify:file access:file "
	    "close_write:file");
	fd = open("file", O_RDONLY);
	close(fd);
	chmod("file", 0640);
	truncate("file", 1);
	CHECK_STR(events(in),
	    "open:file close_nowrite:file attrib:file modify:file");
	mkdir("sub", 0700);
	rename("file", "moved");
	symlink("x", "link");
	link("moved", "other");
	CHECK_STR(events(in),
	    "createdir:sub moved_from:file moved_to:moved create:link "
	    "create:other");
	unlink("other");
	unlink("link");
	rmdir("sub");
	CHECK_STR(events(in), "delete:other delete:link deletedir:sub");
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	CHECK(syscall(SYS_getdents64, fd, got, sizeof(got)) > 0);
	close(fd);
	CHECK_STR(events(in), "opendir accessdir close_nowritedir");
}

/* A queue of 16384: what does not go in is told by one event at its end. */
static void
too_many(void)
{
	int i, n, last = 0, wf;

	wf = (int)CHECK_OK(inotify_add_watch(in, "moved", IN_ATTRIB));
	CHECK_RET(inotify_add_watch(in, dir, IN_ATTRIB), wd);
	for (i = 0; i < 8300; i++)
		chmod("moved", i % 2 != 0 ? 0600 : 0640);
	for (i = 0; (n = read(in, got, sizeof(got))) > 0;)
		for (char *p = got; p < got + n; i++) {
			struct inotify_event *e = (void *)p;

			last = e->wd == -1 ? (int)e->mask : 0;
			p += sizeof(*e) + e->len;
		}
	CHECK_RET(last, IN_Q_OVERFLOW);
	CHECK_RET(i, 16385);
	CHECK_RET(inotify_rm_watch(in, wf), 0);
	CHECK_STR(events(in), "ignored");
	CHECK_RET(inotify_add_watch(in, dir, IN_ALL_EVENTS), wd);
}

static void
other_watches(void)
{
	int wf;

	wf = (int)CHECK_OK(
	    inotify_add_watch(in, "moved", IN_MOVE_SELF | IN_DELETE_SELF));
	CHECK_RET(inotify_add_watch(in, dir, IN_CREATE), wd); /* replaced */
	CHECK_ERR(inotify_add_watch(in, dir, IN_CREATE | IN_MASK_CREATE),
	    EEXIST);
	CHECK_ERR(inotify_add_watch(in, "moved", IN_OPEN | IN_ONLYDIR),
	    ENOTDIR);
	rename("moved", "again");
	unlink("again");
	CHECK_STR(events(in), "move_self delete_self ignored");
	CHECK_ERR(inotify_rm_watch(in, wf), EINVAL);
	CHECK_RET(inotify_add_watch(in, dir, IN_OPEN | IN_MASK_ADD), wd);
	close(open("new", O_WRONLY | O_CREAT, 0600));
	CHECK_STR(events(in), "create:new open:new");
	CHECK_RET(inotify_rm_watch(in, wd), 0);
	CHECK_STR(events(in), "ignored");
	unlink("new");
	CHECK_ERR(read(in, got, sizeof(got)), EAGAIN);
	wd = (int)CHECK_OK(inotify_add_watch(in, dir, IN_CREATE | IN_ONESHOT));
	mkdir("a", 0700);
	mkdir("b", 0700);
	CHECK_STR(events(in), "createdir:a ignored");
}

int
main(void)
{
	alarm(30);
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chdir(dir) == 0);
	refusals();
	what_happens_in_it();
	too_many();
	other_watches();
	CHECK_RET(close(in), 0);
	rmdir("a");
	rmdir("b");
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
