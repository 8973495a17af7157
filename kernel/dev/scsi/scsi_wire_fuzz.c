/* SPDX-License-Identifier: ISC */
/*
 * scsi_wire_fuzz.c - the parsers of SCSI's answers: nothing read behind the
 * end, and what is taken makes sense.
 */
/* unit: kernel/dev/scsi/scsi_wire.c */
#include "dev/scsi/scsi_wire.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool right)
{
	if (!right)
		abort();
}

static void
names(const uint8_t *p, size_t n)
{
	struct scsi_inquiry q;
	char text[40];

	(void)scsi_inquiry_parse(p, n, &q);
	check(strlen(q.vendor) < sizeof(q.vendor));
	check(strlen(q.product) < sizeof(q.product));
	if (scsi_vpd_serial(p, n, text, sizeof(text)) == 0)
		check(text[0] != '\0' && strlen(text) < sizeof(text));
	if (scsi_vpd_id(p, n, text, sizeof(text)) == 0)
		check(strlen(text) < sizeof(text));
}

static void
numbers(const uint8_t *p, size_t n)
{
	struct scsi_capacity c;
	struct scsi_limits limits;
	struct scsi_sense s;
	uint32_t lun[5];
	unsigned i, count;
	bool a, b;
	int error;

	if (scsi_capacity10_parse(p, n, &c) == 0 ||
	    scsi_capacity16_parse(p, n, &c) == 0)
		check(c.block_size >= 512 && c.block_size <= 4096 &&
		    c.blocks > 0 && c.physical_size >= c.block_size &&
		    c.blocks * c.block_size / c.block_size == c.blocks);
	(void)scsi_vpd_limits(p, n, &limits);
	(void)scsi_vpd_provisioning(p, n, &a, &b);
	(void)scsi_vpd_has(p, n, 0xb0);
	(void)scsi_mode_parse(p, n, &a, &b);
	(void)scsi_sense_parse(p, n, &s);
	check(s.key < 16);
	(void)scsi_judge(SCSI_CHECK_CONDITION, p, n, &s, &error);
	(void)scsi_luns_parse(p, n, lun, 5, &count);
	check(count <= 5);
	for (i = 0; i < count; i++)
		check(lun[i] < 16384);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size == 0 ? 1 : size);

	if (exact == NULL)
		return 0;
	memcpy(exact, data, size);
	names(exact, size);
	numbers(exact, size);
	free(exact);
	return 0;
}
