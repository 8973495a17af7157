/* SPDX-License-Identifier: ISC */
/* cloud_test.c - which of --cloud and its files go together. */
/* unit: cli/cloud.c cli/fill.c cli/walk.c cli/tree.c cli/trouble.c cli/mem.c cli/kernelfile.c cli/elffile.c */
#include "cli/cloud.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct trouble trouble;

static int
check(struct cloud_option c, const char *root, bool foreign)
{
	return cloud_check(&c, root, foreign, &trouble);
}

static void
sources(void **state)
{
	static const char *const good[] = { "ec2", "nocloud", "auto",
		"ec2,wait=3", "auto,url=http://10.0.0.1" };
	static const char *const bad[] = { "", "gcp", "ec", "ec2x", "ec2 ",
		"EC2", "auto,wait= 3", "ec2,url=\"x\"", ",ec2" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(
		    check((struct cloud_option){ .source = good[i] }, NULL,
			false),
		    0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		trouble.status = 0;
		assert_true(check((struct cloud_option){ .source = bad[i] },
				NULL, false) != 0);
		assert_int_equal(trouble.status, STATUS_MACHINE);
	}
}

static void
what_goes_together(void **state)
{
	struct cloud_option files = { .user_data = "f" };
	struct cloud_option none = { 0 }, ec2 = { .source = "ec2" };

	(void)state;
	assert_int_equal(check(none, "/r", true), 0);
	assert_int_equal(cloud_check(&files, NULL, false, &trouble), 0);
	assert_string_equal(files.source, "nocloud");
	assert_true(check(files, "/r", false) != 0);
	assert_true(check(files, NULL, true) != 0);
	assert_int_equal(check(ec2, "/r", false), 0);
	ec2.network_config = "n";
	assert_true(check(ec2, NULL, false) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources),
		cmocka_unit_test(what_goes_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
