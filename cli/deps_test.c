/* SPDX-License-Identifier: ISC */
/*
 * deps_test.c - what programs need is found where the dynamic linker would
 * find it, in a small root of made-up programs and libraries.
 */
/* unit: cli/deps.c cli/libsearch.c cli/ldcache.c cli/elffile.c cli/fill.c cli/walk.c cli/tree.c cli/trouble.c cli/mem.c cli/testelf.c */
#include "cli/deps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/testelf.h"

#define GLIBC "/lib64/ld-linux-x86-64.so.2"
#define MUSL  "/lib/ld-musl-x86_64.so.1"

static const struct test_elf nothing, foreign = { .machine = EM_AARCH64 };
static const char *root;
static struct tree tree;
static struct trouble trouble;
static const char *library_path;
static bool used_cache, used_library_path, used_musl_path;
static char env_dir[256];

static int
add(const char *path)
{
	struct fill fill = { .root = root, .tree = &tree };
	struct deps deps;
	int error;

	deps_init(&deps, &fill, library_path, "/usr/bin:/bin", &trouble);
	error = deps_add_program(&deps, path);
	used_cache = deps.search.used_cache;
	used_library_path = deps.search.used_library_path;
	used_musl_path = deps.search.used_musl_path;
	snprintf(env_dir, sizeof(env_dir), "%s",
	    deps.env_dir != NULL ? deps.env_dir : "");
	deps_fini(&deps);
	return error;
}

static bool
has(const char *path)
{
	return tree_find(&tree, path) != NULL;
}

static void
refuses(const char *path, int status, const char *text)
{
	assert_int_not_equal(add(path), 0);
	assert_string_equal(trouble.text, text);
	assert_int_equal(trouble.status, status);
}

static int
setup(void **state)
{
	(void)state;
	root = test_dir_make();
	test_dir_link("/lib64", "usr/lib64");
	test_dir_link("/lib", "usr/lib");
	test_dir_put_elf("/usr/lib/x86_64-linux-gnu/ld-2.so", &nothing);
	test_dir_link("/usr/lib64/ld-linux-x86-64.so.2",
	    "/lib/x86_64-linux-gnu/ld-2.so");
	test_dir_put_elf("/usr/lib/x86_64-linux-gnu/libc.so.6",
	    &(struct test_elf){ .needed = { "ld-linux-x86-64.so.2" } });
	test_dir_put_elf("/usr/lib/ld-musl-x86_64.so.1", &nothing);
	library_path = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_dir_remove();
	tree_fini(&tree);
	return 0;
}

static void
follows_links_inside_the_root(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p",
	    &(struct test_elf){ .interp = GLIBC, .needed = { "libc.so.6" } });
	assert_int_equal(add("/bin/p"), 0);
	assert_true(has("/bin/p"));
	assert_true(has("/lib64") && has("/usr/lib64") && has("/lib"));
	assert_true(has("/usr/lib64/ld-linux-x86-64.so.2"));
	assert_true(has("/usr/lib/x86_64-linux-gnu/ld-2.so"));
	assert_true(has("/usr/lib/x86_64-linux-gnu/libc.so.6"));
	assert_string_equal(tree_find(&tree, "/lib64")->target, "usr/lib64");
	assert_false(used_cache || used_library_path || used_musl_path);
}

static void
runpath_is_not_inherited_but_rpath_is(void **state)
{
	(void)state;
	test_dir_put_elf("/opt/a/bin/p",
	    &(struct test_elf){ .interp = GLIBC,
		.needed = { "liba.so" },
		.rpath = "$ORIGIN/../lib" });
	test_dir_put_elf("/opt/a/lib/liba.so",
	    &(struct test_elf){ .needed = { "libb.so" } });
	test_dir_put_elf("/opt/a/lib/libb.so", &nothing);
	assert_int_equal(add("/opt/a/bin/p"), 0);
	test_dir_put_elf("/opt/a/bin/q",
	    &(struct test_elf){ .interp = GLIBC,
		.needed = { "liba.so" },
		.runpath = "${ORIGIN}/../lib" });
	refuses("/opt/a/bin/q", STATUS_NOEXEC,
	    "/opt/a/bin/../lib/liba.so: the library libb.so that it needs is "
	    "missing; searched in /lib/x86_64-linux-gnu, "
	    "/usr/lib/x86_64-linux-gnu, /lib, /usr/lib, /lib64, /usr/lib64");
}

static void
library_path_comes_before_runpath(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p",
	    &(struct test_elf){ .interp = GLIBC,
		.needed = { "libx.so" },
		.runpath = "/r" });
	test_dir_put_elf("/r/libx.so", &nothing);
	test_dir_put_elf("/l/libx.so", &nothing);
	assert_int_equal(add("/bin/p"), 0);
	assert_true(has("/r/libx.so"));
	library_path = "/none:/l";
	assert_int_equal(add("/bin/p"), 0);
	assert_true(has("/l/libx.so"));
	assert_true(used_library_path);
}

static void
passes_over_libraries_for_other_machines(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p",
	    &(struct test_elf){ .interp = GLIBC,
		.needed = { "libx.so" },
		.runpath = "/r:/s" });
	test_dir_put_elf("/r/libx.so", &foreign);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: the library libx.so that it needs is missing; "
	    "/r/libx.so is for another processor: AArch64 (ELF machine 183); "
	    "searched in /r, /s, /lib/x86_64-linux-gnu, "
	    "/usr/lib/x86_64-linux-gnu, /lib, /usr/lib, /lib64, /usr/lib64");
	test_dir_put_elf("/s/libx.so", &nothing);
	assert_int_equal(add("/bin/p"), 0);
	assert_true(has("/s/libx.so"));
	assert_false(has("/r/libx.so"));
	test_dir_put("/r/libx.so", "\177ELF\2\1\1", 7, 0644);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: the library libx.so that it needs (/r/libx.so) is "
	    "truncated: its ELF header ends after 7 bytes");
}

static void
musl_has_its_own_order(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p",
	    &(struct test_elf){ .interp = MUSL,
		.needed = { "libc.so", "libm.so.6", "libz.so" } });
	test_dir_put_elf("/srv/libz.so", &nothing);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: the library libz.so that it needs is missing; searched "
	    "in /lib, /usr/local/lib, /usr/lib");
	test_dir_put("/etc/ld-musl-x86_64.path", "/lib\n/srv\n", 10, 0644);
	assert_int_equal(add("/bin/p"), 0);
	assert_true(has("/srv/libz.so"));
	assert_true(used_musl_path);
}

static void
interpreters_are_checked(void **state)
{
	(void)state;
	test_dir_put_elf("/bin/p",
	    &(struct test_elf){ .interp = "/lib/ld-none.so" });
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: its interpreter /lib/ld-none.so is missing: "
	    "No such file or directory");
	test_dir_put("/lib/ld-none.so", "", 0, 0755);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: its interpreter /lib/ld-none.so is empty");
	test_dir_put_elf("/lib/ld-none.so", &foreign);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p: its interpreter /lib/ld-none.so is for another "
	    "processor: AArch64 (ELF machine 183)");
}

static void
bad_programs(void **state)
{
	(void)state;
	refuses("/bin/p", STATUS_NOTFOUND, "/bin/p: No such file or directory");
	test_dir_put("/bin/p", "", 0, 0755);
	refuses("/bin/p", STATUS_NOEXEC, "/bin/p is empty");
	test_dir_put("/bin/p", "MZ", 2, 0755);
	refuses("/bin/p", STATUS_NOEXEC,
	    "/bin/p is neither an ELF program nor a script");
	test_dir_put("/bin/p", "", 0, 0644);
	refuses("/bin/p", STATUS_NOEXEC, "/bin/p: it is not executable");
	refuses("/bin/p/x", STATUS_NOTFOUND, "/bin/p/x: Not a directory");
	refuses("/bin", STATUS_NOEXEC, "/bin: it is not a regular file");
	test_dir_link("/bin/loop", "loop");
	refuses("/bin/loop", STATUS_NOEXEC,
	    "/bin/loop: Too many levels of symbolic links");
	test_dir_put_elf("/bin/q", &foreign);
	refuses("/bin/q", STATUS_NOEXEC,
	    "/bin/q is for another processor: AArch64 (ELF machine 183)");
}

static void
put_script(const char *path, const char *text)
{
	test_dir_put(path, text, strlen(text), 0755);
}

static void
scripts_bring_their_interpreters(void **state)
{
	(void)state;
	test_dir_put_elf("/usr/bin/env", &(struct test_elf){ .interp = GLIBC });
	test_dir_put_elf("/usr/bin/lua", &nothing);
	put_script("/s1", "#! /usr/bin/lua -x\nprint(1)\n");
	put_script("/s2", "#!/usr/bin/env -S A=1 s3 x\n");
	put_script("/bin/s3", "#!/s1");
	assert_int_equal(add("/s1"), 0);
	assert_true(has("/usr/bin/lua"));
	assert_int_equal(add("/s2"), 0);
	assert_true(has("/usr/bin/env") && has("/bin/s3") && has("/lib64"));
	assert_string_equal(env_dir, "/bin");
	put_script("/s4", "#!/usr/bin/env nowhere\n");
	refuses("/s4", STATUS_NOEXEC,
	    "/s4: the program nowhere that "
	    "interprets it is not found in /usr/bin:/bin");
	put_script("/s5", "#!/s5\n");
	refuses("/s5", STATUS_NOEXEC,
	    "/s5: too many scripts interpret each other");
	put_script("/s6", "#!  \n");
	refuses("/s6", STATUS_NOEXEC,
	    "/s6: a script that names no interpreter");
	put_script("/s7", "#!sh\n");
	refuses("/s7", STATUS_NOEXEC,
	    "/s7: its interpreter sh is not an absolute path");
	put_script("/s8", "#!/bin/none\n");
	refuses("/s8", STATUS_NOEXEC,
	    "/s8: its interpreter /bin/none is "
	    "missing: No such file or directory");
}

static void
programs_are_found_along_the_path(void **state)
{
	char found[PATH_MAX];

	(void)state;
	put_script("/bin/x", "#!/x\n");
	test_dir_put("/usr/bin/x", "", 0, 0644);
	assert_int_equal(deps_find_program(root, "rel:/usr/bin:/bin", "x",
			     found, &trouble),
	    0);
	assert_string_equal(found, "/bin/x");
	assert_true(
	    deps_find_program(root, "/usr/bin", "x", found, &trouble) != 0);
	assert_int_equal(trouble.status, STATUS_NOEXEC);
	assert_string_equal(trouble.text, "x: it is found, but not executable");
	assert_true(
	    deps_find_program(root, "/usr/bin", "y", found, &trouble) != 0);
	assert_int_equal(trouble.status, STATUS_NOTFOUND);
	assert_string_equal(trouble.text, "y: not found in /usr/bin");
}

static void
expands_tokens(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "$ORIGIN/../$LIB", "/o/../lib/x86_64-linux-gnu" },
		{ "/x/${PLATFORM}/y", "/x/x86_64/y" },
		{ "${ORIGIN", "${ORIGIN" },
		{ "$", "$" },
		{ "", "" },
		{ "$ORIGI", "$ORIGI" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *s = lib_expand(cases[i].in, strlen(cases[i].in), "/o");

		assert_string_equal(s, cases[i].out);
		free(s);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(follows_links_inside_the_root),
		TEST(runpath_is_not_inherited_but_rpath_is),
		TEST(library_path_comes_before_runpath),
		TEST(passes_over_libraries_for_other_machines),
		TEST(musl_has_its_own_order),
		TEST(interpreters_are_checked),
		TEST(bad_programs),
		TEST(scripts_bring_their_interpreters),
		TEST(programs_are_found_along_the_path),
		TEST(expands_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
