/* SPDX-License-Identifier: ISC */
/* kernelfile_test.c - Remora's kernel, other kernels, and no kernels. */
/* unit: cli/kernelfile.c cli/elffile.c cli/mem.c cli/trouble.c cli/testelf.c */
#include "cli/kernelfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/testelf.h"

static const struct test_elf nothing;
static const char *root;
static struct kernel_file kernel;
static struct trouble trouble;

static int
find(const void *data, size_t size)
{
	char path[256];

	test_dir_put("/k", data, size, 0644);
	snprintf(path, sizeof(path), "%s/k", root);
	return kernel_file_find(&kernel, path, &trouble);
}

static void
knows_its_own(void **state)
{
	struct test_elf_file f;

	(void)state;
	test_elf_make(&f, &nothing);
	assert_int_equal(find(&f, sizeof(f)), 0);
	assert_false(kernel.foreign);
	assert_int_equal(kernel.size, 0x400000 + sizeof(f));
	assert_int_equal(kernel_file_memory(&kernel, 4096),
	    kernel.size + 4096 + (512 << 10));
	memcpy(f.note, "Nobody", 7);
	assert_int_equal(find(&f, sizeof(f)), 0);
	assert_true(kernel.foreign);
	assert_true(find(&f, 100) != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
	assert_non_null(strstr(trouble.text, "/k is truncated: "));
}

static void
knows_bzimage(void **state)
{
	unsigned char image[0x268] = { 0 };

	(void)state;
	memcpy(image + 0x202, "HdrS\x0f\x02", 6);
	image[0x25b] = 1;    /* prefers 16 MiB */
	image[0x262] = 0x20; /* needs 2 MiB */
	assert_int_equal(find(image, sizeof(image)), 0);
	assert_true(kernel.foreign);
	assert_int_equal(kernel.size, 18 << 20);
	assert_true(find(image, sizeof(image) - 1) != 0);
	assert_non_null(strstr(trouble.text, "/k is not an ELF file"));
	image[0x206] = 9; /* too old to say */
	assert_int_equal(find(image, sizeof(image)), 0);
	assert_int_equal(kernel.size, 0);
}

static void
says_what_is_missing(void **state)
{
	(void)state;
	assert_true(kernel_file_find(&kernel, "/no/kernel", &trouble) != 0);
	assert_string_equal(trouble.text,
	    "the kernel /no/kernel: No such file or directory");
	assert_true(kernel_file_find(&kernel, NULL, &trouble) != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
	assert_non_null(strstr(trouble.text, "--kernel names another place"));
	assert_true(find("", 0) != 0);
	assert_non_null(strstr(trouble.text, "/k is empty"));
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(knows_its_own),
		TEST(knows_bzimage),
		TEST(says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
