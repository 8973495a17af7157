/* SPDX-License-Identifier: ISC */
/*
 * scsi_wire_test.c - SCSI's answers as bytes, right ones and wrong ones, and
 * commands.
 */
/* unit: kernel/dev/scsi/scsi_wire.c */
#include "dev/scsi/scsi_wire.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
sense(void **state)
{
	static const uint8_t fixed[18] = { 0xf0, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0,
		0, 0x29, 1 };
	static const uint8_t modern[8] = { 0x72, 5, 0x20, 0 };
	struct scsi_sense s;

	(void)state;
	assert_true(scsi_sense_parse(fixed, sizeof(fixed), &s));
	assert_int_equal(s.key, 6);
	assert_int_equal(s.asc << 8 | s.ascq, 0x2901);
	assert_false(s.deferred);
	assert_true(scsi_sense_parse(fixed, 13, &s)); /* cut */
	assert_int_equal(s.key, 6);
	assert_int_equal(s.asc, 0);
	assert_true(scsi_sense_parse(modern, sizeof(modern), &s));
	assert_int_equal(s.key, 5);
	assert_int_equal(s.asc, 0x20);
	assert_false(scsi_sense_parse(fixed, 2, &s));
	assert_false(scsi_sense_parse(modern, 0, &s));
	assert_false(scsi_sense_parse((const uint8_t *)"\0\0\6\0", 4, &s));
}

static void
verdicts(void **state)
{
	static const struct {
		uint8_t status, key, asc, ascq;
		enum scsi_verdict v;
		int error;
	} t[] = {
		{ 0x00, 0, 0, 0, SCSI_DONE, 0 },
		{ 0x02, 1, 0x17, 0, SCSI_DONE, -EIO },
		{ 0x02, 6, 0x29, 0, SCSI_AGAIN, -EIO },
		{ 0x02, 0xb, 0, 0, SCSI_AGAIN, -EIO },
		{ 0x02, 2, 0x04, 1, SCSI_LATER, -EIO },
		{ 0x02, 2, 0x3a, 0, SCSI_FAILED, -EIO },
		{ 0x02, 3, 0x11, 0, SCSI_FAILED, -EIO },
		{ 0x02, 5, 0x20, 0, SCSI_FAILED, -EOPNOTSUPP },
		{ 0x02, 5, 0x21, 0, SCSI_FAILED, -EIO },
		{ 0x02, 7, 0x27, 0, SCSI_FAILED, -EROFS },
		{ 0x02, 7, 0x27, 7, SCSI_FAILED, -ENOSPC },
		{ 0x08, 0, 0, 0, SCSI_LATER, -EIO },
		{ 0x28, 0, 0, 0, SCSI_LATER, -EIO },
		{ 0x18, 0, 0, 0, SCSI_FAILED, -EIO },
		{ 0xff, 0, 0, 0, SCSI_FAILED, -EIO },
	};
	struct scsi_sense s;
	uint8_t bytes[18] = { 0x70, [7] = 10 };
	unsigned i;
	int error;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bytes[2] = t[i].key;
		bytes[12] = t[i].asc;
		bytes[13] = t[i].ascq;
		assert_int_equal(scsi_judge(t[i].status, bytes, 18, &s, &error),
		    t[i].v);
		if (t[i].v != SCSI_DONE || t[i].status == 0)
			assert_int_equal(error, t[i].error);
	}
	assert_int_equal(scsi_judge(2, bytes, 0, &s, &error), SCSI_FAILED);
}

static void
inquiry(void **state)
{
	uint8_t p[36] = { 0x65, 0 };
	struct scsi_inquiry q;

	(void)state;
	memcpy(p + 8, "FISH\0\0\0 REMORA\x1b\xff        1.0 ", 28);
	assert_int_equal(scsi_inquiry_parse(p, 36, &q), 0);
	assert_int_equal(q.qualifier, 3);
	assert_int_equal(q.type, 5);
	assert_string_equal(q.vendor, "FISH");
	assert_string_equal(q.product, "REMORA__");
	assert_string_equal(q.revision, "1.0");
	assert_int_equal(scsi_inquiry_parse(p, 35, &q), -EINVAL);
}

static void
vital_data(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 3, 0, 0x80, 0x83 };
	static const uint8_t serial[] = { 0, 0x80, 0, 6, ' ', 'f', '7', ' ',
		' ', 0 };
	static const uint8_t ids[] = { 0, 0x83, 0, 29, 0x02, 0x01, 0, 9, 'F',
		'I', 'S', 'H', ' ', ' ', ' ', ' ', '7', 0x01, 0x02, 0, 8, 1, 2,
		3, 4, 5, 6, 7, 8, 0x01, 0x13, 0, 0 };
	char text[40];

	(void)state;
	assert_true(scsi_vpd_has(list, sizeof(list), 0x80));
	assert_false(scsi_vpd_has(list, sizeof(list), 0xb0));
	assert_false(scsi_vpd_has(list, 6, 0x83));
	assert_false(scsi_vpd_has(list, 3, 0));
	assert_int_equal(scsi_vpd_serial(serial, 10, text, 40), 0);
	assert_string_equal(text, "f7");
	assert_int_equal(scsi_vpd_serial(serial, 5, text, 40), -ENOENT);
	assert_int_equal(scsi_vpd_serial(list, 7, text, 40), -ENOENT);
	assert_int_equal(scsi_vpd_id(ids, sizeof(ids), text, 40), 0);
	assert_string_equal(text, "eui.0102030405060708");
	assert_int_equal(scsi_vpd_id(ids, 17, text, 40), 0);
	assert_string_equal(text, "t10.FISH    7");
	assert_int_equal(scsi_vpd_id(ids, 16, text, 40), -ENOENT);
}

static void
capacity(void **state)
{
	uint8_t p[32] = { [6] = 0x10, [10] = 2, [13] = 3, [14] = 0x80 };
	struct scsi_capacity c;

	(void)state;
	assert_int_equal(scsi_capacity16_parse(p, 32, &c), 0);
	assert_int_equal(c.blocks, 0x1001);
	assert_int_equal(c.block_size, 512);
	assert_int_equal(c.physical_size, 4096);
	assert_true(c.thin);
	assert_int_equal(scsi_capacity16_parse(p, 11, &c), -EINVAL);
	p[10] = 3; /* blocks of 768 */
	assert_int_equal(scsi_capacity16_parse(p, 32, &c), -EINVAL);
	p[10] = 0x20; /* of 8192 */
	assert_int_equal(scsi_capacity16_parse(p, 32, &c), -EINVAL);
	p[10] = 0;
	assert_int_equal(scsi_capacity16_parse(p, 32, &c), -EINVAL);
	memset(p, 0xff, 8);
	p[10] = 2;
	assert_int_equal(scsi_capacity16_parse(p, 32, &c), -EINVAL);
	memcpy(p, "\0\0\0\x0f\0\0\x10\0", 8);
	assert_int_equal(scsi_capacity10_parse(p, 8, &c), 0);
	assert_int_equal(c.blocks, 16);
	assert_int_equal(c.block_size, 4096);
	assert_int_equal(scsi_capacity10_parse(p, 7, &c), -EINVAL);
}

static void
luns_and_modes(void **state)
{
	static const uint8_t luns[] = { 0, 0, 0, 40, 0, 0, 0, 0, 0, 5, 0, 0, 0,
		0, 0, 0, 0x41, 2, 0, 0, 0, 0, 0, 0, 0xc1, 1, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0 };
	static const uint8_t mode[] = { 15, 0, 0x80, 4, 1, 1, 1, 1, 0x88, 2, 4,
		0, 0x0a, 2, 0, 0 };
	uint32_t lun[8];
	unsigned n;
	bool wp, wce;

	(void)state;
	assert_int_equal(scsi_luns_parse(luns, sizeof(luns), lun, 8, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(lun[0], 5);
	assert_int_equal(lun[1], 0x102);
	assert_int_equal(scsi_luns_parse(luns, sizeof(luns), lun, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(scsi_luns_parse(luns, 15, lun, 8, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(scsi_luns_parse(luns, 7, lun, 8, &n), -EINVAL);
	assert_int_equal(scsi_mode_parse(mode, sizeof(mode), &wp, &wce), 0);
	assert_true(wp);
	assert_true(wce);
	assert_int_equal(scsi_mode_parse(mode, 10, &wp, &wce), 0);
	assert_false(wce);
	assert_int_equal(scsi_mode_parse(mode, 3, &wp, &wce), -EINVAL);
}

static void
commands(void **state)
{
	uint8_t cdb[SCSI_CDB_MAX], list[SCSI_UNMAP_LEN];

	(void)state;
	assert_int_equal(scsi_cdb_rw(cdb, false, false, 0x12345678, 8), 10);
	assert_memory_equal(cdb, "\x28\0\x12\x34\x56\x78\0\0\x08\0", 10);
	assert_int_equal(scsi_cdb_rw(cdb, true, true, 1ull << 32, 8), 16);
	assert_memory_equal(cdb, "\x8a\x08\0\0\0\1\0\0\0\0\0\0\0\x08\0\0", 16);
	assert_int_equal(scsi_cdb_rw(cdb, true, false, 0, 70000), 16);
	assert_int_equal(scsi_cdb_inquiry(cdb, 0x83, 252), 6);
	assert_memory_equal(cdb, "\x12\1\x83\0\xfc\0", 6);
	assert_int_equal(scsi_cdb_report_luns(cdb, 0x810), 12);
	assert_memory_equal(cdb, "\xa0\0\0\0\0\0\0\0\x08\x10\0\0", 12);
	assert_int_equal(scsi_cdb_unmap(cdb, list, 5, 7), 10);
	assert_memory_equal(cdb, "\x42\0\0\0\0\0\0\0\x18\0", 10);
	assert_memory_equal(list,
	    "\0\x16\0\x10\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0"
	    "\7\0\0\0\0",
	    24);
	assert_int_equal(scsi_cdb_write_same(cdb, true, 1, 2), 16);
	assert_memory_equal(cdb, "\x93\x08\0\0\0\0\0\0\0\1\0\0\0\2\0\0", 16);
	assert_int_equal(scsi_cdb_capacity16(cdb, 32), 16);
	assert_memory_equal(cdb, "\x9e\x10\0\0\0\0\0\0\0\0\0\0\0\x20\0\0", 16);
	assert_int_equal(scsi_cdb_flush(cdb), 10);
	assert_int_equal(cdb[0], 0x35);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sense),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(inquiry),
		cmocka_unit_test(vital_data),
		cmocka_unit_test(capacity),
		cmocka_unit_test(luns_and_modes),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
