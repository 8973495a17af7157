/* SPDX-License-Identifier: ISC */
/*
 * cpio_test.c - newc archives, whole and in pieces, good and damaged.
 */
/* unit: kernel/fs/cpio.c */
#include "fs/cpio.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char archive[65536];
static size_t archive_size;
static char seen[65536];
static size_t seen_size;
static int refuse_begin, refuse_data, refuse_end, refuse_archive_end;
static struct cpio reader;

static void __attribute__((format(printf, 1, 2))) see(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	seen_size += vsnprintf(seen + seen_size, sizeof(seen) - seen_size, fmt,
	    ap);
	va_end(ap);
	assert_true(seen_size < sizeof(seen));
}

static int
see_begin(void *ctx, const struct cpio_entry *e)
{
	(void)ctx;
	see("[%o %s", e->mode, e->name);
	if (e->target != NULL)
		see(" -> %s", e->target);
	if (e->size != 0)
		see(" %u:", e->size);
	return refuse_begin;
}

static int
see_data(void *ctx, const void *bytes, size_t len, bool in_place)
{
	(void)ctx;
	assert_true(len > 0);
	assert_int_equal(in_place, reader.in_place);
	see("%.*s", (int)len, (const char *)bytes);
	return refuse_data;
}

static int
see_end(void *ctx)
{
	(void)ctx;
	see("]");
	return refuse_end;
}

static int
see_archive_end(void *ctx)
{
	(void)ctx;
	see(".");
	return refuse_archive_end;
}

static const struct cpio_ops ops = {
	see_begin,
	see_data,
	see_end,
	see_archive_end,
};

static int
fresh(void **state)
{
	(void)state;
	memset(archive, 0, sizeof(archive));
	archive_size = 0;
	refuse_begin = refuse_data = refuse_end = refuse_archive_end = 0;
	return 0;
}

static void
put(const void *bytes, size_t len)
{
	memcpy(archive + archive_size, bytes, len);
	archive_size += len;
}

/* With `sum` the entry is a 070702 one. */
static void
put_entry(unsigned mode, const void *name, size_t name_size, const void *data,
    size_t size, const uint32_t *sum)
{
	char header[CPIO_HEADER_SIZE + 1];
	size_t start = archive_size;

	snprintf(header, sizeof(header),
	    "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
	    sum != NULL ? "070702" : "070701", 7, mode, 1, 2, 1, 1000,
	    (unsigned)size, 8, 1, 4, 64, (unsigned)name_size,
	    sum != NULL ? *sum : 0);
	put(header, CPIO_HEADER_SIZE);
	put(name, name_size);
	archive_size = start + ROUND_UP(archive_size - start, 4);
	put(data, size);
	archive_size = start + ROUND_UP(archive_size - start, 4);
}

static void
put_file(const char *name, unsigned mode, const char *data)
{
	put_entry(mode, name, strlen(name) + 1, data, strlen(data), NULL);
}

static void
put_trailer(void)
{
	put_file("TRAILER!!!", 0, "");
}

/* Feeds in pieces; the error, or what was consumed if it is not all. */
static int64_t
feed_in(size_t piece)
{
	size_t at, len;
	int64_t n;
	char *copy;

	seen_size = 0;
	seen[0] = '\0';
	cpio_init(&reader, &ops, NULL);
	for (at = 0; at < archive_size; at += len) {
		len = MIN(piece, archive_size - at);
		copy = malloc(len); /* so that ASan sees any excess */
		memcpy(copy, archive + at, len);
		n = cpio_feed(&reader, copy, len);
		free(copy);
		if (n < 0)
			return n;
		if (n != (int64_t)len)
			return at + n;
	}
	return cpio_finish(&reader);
}

/* The same result for every size of pieces. */
static void
expect(int64_t want, const char *want_seen)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 110, 111, 512, 65536 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		assert_int_equal(feed_in(pieces[i]), want);
		assert_string_equal(seen, want_seen);
	}
}

static void
expect_defect(int error, uint64_t offset, const char *part)
{
	static const size_t pieces[] = { 1, 3, 110, 65536 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		assert_int_equal(feed_in(pieces[i]), error);
		assert_int_equal(reader.offset, offset);
		assert_non_null(reader.defect);
		if (strstr(reader.defect, part) == NULL)
			fail_msg("defect: %s", reader.defect);
		assert_int_equal(cpio_feed(&reader, "0", 1), error);
		assert_int_equal(cpio_finish(&reader), error);
	}
}

static void
usual(void **state)
{
	(void)state;
	put_file(".", 040755, "");
	put_file("bin", 040755, "");
	put_file("bin/sh", 0100755, "hello");
	put_file("dev/null", 020666, "");
	put_file("init", 0120777, "bin/sh");
	put_file("empty", 0100644, "");
	put_file("pipe", 010644, "");
	put_file("sock", 0140644, "");
	put_file("disk", 060644, "");
	put_trailer();
	expect(0,
	    "[40755 ][40755 bin][100755 bin/sh 5:hello]"
	    "[20666 dev/null][120777 init -> bin/sh][100644 empty]"
	    "[10644 pipe][140644 sock][60644 disk].");
}

static int
check_fields(void *ctx, const struct cpio_entry *e)
{
	(*(int *)ctx)++;
	assert_int_equal(e->ino, 7);
	assert_int_equal(e->uid, 1);
	assert_int_equal(e->gid, 2);
	assert_int_equal(e->nlink, 1);
	assert_int_equal(e->mtime, 1000);
	assert_int_equal(e->dev_major, 8);
	assert_int_equal(e->dev_minor, 1);
	assert_int_equal(e->rdev_major, 4);
	assert_int_equal(e->rdev_minor, 64);
	assert_int_equal(e->offset, 0);
	assert_null(e->target);
	return 0;
}

static void
all_fields(void **state)
{
	static const struct cpio_ops field_ops = {
		.begin = check_fields,
		.data = see_data,
		.end = see_end,
	};
	int count = 0;

	(void)state;
	put_file("x", 0100644, "");
	put_trailer();
	cpio_init(&reader, &field_ops, &count);
	assert_int_equal(cpio_feed(&reader, archive, archive_size),
	    archive_size);
	assert_int_equal(cpio_finish(&reader), 0);
	assert_int_equal(count, 1);
}

static const void *placed;

static int
take_place(void *ctx, const void *bytes, size_t len, bool in_place)
{
	(void)ctx;
	assert_true(in_place);
	assert_int_equal(len, 5000);
	placed = bytes;
	return 0;
}

/* Data of an archive in memory arrives whole, where it lies. */
static void
in_place(void **state)
{
	static const struct cpio_ops place_ops = {
		.begin = see_begin,
		.data = take_place,
		.end = see_end,
	};
	char name[4096 - CPIO_HEADER_SIZE] = "padded/with/nuls";
	static char data[5000];

	(void)state;
	put_entry(0100644, name, sizeof(name), data, sizeof(data), NULL);
	put_trailer();
	cpio_init(&reader, &place_ops, NULL);
	reader.in_place = true;
	assert_int_equal(cpio_feed(&reader, archive, archive_size),
	    archive_size);
	assert_ptr_equal(placed, archive + 4096);
}

static void
names_are_trimmed(void **state)
{
	(void)state;
	put_file("/", 040755, "");
	put_file("./", 040755, "");
	put_file("//abs/olute", 0100644, "");
	put_file("./././rel/", 040755, "");
	put_file(".hidden", 0100644, "");
	put_file("..hidden", 0100644, "");
	put_file("a..", 0100644, "");
	put_file("a/...", 0100644, "");
	put_trailer();
	expect(0,
	    "[40755 ][40755 ][100644 abs/olute][40755 rel]"
	    "[100644 .hidden][100644 ..hidden][100644 a..]"
	    "[100644 a/...].");
}

static void
dotdot_is_refused(void **state)
{
	static const char *const names[] = { "..", "../x", "a/../b", "a/..",
		"/..", "./..", "a/../" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fresh(state);
		put_file(names[i], 0100644, "");
		put_trailer();
		expect_defect(-EINVAL, 110, "\"..\"");
	}
}

static void
several_archives(void **state)
{
	(void)state;
	archive_size = 1000; /* zeros in front */
	put_file("a", 0100644, "1");
	put_trailer();
	archive_size += 513; /* between, not even aligned */
	put_file("b", 0100644, "22");
	put_trailer();
	put_file("c", 0100644, "333");
	put_trailer();
	archive_size += 3;
	expect(0, "[100644 a 1:1].[100644 b 2:22].[100644 c 3:333].");
}

static void
nothing_at_all(void **state)
{
	(void)state;
	expect(0, "");
	archive_size = 5000;
	expect(0, "");
}

static void
stops_before_another_format(void **state)
{
	(void)state;
	put_file("a", 0100644, "1");
	put_trailer();
	archive_size += 2;
	put("\x1f\x8b", 2);
	assert_int_equal(feed_in(65536), archive_size - 2);
	assert_true(cpio_between(&reader));
	assert_int_equal(feed_in(1), archive_size - 2);
	assert_true(cpio_between(&reader));
}

static void
sums(void **state)
{
	uint32_t sum = 'a' + 'b' + 0xff, bad = sum + 1;

	put_entry(0100644, "good", 5, "ab\xff", 3, &sum);
	put_entry(040755, "dir", 4, "", 0, &bad); /* does not count */
	put_trailer();
	expect(0, "[100644 good 3:ab\xff][40755 dir].");

	fresh(state);
	put_entry(0100644, "bad", 4, "ab\xff", 3, &bad);
	put_trailer();
	expect_defect(-EINVAL, 0, "sum");
}

/* Cut anywhere, it is an error, but at the very end. */
static void
truncated_anywhere(void **state)
{
	size_t whole, trailer;

	(void)state;
	put_file("dir", 040755, "");
	put_file("file", 0100644, "some data");
	put_file("link", 0120777, "file");
	trailer = archive_size;
	put_trailer();
	whole = archive_size;
	for (archive_size = 1; archive_size < whole; archive_size++) {
		assert_int_equal(feed_in(65536), -EINVAL);
		assert_int_equal(reader.offset, archive_size);
		assert_int_equal(strstr(reader.defect, "trailer") != NULL,
		    archive_size == trailer || archive_size == 116 ||
			archive_size == 116 + 116 + 12);
		assert_int_equal(feed_in(5), -EINVAL);
	}
}

static void
damaged_headers(void **state)
{
	size_t i;

	(void)state;
	put_file("file", 0100644, "data");
	put_trailer();
	for (i = 0; i < CPIO_HEADER_SIZE; i++) {
		archive[i] ^= 0x40;
		if (i == 0)
			assert_int_equal(feed_in(65536), 0);
		else
			expect_defect(-EINVAL, i < 6 ? 0 : 6 + (i - 6) / 8 * 8,
			    i < 6 ? "magic" : "not a number");
		archive[i] ^= 0x40;
	}
	memcpy(archive, "070707", 6);
	expect_defect(-EINVAL, 0, "old portable");
}

static void
damaged_second_header(void **state)
{
	(void)state;
	put_file("file", 0100644, "data");
	archive[archive_size - 1] = 'a'; /* of the data: is not seen */
	put("07070x", 6);
	archive_size += 200;
	expect_defect(-EINVAL, 124 - 4, "magic");
}

static void
bad_names(void **state)
{
	char long_name[4100];

	put_entry(0100644, "", 1, "", 0, NULL);
	expect_defect(-EINVAL, 0, "without a name");

	fresh(state);
	put_entry(0100644, "", 0, "", 0, NULL);
	expect_defect(-EINVAL, 0, "without a name");

	fresh(state);
	put_entry(0100644, "\0\0\0", 4, "", 0, NULL);
	expect_defect(-EINVAL, 110, "without a name");

	fresh(state);
	put_entry(0100644, "abcd", 4, "", 0, NULL);
	expect_defect(-EINVAL, 110, "without a NUL");

	fresh(state);
	put_entry(0100644, "a\0b", 4, "", 0, NULL);
	expect_defect(-EINVAL, 110, "NUL inside");

	memset(long_name, 'n', sizeof(long_name));
	fresh(state);
	put_entry(0100644, long_name, 4097, "", 0, NULL);
	expect_defect(-ENAMETOOLONG, 0, "too long");

	long_name[4095] = '\0';
	fresh(state);
	put_entry(0100644, long_name, 4096, "", 0, NULL);
	put_trailer();
	assert_int_equal(feed_in(100), 0);
	assert_int_equal(seen_size, 1 + 6 + 1 + 4095 + 2);
}

static void
bad_modes_and_sizes(void **state)
{
	static const unsigned modes[] = { 0, 0644, 030000, 0170000, 0200644 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		fresh(state);
		put_file("x", modes[i], "");
		expect_defect(-EINVAL, 0, "without a type");
	}
	fresh(state);
	put_file("x", 040755, "data");
	expect_defect(-EINVAL, 0, "not a regular file");
	fresh(state);
	put_file("x", 020755, "data");
	expect_defect(-EINVAL, 0, "not a regular file");
	fresh(state);
	put_file("TRAILER!!!", 0, "data");
	expect_defect(-EINVAL, 0, "trailer with data");
}

static void
bad_links(void **state)
{
	static char target[4097];

	put_file("x", 0120777, "");
	expect_defect(-EINVAL, 0, "without a target");

	fresh(state);
	put_entry(0120777, "x", 2, "a\0b", 3, NULL);
	expect_defect(-EINVAL, 112, "NUL inside");

	memset(target, 't', 4096);
	fresh(state);
	put_file("x", 0120777, target);
	expect_defect(-ENAMETOOLONG, 0, "too long");

	target[4095] = '\0';
	fresh(state);
	put_file("x", 0120777, target);
	put_trailer();
	assert_int_equal(feed_in(17), 0);
	assert_int_equal(seen_size, 1 + 6 + 1 + 1 + 4 + 4095 + 2);
}

static void
huge_size(void **state)
{
	(void)state;
	put_file("x", 0100644, "data");
	memcpy(archive + 54, "ffffffff", 8);
	assert_int_equal(feed_in(65536), -EINVAL);
	assert_string_equal(reader.defect, "archive ends inside a file's data");
	assert_int_equal(reader.offset, archive_size);
}

static void
refusals_end_it(void **state)
{
	put_file("x", 0100644, "data");
	put_file("y", 0100644, "data");
	put_trailer();
	refuse_begin = -ENOSPC;
	expect_defect(-ENOSPC, 0, "refused");
	assert_string_equal(seen, "[100644 x 4:");
	refuse_begin = 0;
	refuse_data = -ENOSPC;
	assert_int_equal(feed_in(65536), -ENOSPC);
	assert_string_equal(seen, "[100644 x 4:data");
	refuse_data = 0;
	refuse_end = -EIO;
	expect_defect(-EIO, 0, "refused");
	assert_string_equal(seen, "[100644 x 4:data]");
	refuse_end = 0;
	refuse_archive_end = -EIO;
	expect_defect(-EIO, 232, "refused");

	fresh(state);
	put_file("l", 0120777, "x");
	refuse_begin = -ENOMEM;
	expect_defect(-ENOMEM, 0, "refused");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(usual, fresh),
		cmocka_unit_test_setup(all_fields, fresh),
		cmocka_unit_test_setup(in_place, fresh),
		cmocka_unit_test_setup(names_are_trimmed, fresh),
		cmocka_unit_test_setup(dotdot_is_refused, fresh),
		cmocka_unit_test_setup(several_archives, fresh),
		cmocka_unit_test_setup(nothing_at_all, fresh),
		cmocka_unit_test_setup(stops_before_another_format, fresh),
		cmocka_unit_test_setup(sums, fresh),
		cmocka_unit_test_setup(truncated_anywhere, fresh),
		cmocka_unit_test_setup(damaged_headers, fresh),
		cmocka_unit_test_setup(damaged_second_header, fresh),
		cmocka_unit_test_setup(bad_names, fresh),
		cmocka_unit_test_setup(bad_modes_and_sizes, fresh),
		cmocka_unit_test_setup(bad_links, fresh),
		cmocka_unit_test_setup(huge_size, fresh),
		cmocka_unit_test_setup(refusals_end_it, fresh),
	};

	return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
