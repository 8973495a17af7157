/* SPDX-License-Identifier: ISC */
/*
 * check_itself.c - the header's own test: with an argument, every kind of
 * check fails on purpose, and the runner sees to it that they are told.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/mman.h>

static void
check_right(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	CHECK(1 + 1 == 2);
	CHECK_RET(close(dup(1)), 0);
	CHECK_ERR(close(-1), EBADF);
	CHECK_ERR(open("/no/such/file", O_RDONLY), ENOENT);
	CHECK_RET(CHECK_OK(getpid()), getpid());
	CHECK_STR("a", "a");
	CHECK_MEM("abc", "abd", 2);
	REQUIRE(page != MAP_FAILED);
	CHECK_FAULT(*(volatile char *)page = 1, SIGSEGV, page);
}

static void
check_wrong(void)
{
	static char mine;

	CHECK(1 + 1 == 3);
	CHECK_RET(close(-1), 0);
	CHECK_RET(getpid(), -5);
	CHECK_ERR(close(-1), ENOENT);
	CHECK_ERR(close(dup(1)), EBADF);
	CHECK_OK(close(-1));
	CHECK_STR("a", "b");
	CHECK_MEM("abc", "abd", 3);
	CHECK_FAULT(*(volatile char *)&mine = 1, SIGSEGV, &mine);
}

int
main(int argc, char **argv)
{
	(void)argv;
	check_right();
	if (argc > 1)
		check_wrong();
	return check_done();
}
