/* SPDX-License-Identifier: ISC */
/* bootline_test.c - command lines, and the file for what they cannot carry. */
/* unit: cli/bootline.c cli/tree.c cli/trouble.c cli/mem.c cli/disk.c cli/share.c cli/net.c */
#include "cli/bootline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/share.h"

#define OWN " remora.control=0x2f8,3 remora.exit=0x501"

static struct boot_line line;
static struct strings env;
static struct tree tree;
static struct text out;
static struct trouble trouble;

static int
make(char *const *words)
{
	free(out.text);
	out = (struct text){ 0 };
	tree_fini(&tree);
	line.argv = (char **)words;
	line.env = &env;
	return boot_line_make(&line, &tree, &out, &trouble);
}

#define MAKE(...) make((char *const[]){ __VA_ARGS__ })

static int
setup(void **state)
{
	(void)state;
	line = (struct boot_line){ .program = "/bin/p" };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	strings_fini(&env);
	tree_fini(&tree);
	free(out.text);
	out = (struct text){ 0 };
	return 0;
}

static void
plain(void **state)
{
	(void)state;
	assert_int_equal(MAKE(NULL), 0);
	assert_string_equal(out.text, "console=ttyS0 quiet rdinit=/bin/p" OWN);
	assert_int_equal(tree.count, 0);
}

static void
virtio_places(void **state)
{
	(void)state;
	line.mmio_slots = 2;
	assert_int_equal(MAKE("x", NULL), 0);
	assert_non_null(strstr(out.text,
	    " virtio_mmio.device=512@0xfeb00000:5"
	    " virtio_mmio.device=512@0xfeb00200:6 -- x"));
}

static void
shared_root(void **state)
{
	struct share_option share = { .folder = (char *)"/f",
		.path = (char *)"/" };
	const char *flags = "rootflags=trans=virtio,version=9p2000.L,"
			    "msize=524288,cache=loose";
	struct text wanted = { 0 };

	(void)state;
	line.share = &share;
	line.nshares = 1;
	assert_int_equal(MAKE("x", NULL), 0);
	text_add(&wanted,
	    "console=ttyS0 quiet root=share0 rootfstype=9p %s rw "
	    "init=/bin/p" OWN " -- x",
	    flags);
	assert_string_equal(out.text, wanted.text);
	free(wanted.text);
}

static void
all_of_it(void **state)
{
	(void)state;
	line.verbose = true;
	line.rows = 24;
	line.columns = 80;
	line.in = BOOT_NULL;
	line.out = BOOT_PIPE;
	line.append = "bootchart  x=y";
	strings_add(&env, mem_string("TERM=xterm"));
	strings_add(&env, mem_string("A=1 2"));
	strings_add(&env, mem_string("EMPTY="));
	assert_int_equal(MAKE("-c", "echo a  b", "", "k=v w", NULL), 0);
	assert_string_equal(out.text,
	    "console=ttyS0 rdinit=/bin/p" OWN
	    " remora.winsize=24x80 remora.stdin=null remora.stdout=pipe"
	    " TERM=xterm A=\"1 2\" EMPTY= bootchart  x=y"
	    " -- -c \"echo a  b\" \"\" \"k=v w\"");
}

static void
expect_file(const char *bytes, size_t size)
{
	const struct tree_node *node = tree_find(&tree, "/.remora/args");

	assert_non_null(node);
	assert_non_null(tree_find(&tree, "/.remora"));
	assert_int_equal(node->size, size);
	assert_memory_equal(node->data, bytes, size);
	assert_non_null(strstr(out.text, " remora.args=/.remora/args"));
	assert_null(strstr(out.text, " --"));
}

#define FILE_HOLDS(bytes) expect_file(bytes, sizeof(bytes) - 1)

static void
by_file(void **state)
{
	(void)state;
	strings_add(&env, mem_string("A=1"));
	assert_int_equal(MAKE("say \"x\"", NULL), 0);
	FILE_HOLDS("/bin/p\0say \"x\"\0\0HOME=/\0TERM=linux\0A=1\0");
	assert_int_equal(MAKE("a", "--", "b", NULL), 0);
	FILE_HOLDS("/bin/p\0a\0--\0b\0\0HOME=/\0TERM=linux\0A=1\0");
	assert_int_equal(MAKE("two\nlines", NULL), 0);
	FILE_HOLDS("/bin/p\0two\nlines\0\0HOME=/\0TERM=linux\0A=1\0");
	assert_int_equal(MAKE("\xc3\xa4", NULL), 0);
	FILE_HOLDS("/bin/p\0\xc3\xa4\0\0HOME=/\0TERM=linux\0A=1\0");
	assert_int_equal(MAKE("", "\"", "", NULL), 0);
	FILE_HOLDS("/bin/p\0\0\"\0\0\0HOME=/\0TERM=linux\0A=1\0");
	/* Names that a kernel would take for its own arguments. */
	strings_add(&env, mem_string("root=x"));
	assert_int_equal(MAKE(NULL), 0);
	FILE_HOLDS("/bin/p\0\0HOME=/\0TERM=linux\0A=1\0root=x\0");
}

static void
long_or_many_words(void **state)
{
	static char word[1950];
	char *words[BOOT_WORDS_MAX + 2] = { 0 };

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	assert_int_equal(MAKE(word, NULL), 0);
	assert_non_null(tree_find(&tree, "/.remora/args"));
	for (size_t i = 0; i < BOOT_WORDS_MAX; i++)
		words[i] = "x";
	assert_int_equal(make(words), 0);
	assert_null(tree_find(&tree, "/.remora/args"));
	words[BOOT_WORDS_MAX] = "x";
	assert_int_equal(make(words), 0);
	assert_non_null(tree_find(&tree, "/.remora/args"));
	line.append = word;
	assert_true(MAKE(word, NULL) != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
}

static void
another_kernel(void **state)
{
	(void)state;
	line.foreign = true;
	line.in = line.out = BOOT_PIPE;
	strings_add(&env, mem_string("home=/x"));
	assert_int_equal(MAKE("\xc3\xa4 b", NULL), 0);
	assert_string_equal(out.text,
	    "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t "
	    "tsc=reliable noapictimer rdinit=/bin/p home=/x -- \"\xc3\xa4 b\"");
	assert_true(MAKE("\"", NULL) != 0);
	assert_true(MAKE("--", NULL) != 0);
	assert_int_equal(trouble.status, STATUS_MACHINE);
	assert_int_equal(tree.count, 0);
}

static void
names_with_spaces_and_quotes(void **state)
{
	(void)state;
	line.program = "/my dir/p";
	assert_int_equal(MAKE(NULL), 0);
	assert_string_equal(out.text,
	    "console=ttyS0 quiet rdinit=\"/my dir/p\"" OWN);
	line.program = "/a\"b";
	assert_true(MAKE(NULL) != 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(plain),
		TEST(virtio_places),
		TEST(shared_root),
		TEST(all_of_it),
		TEST(by_file),
		TEST(long_or_many_words),
		TEST(another_kernel),
		TEST(names_with_spaces_and_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
