/* SPDX-License-Identifier: ISC */
/*
 * scsi_wire.c - SCSI commands and answers as bytes.  SPC-4, SBC-3, SAM-5.
 */
#include "dev/scsi/scsi_wire.h"

#include "kern/string.h"
#include <linux/errno.h>

#define OP_INQUIRY         0x12
#define OP_MODE_SENSE6     0x1a
#define OP_CAPACITY10      0x25
#define OP_READ10          0x28
#define OP_WRITE10         0x2a
#define OP_FLUSH10         0x35
#define OP_UNMAP           0x42
#define OP_READ16          0x88
#define OP_WRITE16         0x8a
#define OP_WRITE_SAME16    0x93
#define OP_SERVICE_IN16    0x9e
#define SERVICE_CAPACITY16 0x10
#define OP_REPORT_LUNS     0xa0

#define BLOCKS_MAX (1ull << 54) /* 9 EiB in blocks of 512 */

static uint16_t
be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static uint64_t
be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void
put64(uint8_t *p, uint64_t v)
{
	put32(p, v >> 32);
	put32(p + 4, v);
}

/* Text without the spaces around it; what cannot be printed becomes '_'. */
static void
copy_text(char *out, size_t size, const uint8_t *p, size_t n)
{
	size_t i, used = 0;

	while (n > 0 && (*p == ' ' || *p == '\0')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
		n--;
	for (i = 0; i < n && used + 1 < size; i++)
		out[used++] = p[i] >= ' ' && p[i] < 0x7f ? p[i] : '_';
	out[used] = '\0';
}

/* -------------------------------------------------------------- sense -- */

bool
scsi_sense_parse(const uint8_t *p, size_t n, struct scsi_sense *out)
{
	uint8_t code = n > 0 ? p[0] & 0x7f : 0;

	*out = (struct scsi_sense){ .deferred = code == 0x71 || code == 0x73 };
	if ((code == 0x70 || code == 0x71) && n >= 3) {
		out->key = p[2] & 0xf;
		if (n >= 14 && p[7] >= 6) {
			out->asc = p[12];
			out->ascq = p[13];
		}
		return true;
	}
	if ((code == 0x72 || code == 0x73) && n >= 4) {
		out->key = p[1] & 0xf;
		out->asc = p[2];
		out->ascq = p[3];
		return true;
	}
	return false;
}

static enum scsi_verdict
judge_sense(const struct scsi_sense *s, int *error)
{
	*error = -EIO;
	switch (s->key) {
	case 0:
	case SENSE_RECOVERED: return SCSI_DONE;
	case SENSE_ATTENTION:
	case SENSE_ABORTED: return SCSI_AGAIN;
	case SENSE_NOT_READY:
		/* "is in process of becoming ready", and its kin */
		return s->asc == 0x04 ? SCSI_LATER : SCSI_FAILED;
	case SENSE_PROTECT:
		*error = s->asc == 0x27 && s->ascq == 0x07 ? -ENOSPC : -EROFS;
		return SCSI_FAILED;
	case SENSE_ILLEGAL:
		*error = s->asc == 0x20 || s->asc == 0x24 ? -EOPNOTSUPP : -EIO;
		return SCSI_FAILED;
	default: return SCSI_FAILED;
	}
}

enum scsi_verdict
scsi_judge(uint8_t status, const uint8_t *sense, size_t nsense,
    struct scsi_sense *out, int *error)
{
	*out = (struct scsi_sense){ 0 };
	*error = -EIO;
	switch (status) {
	case SCSI_GOOD: *error = 0; return SCSI_DONE;
	case SCSI_BUSY:
	case SCSI_TASK_SET_FULL: return SCSI_LATER;
	case SCSI_TASK_ABORTED: return SCSI_AGAIN;
	case SCSI_RESERVED: return SCSI_FAILED;
	case SCSI_CHECK_CONDITION: break;
	default: return SCSI_FAILED;
	}
	if (!scsi_sense_parse(sense, nsense, out))
		return SCSI_FAILED;
	/* Another command's failure: this one was not begun. */
	if (out->deferred)
		return SCSI_AGAIN;
	return judge_sense(out, error);
}

/* ----------------------------------------------------- what a unit is -- */

int
scsi_inquiry_parse(const uint8_t *p, size_t n, struct scsi_inquiry *out)
{
	memset(out, 0, sizeof(*out));
	if (n < 36)
		return -EINVAL;
	out->qualifier = p[0] >> 5;
	out->type = p[0] & 0x1f;
	copy_text(out->vendor, sizeof(out->vendor), p + 8, 8);
	copy_text(out->product, sizeof(out->product), p + 16, 16);
	copy_text(out->revision, sizeof(out->revision), p + 32, 4);
	return 0;
}

/* A VPD page's own bytes, as many as there are; 0: it is another page. */
static size_t
vpd_len(const uint8_t *p, size_t n, uint8_t page)
{
	if (n < 4 || p[1] != page)
		return 0;
	return MIN(n - 4, (size_t)be16(p + 2));
}

bool
scsi_vpd_has(const uint8_t *p, size_t n, uint8_t page)
{
	size_t i, len = vpd_len(p, n, 0);

	for (i = 0; i < len; i++)
		if (p[4 + i] == page)
			return true;
	return false;
}

int
scsi_vpd_serial(const uint8_t *p, size_t n, char *out, size_t size)
{
	copy_text(out, size, p + 4, vpd_len(p, n, 0x80));
	return out[0] != '\0' ? 0 : -ENOENT;
}

/* How good a designator is as a name; 0: none at all. */
static unsigned
id_worth(const uint8_t *d)
{
	uint8_t len = d[3];

	if ((d[1] & 0x30) != 0)
		return 0; /* of the port or the target */
	switch (d[1] & 0xf) {
	case 3: return len == 16 ? 6 : len == 8 ? 5 : 0;
	case 2: return len == 16 || len == 12 || len == 8 ? 4 : 0;
	case 8: return len > 0 ? 3 : 0;
	case 1: return len > 8 ? 2 : 0;
	default: return 0;
	}
}

static void
id_name(const uint8_t *d, char *out, size_t size)
{
	unsigned type = d[1] & 0xf, i;
	size_t at;

	if (type == 8) { /* a name of its own, "naa." in front */
		copy_text(out, size, d + 4, d[3]);
		return;
	}
	if (type == 1) {
		snprintf(out, size, "t10.");
		copy_text(out + 4, size - 4, d + 4, d[3]);
		return;
	}
	snprintf(out, size, "%s", type == 3 ? "naa." : "eui.");
	for (i = 0, at = 4; i < d[3] && at + 2 < size; i++, at += 2)
		snprintf(out + at, size - at, "%02x", d[4 + i]);
}

int
scsi_vpd_id(const uint8_t *p, size_t n, char *out, size_t size)
{
	size_t len = vpd_len(p, n, 0x83), at = 0;
	const uint8_t *best = NULL;
	unsigned worth = 0;

	while (at + 4 <= len && at + 4 + p[4 + at + 3] <= len) {
		const uint8_t *d = p + 4 + at;

		if (id_worth(d) > worth) {
			worth = id_worth(d);
			best = d;
		}
		at += 4 + (size_t)d[3];
	}
	if (best == NULL || size < 16)
		return -ENOENT;
	id_name(best, out, size);
	return 0;
}

int
scsi_vpd_limits(const uint8_t *p, size_t n, struct scsi_limits *out)
{
	size_t len = vpd_len(p, n, 0xb0);

	memset(out, 0, sizeof(*out));
	if (len < 12)
		return -EINVAL;
	out->max_transfer = be32(p + 8);
	if (len >= 28) {
		out->max_unmap = be32(p + 20);
		out->max_unmap_ranges = be32(p + 24);
		out->unmap_granularity = be32(p + 28);
	}
	if (len >= 40)
		out->max_write_same = be64(p + 36);
	return 0;
}

int
scsi_vpd_provisioning(const uint8_t *p, size_t n, bool *unmap, bool *write_same)
{
	*unmap = *write_same = false;
	if (vpd_len(p, n, 0xb2) < 2)
		return -EINVAL;
	*unmap = (p[5] & 0x80) != 0;
	*write_same = (p[5] & 0x40) != 0;
	return 0;
}

static int
check_capacity(struct scsi_capacity *c)
{
	uint32_t bs = c->block_size;

	if (bs < 512 || bs > 4096 || (bs & (bs - 1)) != 0 ||
	    c->blocks > BLOCKS_MAX / (bs / 512))
		return -EINVAL;
	if (c->physical_size < bs)
		c->physical_size = bs;
	return 0;
}

int
scsi_capacity10_parse(const uint8_t *p, size_t n, struct scsi_capacity *c)
{
	memset(c, 0, sizeof(*c));
	if (n < 8)
		return -EINVAL;
	c->blocks = (uint64_t)be32(p) + 1;
	c->block_size = be32(p + 4);
	return check_capacity(c);
}

int
scsi_capacity16_parse(const uint8_t *p, size_t n, struct scsi_capacity *c)
{
	uint64_t last;

	memset(c, 0, sizeof(*c));
	if (n < 12)
		return -EINVAL;
	last = be64(p);
	if (last >= BLOCKS_MAX)
		return -EINVAL;
	c->blocks = last + 1;
	c->block_size = be32(p + 8);
	if (n >= 16 && check_capacity(c) == 0) {
		c->physical_size = c->block_size << MIN(p[13] & 0xf, 12);
		c->thin = (p[14] & 0x80) != 0;
	}
	return check_capacity(c);
}

/* SAM-5, 4.7: peripheral addressing on bus 0, and flat space. */
static bool
plain_lun(const uint8_t *p, uint32_t *lun)
{
	*lun = be16(p) & 0x3fff;
	if (be16(p + 2) != 0 || be32(p + 4) != 0)
		return false;
	switch (p[0] >> 6) {
	case 0: return (p[0] & 0x3f) == 0;
	case 1: return true;
	default: return false;
	}
}

int
scsi_luns_parse(const uint8_t *p, size_t n, uint32_t *lun, unsigned max,
    unsigned *count)
{
	size_t len, at;

	*count = 0;
	if (n < 8)
		return -EINVAL;
	len = MIN(n - 8, (size_t)be32(p));
	for (at = 0; at + 8 <= len && *count < max; at += 8)
		if (plain_lun(p + 8 + at, &lun[*count]))
			(*count)++;
	return 0;
}

int
scsi_mode_parse(const uint8_t *p, size_t n, bool *write_protected,
    bool *write_back)
{
	size_t len, at;

	*write_protected = *write_back = false;
	if (n < 4)
		return -EINVAL;
	len = MIN(n, (size_t)p[0] + 1);
	*write_protected = (p[2] & 0x80) != 0;
	for (at = 4 + (size_t)p[3]; at + 3 <= len; at += 2 + (size_t)p[at + 1])
		if ((p[at] & 0x7f) == 0x08)
			*write_back = (p[at + 2] & 0x04) != 0;
	return 0;
}

/* ----------------------------------------------------------- commands -- */

unsigned
scsi_cdb_plain(uint8_t cdb[SCSI_CDB_MAX], uint8_t op)
{
	memset(cdb, 0, SCSI_CDB_MAX);
	cdb[0] = op;
	return op < 0x20 ? 6 : op < 0x60 ? 10 : op < 0xa0 ? 16 : 12;
}

unsigned
scsi_cdb_inquiry(uint8_t cdb[SCSI_CDB_MAX], int page, uint16_t len)
{
	unsigned n = scsi_cdb_plain(cdb, OP_INQUIRY);

	cdb[1] = page >= 0;
	cdb[2] = page >= 0 ? page : 0;
	put16(cdb + 3, len);
	return n;
}

unsigned
scsi_cdb_report_luns(uint8_t cdb[SCSI_CDB_MAX], uint32_t len)
{
	unsigned n = scsi_cdb_plain(cdb, OP_REPORT_LUNS);

	put32(cdb + 6, len);
	return n;
}

unsigned
scsi_cdb_capacity10(uint8_t cdb[SCSI_CDB_MAX])
{
	return scsi_cdb_plain(cdb, OP_CAPACITY10);
}

unsigned
scsi_cdb_capacity16(uint8_t cdb[SCSI_CDB_MAX], uint32_t len)
{
	unsigned n = scsi_cdb_plain(cdb, OP_SERVICE_IN16);

	cdb[1] = SERVICE_CAPACITY16;
	put32(cdb + 10, len);
	return n;
}

unsigned
scsi_cdb_mode_sense(uint8_t cdb[SCSI_CDB_MAX], uint8_t page, uint8_t len)
{
	unsigned n = scsi_cdb_plain(cdb, OP_MODE_SENSE6);

	cdb[1] = 0x08; /* no block descriptors */
	cdb[2] = page;
	cdb[4] = len;
	return n;
}

unsigned
scsi_cdb_rw(uint8_t cdb[SCSI_CDB_MAX], bool write, bool fua, uint64_t lba,
    uint32_t blocks)
{
	bool wide = lba + blocks > UINT32_MAX || blocks > UINT16_MAX;
	unsigned n;

	if (wide) {
		n = scsi_cdb_plain(cdb, write ? OP_WRITE16 : OP_READ16);
		put64(cdb + 2, lba);
		put32(cdb + 10, blocks);
	} else {
		n = scsi_cdb_plain(cdb, write ? OP_WRITE10 : OP_READ10);
		put32(cdb + 2, lba);
		put16(cdb + 7, blocks);
	}
	if (fua)
		cdb[1] |= 0x08;
	return n;
}

unsigned
scsi_cdb_flush(uint8_t cdb[SCSI_CDB_MAX])
{
	return scsi_cdb_plain(cdb, OP_FLUSH10);
}

unsigned
scsi_cdb_write_same(uint8_t cdb[SCSI_CDB_MAX], bool unmap, uint64_t lba,
    uint32_t blocks)
{
	unsigned n = scsi_cdb_plain(cdb, OP_WRITE_SAME16);

	cdb[1] = unmap ? 0x08 : 0;
	put64(cdb + 2, lba);
	put32(cdb + 10, blocks);
	return n;
}

unsigned
scsi_cdb_unmap(uint8_t cdb[SCSI_CDB_MAX], uint8_t list[SCSI_UNMAP_LEN],
    uint64_t lba, uint32_t blocks)
{
	unsigned n = scsi_cdb_plain(cdb, OP_UNMAP);

	put16(cdb + 7, SCSI_UNMAP_LEN);
	memset(list, 0, SCSI_UNMAP_LEN);
	put16(list, SCSI_UNMAP_LEN - 2);
	put16(list + 2, SCSI_UNMAP_LEN - 8);
	put64(list + 8, lba);
	put32(list + 16, blocks);
	return n;
}
