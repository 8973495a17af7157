/* SPDX-License-Identifier: ISC */
/* pack_test.c - what ends up in the machine's root. */
/* unit: cli/pack.c cli/cloud.c cli/deps.c cli/libsearch.c cli/ldcache.c cli/elffile.c cli/fill.c cli/walk.c cli/tree.c cli/trouble.c cli/mem.c cli/testelf.c cli/share.c cli/net.c cli/bootline.c cli/disk.c cli/kernelfile.c */
#include "cli/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/testelf.h"

static const struct test_elf nothing;
static char root[512];
static struct pack pack;
static struct trouble trouble;
static struct run_options o;

static int
make(const char *program)
{
	static char *argv[2];

	argv[0] = (char *)program;
	o.argv = argv;
	o.argc = 1;
	pack_fini(&pack);
	return pack_make(&pack, &o, &trouble);
}

static const char *
in_root(const char *path)
{
	static char full[4][1024];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(full[next], sizeof(full[next]), "%s%s", root, path);
	return full[next];
}

static struct tree_node *
find(const char *path)
{
	return tree_find(&pack.tree, path);
}

static void
a_program_under_its_own_name(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p", &nothing);
	test_dir_link("/sbin", "bin");
	assert_true(make(in_root("/x/../sbin/p")) != 0);
	assert_int_equal(trouble.status, STATUS_NOTFOUND);
	assert_int_equal(make(in_root("/./sbin//p")), 0);
	assert_string_equal(pack.program, in_root("/sbin/p"));
	assert_non_null(find(in_root("/sbin")));
	assert_non_null(find(in_root("/bin/p")));
	assert_non_null(find("/dev/console"));
	assert_int_equal(find("/tmp")->mode, S_IFDIR | 01777);
	assert_int_equal(pack.env.count, 0);
}

/* A folder that is a link already: what is added goes where it leads. */
static void
added_behind_a_link(void **state)
{
	const char *add[1];
	char text[1024];

	(void)state;
	test_dir_put_elf("/bin/p", &nothing);
	test_dir_link("/sbin", "bin");
	snprintf(text, sizeof(text), "%s:%s", in_root("/bin/p"),
	    in_root("/sbin/q"));
	add[0] = text;
	o.add = add;
	o.nadd = 1;
	assert_int_equal(make(in_root("/sbin/p")), 0);
	o.nadd = 0;
	assert_non_null(find(in_root("/bin/q")));
	assert_null(find(in_root("/sbin/q")));
}

static void
links_are_followed(void **state)
{
	static const char *const ways[][2] = { { "/a/x", "/b/x" },
		{ "/up/y/z", "/c/y/z" }, { "/loop/x", NULL },
		{ "/plain/x", "/plain/x" }, { "/a", "/a" } };
	struct tree tree = { 0 };

	(void)state;
	tree_add(&tree, "/a", S_IFLNK | 0777, NULL)->target = mem_string("/b");
	tree_add(&tree, "/d/e", S_IFLNK | 0777, NULL)->target = mem_string(
	    "../c");
	tree_add(&tree, "/up", S_IFLNK | 0777, NULL)->target = mem_string(
	    "d/e");
	tree_add(&tree, "/loop", S_IFLNK | 0777, NULL)->target = mem_string(
	    "loop");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char *path = tree_resolve(&tree, ways[i][0]);

		assert_non_null(path);
		if (ways[i][1] != NULL)
			assert_string_equal(path, ways[i][1]);
		free(path);
	}
	tree_fini(&tree);
}

static void
a_program_along_the_path(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/only-here", &nothing);
	setenv("PATH", in_root("/bin"), 1);
	assert_int_equal(make("only-here"), 0);
	assert_string_equal(pack.program, in_root("/bin/only-here"));
	assert_true(make("not-even-here") != 0);
	assert_int_equal(trouble.status, STATUS_NOTFOUND);
}

static void
library_path_goes_along(void **state)
{
	char wanted[1024];

	(void)state;
	test_dir_put_elf("/p",
	    &(struct test_elf){ .needed = { "libremora-test.so" } });
	test_dir_put_elf("/l/libremora-test.so", &nothing);
	assert_true(make(in_root("/p")) != 0);
	assert_int_equal(trouble.status, STATUS_NOEXEC);
	assert_int_equal(chdir(root), 0);
	setenv("LD_LIBRARY_PATH", "l", 1);
	assert_true(make("p/../p") != 0);
	assert_int_equal(make("./p"), 0);
	snprintf(wanted, sizeof(wanted), "LD_LIBRARY_PATH=%s/l", root);
	assert_int_equal(pack.env.count, 1);
	assert_string_equal(pack.env.item[0], wanted);
	assert_non_null(find(in_root("/l/libremora-test.so")));
}

static void
the_environment_has_no_name_twice(void **state)
{
	const char *env[] = { "A=1", "AB=2", "A=3" };

	(void)state;
	test_dir_put_elf("/p", &nothing);
	o.env = env;
	o.nenv = 3;
	assert_int_equal(make(in_root("/p")), 0);
	assert_int_equal(pack.env.count, 2);
	assert_string_equal(pack.env.item[0], "A=3");
	assert_string_equal(pack.env.item[1], "AB=2");
}

static void
added_files_bring_what_they_need(void **state)
{
	char add[1024];
	const char *adds[] = { in_root("/mods"), add };

	(void)state;
	test_dir_put_elf("/p", &nothing);
	test_dir_put_elf("/mods/deep/mod.so",
	    &(struct test_elf){ .needed = { "libm1.so" },
		.runpath = "$ORIGIN/../../libs" });
	test_dir_put_elf("/libs/libm1.so", &nothing);
	test_dir_put("/conf", "x", 1, 0600);
	test_dir_link("/mods/link", "../conf");
	snprintf(add, sizeof(add), "%s:/etc//app/./conf", in_root("/conf"));
	o.add = adds;
	o.nadd = 2;
	assert_int_equal(make(in_root("/p")), 0);
	assert_non_null(find(in_root("/mods/deep/mod.so")));
	assert_non_null(find(in_root("/libs/libm1.so")));
	assert_non_null(find(in_root("/conf")));
	assert_int_equal(find("/etc/app/conf")->size, 1);
	assert_int_equal(find("/etc/app/conf")->mode, S_IFREG | 0600);
	assert_string_equal(find(in_root("/mods/link"))->target, "../conf");
	adds[0] = "/no/such/file";
	assert_true(make(in_root("/p")) != 0);
	assert_string_equal(trouble.text,
	    "--add /no/such/file: No such file or directory");
	adds[0] = "/etc:relative";
	assert_true(make(in_root("/p")) != 0);
	assert_string_equal(trouble.text,
	    "--add /etc:relative: PATH or "
	    "PATH:/GUESTPATH is expected");
}

static void
a_whole_root(void **state)
{
	(void)state;
	test_dir_put_elf("/usr/bin/p",
	    &(struct test_elf){ .interp = "/lib/ld.so",
		.needed = { "libr.so" } });
	test_dir_put_elf("/lib/ld.so", &nothing);
	test_dir_put("/etc/other", "abc", 3, 0640);
	o.rootfs = root;
	assert_true(make("p") != 0);
	assert_int_equal(trouble.status, STATUS_NOEXEC);
	test_dir_put_elf("/usr/lib/libr.so", &nothing);
	assert_int_equal(make("p"), 0);
	assert_string_equal(pack.program, "/usr/bin/p");
	assert_int_equal(make("usr/bin/p"), 0);
	assert_string_equal(pack.program, "/usr/bin/p");
	assert_int_equal(find("/etc/other")->size, 3);
	assert_int_equal(find("/")->uid, getuid());
	assert_non_null(find("/dev/null"));
	assert_true(make("/usr/bin/q") != 0);
	assert_int_equal(trouble.status, STATUS_NOTFOUND);
	o.rootfs = in_root("/etc/other");
	assert_true(make("/usr/bin/p") != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
}

static int
setup(void **state)
{
	(void)state;
	if (realpath(test_dir_make(), root) == NULL)
		return -1;
	memset(&o, 0, sizeof(o));
	unsetenv("LD_LIBRARY_PATH");
	setenv("PATH", "/usr/bin:/bin", 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (chdir("/") < 0)
		return -1;
	test_dir_remove();
	pack_fini(&pack);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_program_under_its_own_name),
		TEST(added_behind_a_link),
		TEST(links_are_followed),
		TEST(a_program_along_the_path),
		TEST(library_path_goes_along),
		TEST(the_environment_has_no_name_twice),
		TEST(added_files_bring_what_they_need),
		TEST(a_whole_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
