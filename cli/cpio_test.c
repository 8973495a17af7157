/* SPDX-License-Identifier: ISC */
/*
 * cpio_test.c - archives that are written are read back, by the reader that
 * the kernel has.
 */
/* unit: cli/cpio.c cli/fill.c cli/walk.c cli/tree.c cli/trouble.c cli/mem.c cli/testelf.c kernel/fs/cpio.c */
#include "cli/cpio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/fill.h"
#include "cli/mem.h"
#include "cli/testelf.h"
#include "fs/cpio.h"

static struct tree tree;
static struct trouble trouble;
static const char *root;
static char *archive;
static uint64_t archive_size;
static struct text seen;
static unsigned misaligned;

static int
see_begin(void *ctx, const struct cpio_entry *e)
{
	(void)ctx;
	text_add(&seen, "%o %s", e->mode, e->name);
	if (e->target != NULL)
		text_add(&seen, " -> %s", e->target);
	if (S_ISCHR(e->mode))
		text_add(&seen, " %u,%u", e->rdev_major, e->rdev_minor);
	if (e->nlink > 1)
		text_add(&seen, " ino %u", e->ino);
	text_add(&seen, "%s", e->size > 0 ? ": " : "");
	return 0;
}

static int
see_data(void *ctx, const void *bytes, size_t len, bool in_place)
{
	(void)ctx;
	(void)in_place;
	if (((const char *)bytes - archive) % 4096 != 0)
		misaligned++;
	text_add(&seen, "%.*s", len < 8 ? (int)len : 8, (const char *)bytes);
	return 0;
}

static int
see_end(void *ctx)
{
	(void)ctx;
	text_add(&seen, "\n");
	return 0;
}

static const struct cpio_ops see_ops = {
	.begin = see_begin,
	.data = see_data,
	.end = see_end,
};

static int
write_archive(void)
{
	int error, fd = memfd_create("archive", 0);
	uint64_t counted;

	tree_sort(&tree);
	assert_int_equal(cpio_write(&tree, -1, &counted, &trouble), 0);
	error = cpio_write(&tree, fd, &archive_size, &trouble);
	if (error == 0) {
		assert_int_equal(counted, archive_size);
		assert_int_equal(lseek(fd, 0, SEEK_END), archive_size);
		archive = malloc(archive_size);
		assert_int_equal(pread(fd, archive, archive_size, 0),
		    archive_size);
	}
	close(fd);
	return error;
}

static void
read_archive(void)
{
	static struct cpio reader;

	assert_int_equal(write_archive(), 0);
	cpio_init(&reader, &see_ops, NULL);
	reader.in_place = true;
	assert_int_equal(cpio_feed(&reader, archive, archive_size),
	    archive_size);
	assert_int_equal(cpio_finish(&reader), 0);
}

static int
setup(void **state)
{
	(void)state;
	root = test_dir_make();
	misaligned = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_dir_remove();
	tree_fini(&tree);
	free(archive);
	archive = NULL;
	free(seen.text);
	seen = (struct text){ 0 };
	return 0;
}

static void
basics(void **state)
{
	(void)state;
	fill_basics(&tree);
	tree_add_data(&tree, "/.remora/args", 0400, mem_string("abc"), 3);
	read_archive();
	assert_string_equal(seen.text,
	    "40755 \n"
	    "40755 .remora\n"
	    "100400 .remora/args: abc\n"
	    "40755 dev\n"
	    "20600 dev/console 5,1\n"
	    "20666 dev/null 1,3\n"
	    "40755 etc\n"
	    "40555 proc\n"
	    "40700 root\n"
	    "40555 sys\n"
	    "41777 tmp\n");
	assert_int_equal(misaligned, 0);
}

static void
a_folder_as_it_is(void **state)
{
	struct fill fill = { .root = "", .tree = &tree, .owners = true };
	char a[512], b[512];

	(void)state;
	test_dir_put("/d/one", "1111", 4, 04755);
	test_dir_put("/d/empty", "", 0, 0600);
	test_dir_link("/d/link", "../nowhere");
	snprintf(a, sizeof(a), "%s/d/one", root);
	snprintf(b, sizeof(b), "%s/d/two", root);
	assert_int_equal(link(a, b), 0);
	snprintf(b, sizeof(b), "%s/d/fifo", root);
	assert_int_equal(mkfifo(b, 0640), 0);
	assert_int_equal(chmod(root, 0755), 0);
	assert_int_equal(fill_recursive(&fill, root, "/", NULL, NULL, &trouble),
	    0);
	read_archive();
	assert_string_equal(seen.text,
	    "40755 \n"
	    "40755 d\n"
	    "100600 d/empty\n"
	    "10640 d/fifo\n"
	    "120777 d/link -> ../nowhere\n"
	    "104755 d/one ino 6: 1111\n"
	    "104755 d/two ino 6\n");
}

/* Names of all lengths, so that the padding takes every value. */
static void
every_padding(void **state)
{
	char name[250] = "/";

	(void)state;
	fill_basics(&tree);
	for (unsigned i = 0; i < 3000; i++) {
		size_t length = 5 + i * 7 % 240;

		snprintf(name, sizeof(name), "/%04u", i);
		memset(name + 5, 'x', length - 5);
		name[length] = '\0';
		tree_add_data(&tree, name, 0644, mem_format("%04u", i),
		    1 + i % 4);
	}
	read_archive();
	assert_int_equal(misaligned, 0);
}

static void
files_that_change(void **state)
{
	struct fill fill = { .root = "", .tree = &tree };

	(void)state;
	test_dir_put("/f", "12345678", 8, 0644);
	assert_int_equal(fill_recursive(&fill, root, "/", NULL, NULL, &trouble),
	    0);
	test_dir_put("/f", "1234", 4, 0644);
	assert_true(write_archive() != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
	assert_non_null(strstr(trouble.text,
	    "/f became shorter while it was being packed"));
	test_dir_put("/f", "1234567890", 10, 0644);
	assert_int_equal(write_archive(), 0);
	test_dir_remove();
	assert_true(write_archive() != 0);
	assert_non_null(strstr(trouble.text, "/f: No such file or directory"));
}

static void
too_large(void **state)
{
	uint64_t size;

	(void)state;
	fill_basics(&tree);
	tree_add(&tree, "/big", S_IFREG | 0644, NULL)->size = 1ull << 32;
	tree_sort(&tree);
	assert_true(cpio_write(&tree, -1, &size, &trouble) != 0);
	assert_string_equal(trouble.text,
	    "/big: a file of 4 GiB or more cannot be packed");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(basics),
		TEST(a_folder_as_it_is),
		TEST(every_padding),
		TEST(files_that_change),
		TEST(too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
