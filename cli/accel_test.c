/* SPDX-License-Identifier: ISC */
/*
 * accel_test.c - the probe ends soon on any host, and its result is kept only
 * where nobody else can have written it.
 */
/* unit: cli/accel.c cli/accelcache.c cli/mem.c cli/trouble.c cli/testelf.c */
#include "cli/accel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/testelf.h"

static const char *dir;
static char file[512], why[200];

static int
setup(void **state)
{
	(void)state;
	dir = test_dir_make();
	snprintf(file, sizeof(file), "%s/remora-kvm", dir);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_dir_remove();
	return 0;
}

static bool
has_kvm(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

static void
ends_soon(void **state)
{
	struct timespec from, to;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &from);
	accel_probe_kvm(why, sizeof(why));
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 10);
	assert_memory_equal(why, "/dev/kvm: ", 10);
}

static void
keeps_the_result(void **state)
{
	struct stat st;
	bool works;

	(void)state;
	if (!has_kvm())
		skip();
	works = accel_kvm_works(why, sizeof(why));
	assert_null(strstr(why, "when it was last tried"));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(accel_kvm_works(why, sizeof(why)), works);
	assert_non_null(strstr(why, "when it was last tried"));
}

static void
disregards_what_is_not_its_own(void **state)
{
	FILE *f;

	(void)state;
	if (!has_kvm())
		skip();
	/* Another boot's. */
	f = fopen(file, "w");
	fputs("00000000-0000-0000-0000-000000000000 0.0.0 works\n", f);
	fclose(f);
	accel_kvm_works(why, sizeof(why));
	assert_null(strstr(why, "when it was last tried"));
	/* Others can write there. */
	assert_int_equal(chmod(dir, 0777), 0);
	accel_kvm_works(why, sizeof(why));
	assert_null(strstr(why, "when it was last tried"));
	/* A link to somewhere. */
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(unlink(file), 0);
	test_dir_link("/remora-kvm", "/dev/zero");
	accel_kvm_works(why, sizeof(why));
	assert_null(strstr(why, "when it was last tried"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ends_soon),
		TEST(keeps_the_result),
		TEST(disregards_what_is_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
