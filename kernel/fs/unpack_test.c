/* SPDX-License-Identifier: ISC */
/*
 * unpack_test.c - whole images: plain, packed, mixed, cut short, damaged.
 * The packed ones come from the host's own gzip and zstd.
 */
/* unit: kernel/fs/unpack.c kernel/fs/cpio.c inflate unzstd */
#include "fs/unpack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IMAGE_MAX (1 << 20)

static char image[IMAGE_MAX];
static size_t image_size;
static char seen[4096];
static uint64_t data_sum; /* of all data bytes */
static bool seen_in_place;
static size_t consumed;
static long allocs_left, live; /* allocations allowed; not yet freed */

static void *
counted_alloc(size_t size)
{
	if (allocs_left-- <= 0)
		return NULL;
	live++;
	return malloc(size);
}

static void
counted_free(void *ptr)
{
	assert_non_null(ptr);
	live--;
	free(ptr);
}

static const struct unpack_memory memory = { counted_alloc, counted_free };

static int
see_begin(void *ctx, const struct cpio_entry *e)
{
	(void)ctx;
	strcat(seen, e->name);
	strcat(seen, ";");
	return strcmp(e->name, "refused") == 0 ? -ENOSPC : 0;
}

static int
see_data(void *ctx, const void *bytes, size_t len, bool in_place)
{
	size_t i;

	(void)ctx;
	seen_in_place = in_place;
	for (i = 0; i < len; i++)
		data_sum = data_sum * 31 + ((const uint8_t *)bytes)[i];
	return 0;
}

static int
see_end(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct cpio_ops ops = { see_begin, see_data, see_end, NULL };

static void
see_consumed(void *ctx, size_t bytes)
{
	(void)ctx;
	assert_true(bytes >= consumed && bytes <= image_size);
	consumed = bytes;
}

static int
fresh(void **state)
{
	(void)state;
	image_size = 0;
	allocs_left = 1000;
	return 0;
}

static void
put(const void *bytes, size_t len)
{
	assert_true(image_size + len <= IMAGE_MAX);
	memcpy(image + image_size, bytes, len);
	image_size += len;
}

static void
put_zeros(size_t n)
{
	memset(image + image_size, 0, n);
	image_size += n;
}

/* One file of `size` bytes that do not pack to nothing. */
static void
put_file(const char *name, unsigned mode, size_t size)
{
	unsigned x = 1;
	char header[111];
	size_t start = image_size, i;

	snprintf(header, sizeof(header),
	    "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1,
	    mode, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0,
	    (unsigned)strlen(name) + 1, 0);
	put(header, 110);
	put(name, strlen(name) + 1);
	put_zeros(-(image_size - start) & 3);
	for (i = 0; i < size; i++) {
		x = x * 1103515245 + 12345;
		put(i % 3 ? "a" : (char *)&x + 2, 1);
	}
	put_zeros(-(image_size - start) & 3);
}

static void
put_archive(const char *name, size_t size)
{
	put_file(name, 0100644, size);
	put_file("TRAILER!!!", 0, 0);
}

/* Replaces the image from `start` on by what `command` makes of it. */
static void
pack(size_t start, const char *command)
{
	char path[] = "/tmp/unpack_test.XXXXXX", line[256];
	int fd = mkstemp(path);
	FILE *f;

	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_int_equal(fwrite(image + start, 1, image_size - start, f),
	    image_size - start);
	fclose(f);
	snprintf(line, sizeof(line), "%s <%s", command, path);
	f = popen(line, "r");
	assert_non_null(f);
	image_size = start + fread(image + start, 1, IMAGE_MAX - start, f);
	assert_int_equal(pclose(f), 0);
	remove(path);
	assert_true(image_size > start);
}

static struct unpack u;

/* On a copy of exactly the image's size, so that ASan sees any excess. */
static int
run(void)
{
	char *copy = malloc(image_size + 1);
	int error;

	memcpy(copy, image, image_size);
	memset(&u, 0, sizeof(u));
	u.image = copy;
	u.size = image_size;
	u.memory = &memory;
	u.ops = &ops;
	u.consumed = see_consumed;
	seen[0] = '\0';
	data_sum = 0;
	consumed = 0;
	error = unpack(&u);
	assert_int_equal(live, 0);
	assert_int_equal(u.defect != NULL, error != 0);
	free(copy);
	return error;
}

static void
expect_defect(int error, const char *part)
{
	assert_int_equal(run(), error);
	if (strstr(u.defect, part) == NULL)
		fail_msg("defect: %s", u.defect);
}

static void
plain(void **state)
{
	(void)state;
	put_archive("a", 1000);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "a;");
	assert_true(seen_in_place);
	assert_int_equal(consumed, image_size);
	assert_string_equal(u.format, "cpio");
}

static void
nothing(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	put_zeros(1000);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "");
}

static const char *const packers[] = { "gzip -9nc", "gzip -1c", "zstd -1c",
	"zstd -19 --check -c", "zstd --no-check --no-content-size -c",
	"zstd --ultra -22 --long=27 -c" };

static void
packed(void **state)
{
	uint64_t want;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(packers); i++) {
		fresh(state);
		put_archive("big", 300000);
		assert_int_equal(run(), 0);
		want = data_sum;
		pack(0, packers[i]);
		put_zeros(7);
		assert_int_equal(run(), 0);
		assert_string_equal(seen, "big;");
		assert_true(data_sum == want);
		assert_false(seen_in_place);
		assert_int_equal(consumed, image_size - 7);
	}
}

static void
mixed(void **state)
{
	size_t start;

	(void)state;
	put_zeros(512);
	put_archive("microcode", 5000);
	put_zeros(100);
	start = image_size;
	put_archive("gz", 70000);
	pack(start, "gzip -c");
	put_zeros(3);
	start = image_size;
	put_archive("zst", 70000);
	pack(start, "zstd -qc");
	put_archive("last", 10);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "microcode;gz;zst;last;");
	assert_int_equal(consumed, image_size);
}

/* An archive in two gzip members, one zstd frame, and one to be skipped. */
static void
archive_over_segments(void **state)
{
	static char whole[IMAGE_MAX];
	size_t size, start;

	(void)state;
	put_archive("file", 50000);
	size = image_size;
	memcpy(whole, image, size);
	image_size = 0;
	put(whole, 20000);
	pack(0, "gzip -c");
	start = image_size;
	put(whole + 20000, 10000);
	pack(start, "gzip -c");
	put("\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
	start = image_size;
	put(whole + 30000, size - 30000);
	pack(start, "zstd -c");
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "file;");

	/* It may not go on in plain. */
	image_size = start;
	put_archive("other", 5);
	expect_defect(-EINVAL, "inside a file's data");
}

static void
cut_short(void **state)
{
	size_t whole, i;

	for (i = 0; i < ARRAY_SIZE(packers); i++) {
		fresh(state);
		put_archive("big", 100000);
		pack(0, packers[i]);
		whole = image_size;
		for (image_size = 3; image_size < whole;
		     image_size += 1 + whole / 50) {
			assert_int_equal(run(), -EINVAL);
			assert_true(u.offset <= image_size);
		}
		image_size = whole - 1;
		expect_defect(-EINVAL, "ends early");
	}
	fresh(state);
	put_archive("a", 1000);
	image_size -= 500;
	expect_defect(-EINVAL, "inside a file's data");
	assert_int_equal(u.offset, image_size);
}

static void
packed_but_cut_before(void **state)
{
	(void)state;
	put_file("a", 0100644, 1000); /* no trailer */
	pack(0, "gzip -c");
	expect_defect(-EINVAL, "without its trailer");
	assert_int_equal(u.inner_offset, 1112);
}

/* Every byte may be wrong: an error or not, but never worse. */
static void
damaged(void **state)
{
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(packers); i++) {
		fresh(state);
		put_archive("big", 20000);
		pack(0, packers[i]);
		for (at = 0; at < image_size; at += 1 + at / 20) {
			image[at] ^= 0x10;
			run();
			image[at] ^= 0x10;
		}
	}
	fresh(state);
	put_archive("big", 20000);
	pack(0, "gzip -c");
	image[image_size - 5] ^= 1; /* CRC */
	expect_defect(-EINVAL, "damaged");
	fresh(state);
	put_archive("big", 20000);
	pack(0, "zstd --check -c");
	image[image_size - 1] ^= 1;
	expect_defect(-EINVAL, "does not match its sum");
}

static void
junk(void **state)
{
	(void)state;
	put("junk", 4);
	expect_defect(-EINVAL, "neither");
	fresh(state);
	put_archive("a", 10);
	put("junk", 4);
	expect_defect(-EINVAL, "neither");
	assert_int_equal(u.offset, image_size - 4);
	assert_string_equal(seen, "a;");
	fresh(state);
	put_archive("a", 10);
	put("junk", 4);
	pack(0, "gzip -c");
	expect_defect(-EINVAL, "no archive");
	fresh(state);
	put("hello", 5);
	pack(0, "zstd -c");
	expect_defect(-EINVAL, "no archive");
}

static void
other_packers(void **state)
{
	static const struct {
		const char *bytes, *name;
	} others[] = {
		{ "\xfd"
		  "7zXZ\0",
		    "xz" },
		{ "BZh91A", "bzip2" },
		{ "\x5d\0\0\x80\0\0", "lzma" },
		{ "\x89LZO\0\r", "lzo" },
		{ "\x02\x21\x4c\x18\0\0", "lz4" },
		{ "\x04\x22\x4d\x18\0\0", "lz4" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		fresh(state);
		put(others[i].bytes, 6);
		expect_defect(-EOPNOTSUPP, others[i].name);
	}
}

static void
short_magic(void **state)
{
	(void)state;
	put("0", 1);
	expect_defect(-EINVAL, "neither");
	fresh(state);
	put("\x1f\x8b", 2);
	expect_defect(-EINVAL, "neither");
	put("\x08", 1);
	expect_defect(-EINVAL, "ends early");
	fresh(state);
	put("\x28\xb5\x2f\xfd", 4);
	expect_defect(-EINVAL, "ends early");
}

static void
refused(void **state)
{
	(void)state;
	put_archive("a", 10);
	put_archive("refused", 10);
	expect_defect(-ENOSPC, "refused");
	assert_int_equal(u.offset, 124 + 124);
	pack(0, "gzip -c");
	expect_defect(-ENOSPC, "refused");
	assert_int_equal(u.inner_offset, 124 + 124);
}

static void
no_memory(void **state)
{
	size_t i;
	int n;

	for (i = 0; i < ARRAY_SIZE(packers); i++) {
		fresh(state);
		put_archive("big", 100000);
		pack(0, packers[i]);
		for (n = 0; allocs_left = n, run() != 0; n++) {
			assert_true(n < 100);
			expect_defect((allocs_left = n, -ENOMEM), "no memory");
		}
		assert_true(n >= 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain, fresh),
		cmocka_unit_test_setup(nothing, fresh),
		cmocka_unit_test_setup(packed, fresh),
		cmocka_unit_test_setup(mixed, fresh),
		cmocka_unit_test_setup(archive_over_segments, fresh),
		cmocka_unit_test_setup(cut_short, fresh),
		cmocka_unit_test_setup(packed_but_cut_before, fresh),
		cmocka_unit_test_setup(damaged, fresh),
		cmocka_unit_test_setup(junk, fresh),
		cmocka_unit_test_setup(other_packers, fresh),
		cmocka_unit_test_setup(short_magic, fresh),
		cmocka_unit_test_setup(refused, fresh),
		cmocka_unit_test_setup(no_memory, fresh),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
