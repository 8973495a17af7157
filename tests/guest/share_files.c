/* SPDX-License-Identifier: ISC */
/*
 * share_files.c - files in a folder of the host, which is argv[1]: what a
 * program can tell from the inside.  Passes on any Linux file system, too.
 */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096

static void
make(const char *name, const char *text)
{
	int fd = CHECK_OK(open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644));

	CHECK_RET(write(fd, text, strlen(text)), strlen(text));
	CHECK_RET(close(fd), 0);
}

/* A file without a name goes on. */
static void
unlinked(void)
{
	char buf[16] = "";
	struct stat st;
	int fd;

	make("gone", "still here");
	fd = CHECK_OK(open("gone", O_RDWR));
	CHECK_RET(unlink("gone"), 0);
	CHECK_ERR(stat("gone", &st), ENOENT);
	CHECK_RET(pread(fd, buf, sizeof(buf), 0), 10);
	CHECK_STR(buf, "still here");
	CHECK_RET(pwrite(fd, "STILL", 5, 0), 5);
	CHECK_RET(pread(fd, buf, 5, 0), 5);
	CHECK_MEM(buf, "STILL", 5);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_nlink, 0);
	CHECK_RET(close(fd), 0);
}

static void
names(void)
{
	char buf[64] = "";
	struct stat a, b;

	make("one", "1");
	make("two", "22");
	CHECK_RET(rename("one", "two"), 0);
	CHECK_ERR(stat("one", &a), ENOENT);
	CHECK_RET(stat("two", &a), 0);
	CHECK_RET(a.st_size, 1);
	CHECK_RET(link("two", "three"), 0);
	CHECK_RET(stat("three", &b), 0);
	CHECK(a.st_ino == b.st_ino && b.st_nlink == 2);
	CHECK_RET(symlink("two", "link"), 0);
	CHECK_RET(readlink("link", buf, sizeof(buf)), 3);
	CHECK_STR(buf, "two");
	CHECK_ERR(mkdir("two", 0755), EEXIST);
	CHECK_RET(mkdir("dir", 0755), 0);
	CHECK_RET(rename("three", "dir/three"), 0);
	CHECK_ERR(rmdir("dir"), ENOTEMPTY);
	CHECK_ERR(open("dir", O_WRONLY), EISDIR);
	CHECK_RET(unlink("dir/three"), 0);
	CHECK_RET(rmdir("dir"), 0);
	CHECK_RET(unlink("link"), 0);
	CHECK_RET(unlink("two"), 0);
}

static void
positions(void)
{
	char buf[8];
	struct stat st;
	int fd = CHECK_OK(open("data", O_CREAT | O_RDWR | O_EXCL, 0600));
	int more = CHECK_OK(open("data", O_WRONLY | O_APPEND));

	CHECK_RET(pwrite(fd, "end", 3, 100000), 3);
	CHECK_RET(write(more, "more", 4), 4);
	CHECK_RET(lseek(fd, 0, SEEK_END), 100007);
	CHECK_RET(pread(fd, buf, 8, 50000), 8);
	CHECK_MEM(buf, "\0\0\0\0\0\0\0\0", 8);
	CHECK_RET(pread(fd, buf, 8, 100000), 7);
	CHECK_MEM(buf, "endmore", 7);
	CHECK_RET(ftruncate(fd, 100001), 0);
	CHECK_RET(pread(fd, buf, 8, 100000), 1);
	CHECK_RET(fsync(fd), 0);
	CHECK_RET(fchmod(fd, 0640), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_mode & 07777, 0640);
	CHECK_RET(st.st_size, 100001);
	CHECK_RET(flock(fd, LOCK_EX), 0);
	CHECK_RET(close(more), 0);
	CHECK_RET(close(fd), 0);
	CHECK_ERR(open("data", O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_RET(unlink("data"), 0);
	fd = CHECK_OK(open("shut", O_CREAT | O_RDWR, 0));
	CHECK_RET(write(fd, "x", 1), 1);
	CHECK_RET(close(fd), 0);
	CHECK_RET(unlink("shut"), 0);
}

/* What is written through a mapping is in the file at close, at the latest. */
static void
mappings(void)
{
	int fd = CHECK_OK(open("mapped", O_CREAT | O_RDWR, 0644));
	char buf[8], *p, *q;

	CHECK_RET(ftruncate(fd, 3 * PAGE), 0);
	CHECK_RET(pwrite(fd, "file", 4, PAGE), 4);
	p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
	REQUIRE(q != MAP_FAILED);
	CHECK_MEM(p + PAGE, "file", 5);
	CHECK_MEM(q, "file", 5);
	memcpy(q, "mine", 4);
	memcpy(p, "shared", 6);
	CHECK_RET(pread(fd, buf, 6, 0), 6);
	CHECK_MEM(buf, "shared", 6);
	CHECK_RET(pwrite(fd, "again", 5, 0), 5);
	CHECK_MEM(p, "againd", 6);
	memcpy(p + 2 * PAGE, "synced", 6);
	CHECK_RET(msync(p, 3 * PAGE, MS_SYNC), 0);
	CHECK_RET(close(fd), 0);
	memcpy(p + PAGE, "last", 4);
	CHECK_MEM(q, "mine", 4);
	CHECK_RET(munmap(p, 3 * PAGE), 0);
	CHECK_RET(munmap(q, PAGE), 0);
	fd = CHECK_OK(open("mapped", O_RDONLY));
	CHECK_RET(pread(fd, buf, 4, PAGE), 4);
	CHECK_MEM(buf, "last", 4);
	CHECK_RET(pread(fd, buf, 6, 2 * PAGE), 6);
	CHECK_MEM(buf, "synced", 6);
	CHECK_RET(close(fd), 0);
}

/* Every entry once, also when the reader goes back. */
static void
listing(void)
{
	unsigned i, n = 0, again = 0;
	char name[16];
	DIR *d;

	CHECK_RET(mkdir("many", 0755), 0);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many/%u", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	d = opendir("many");
	REQUIRE(d != NULL);
	while (readdir(d) != NULL)
		n++;
	CHECK_RET(n, 202);
	rewinddir(d);
	while (readdir(d) != NULL)
		again++;
	CHECK_RET(again, 202);
	closedir(d);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many/%u", i);
		unlink(name);
	}
	CHECK_RET(rmdir("many"), 0);
}

int
main(int argc, char **argv)
{
	REQUIRE(argc == 2);
	REQUIRE(chdir(argv[1]) == 0);
	unlinked();
	names();
	positions();
	mappings();
	listing();
	return check_done();
}
