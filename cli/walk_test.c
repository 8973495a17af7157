/* SPDX-License-Identifier: ISC */
/* walk_test.c - path names never lead out of their root. */
/* unit: cli/walk.c cli/testelf.c */
#include "cli/walk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/testelf.h"

static const char *root;
static char met[4096];

static void
meet(void *arg, const char *path, const struct stat *st, const char *target)
{
	size_t n = strlen(met);

	(void)arg;
	(void)st;
	snprintf(met + n, sizeof(met) - n, "%s%s%s;", path,
	    target != NULL ? ">" : "", target != NULL ? target : "");
}

static void
leads(const char *path, int error, const char *to, const char *by)
{
	char resolved[PATH_MAX];
	struct stat st;

	met[0] = '\0';
	assert_int_equal(walk(root, path, resolved, &st, meet, NULL), error);
	if (error == 0)
		assert_string_equal(resolved, to);
	if (by != NULL)
		assert_string_equal(met, by);
}

static void
walks(void **state)
{
	char longest[PATH_MAX + 10];

	(void)state;
	test_dir_put("/a/b/file", "x", 1, 0644);
	test_dir_link("/a/up", "../a/b");
	test_dir_link("/abs", "/a/b");
	test_dir_link("/out", "../../../../etc/../a");
	test_dir_link("/loop", "loop");
	test_dir_link("/dangling", "/etc/passwd");
	leads("/a/b/file", 0, "/a/b/file", "/a;/a/b;/a/b/file;");
	leads("//a/./b//file", 0, "/a/b/file", NULL);
	leads("/a/up/file", 0, "/a/b/file",
	    "/a;/a/up>../a/b;/a;/a/b;/a/b/file;");
	leads("/abs/../b/file", 0, "/a/b/file", NULL);
	leads("/", 0, "/", "");
	leads("/..", 0, "/", "");
	leads("/../../a", 0, "/a", "/a;");
	leads("/a/..", 0, "/", NULL);
	leads("", -ENOENT, NULL, NULL);
	leads("/none", -ENOENT, NULL, NULL);
	leads("/dangling", -ENOENT, NULL, "/dangling>/etc/passwd;");
	leads("/out", -ENOENT, NULL, NULL);
	leads("/loop", -ELOOP, NULL, NULL);
	leads("/a/b/file/x", -ENOTDIR, NULL, NULL);
	leads("/a/b/file/..", -ENOTDIR, NULL, NULL);
	leads("/a/b/file/", -ENOTDIR, NULL, NULL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	leads(longest, -ENAMETOOLONG, NULL, NULL);
	longest[300] = '\0';
	leads(longest, -ENAMETOOLONG, NULL, NULL);
}

static void
opens(void **state)
{
	char resolved[PATH_MAX];
	struct stat st;
	int fd;

	(void)state;
	test_dir_put("/f", "x", 1, 0644);
	test_dir_link("/l", "/f");
	fd = walk_open(root, "/l", resolved, &st);
	assert_true(fd >= 0);
	assert_string_equal(resolved, "/f");
	assert_int_equal(st.st_size, 1);
	close(fd);
	assert_int_equal(walk_open(root, "/g", resolved, &st), -ENOENT);
}

static int
setup(void **state)
{
	(void)state;
	root = test_dir_make();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_dir_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(walks, setup, teardown),
		cmocka_unit_test_setup_teardown(opens, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
