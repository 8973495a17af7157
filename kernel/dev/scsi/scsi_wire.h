/* SPDX-License-Identifier: ISC */
/*
 * scsi_wire.h - SCSI commands and answers as bytes.  SPC-4, SBC-3, SAM-5.
 *
 * The parsers take what a device wrote: any bytes, any length.  They read
 * nothing behind `n`, and say -EINVAL to what makes no sense.
 */
#ifndef DEV_SCSI_WIRE_H
#define DEV_SCSI_WIRE_H

#include "kern/types.h"

/* Status of a command; SAM-5, 5.3. */
#define SCSI_GOOD            0x00
#define SCSI_CHECK_CONDITION 0x02
#define SCSI_BUSY            0x08
#define SCSI_RESERVED        0x18
#define SCSI_TASK_SET_FULL   0x28
#define SCSI_TASK_ABORTED    0x40

/* Sense keys; SPC-4, 4.5.6. */
#define SENSE_RECOVERED  0x1
#define SENSE_NOT_READY  0x2
#define SENSE_MEDIUM     0x3
#define SENSE_HARDWARE   0x4
#define SENSE_ILLEGAL    0x5
#define SENSE_ATTENTION  0x6
#define SENSE_PROTECT    0x7
#define SENSE_ABORTED    0xb
#define SENSE_MISCOMPARE 0xe

#define SCSI_TYPE_DISK 0x00
#define SCSI_CDB_MAX   16

struct scsi_sense {
	uint8_t key, asc, ascq;
	bool deferred; /* of an earlier command */
};

/* False: there is no sense in it. */
bool scsi_sense_parse(const uint8_t *p, size_t n, struct scsi_sense *out);

/* What follows from a status and its sense data. */
enum scsi_verdict {
	SCSI_DONE,  /* it worked */
	SCSI_AGAIN, /* try it again, at once */
	SCSI_LATER, /* try it again after a while */
	SCSI_FAILED,
};
/* *error: of SCSI_FAILED, and what to say after too many tries. */
enum scsi_verdict scsi_judge(uint8_t status, const uint8_t *sense,
    size_t nsense, struct scsi_sense *out, int *error);

struct scsi_inquiry {
	uint8_t qualifier, type;
	char vendor[9], product[17], revision[5]; /* trimmed */
};
int scsi_inquiry_parse(const uint8_t *p, size_t n, struct scsi_inquiry *out);

/* VPD pages: is `page` in the list of page 0? */
bool scsi_vpd_has(const uint8_t *p, size_t n, uint8_t page);
/* Page 0x80, trimmed; -ENOENT: empty. */
int scsi_vpd_serial(const uint8_t *p, size_t n, char *out, size_t size);
/* Page 0x83: the unit's best name, "naa.5000c500...", "eui....", "t10....". */
int scsi_vpd_id(const uint8_t *p, size_t n, char *out, size_t size);

struct scsi_limits { /* in blocks; 0: none said */
	uint32_t max_transfer, max_unmap, max_unmap_ranges, unmap_granularity;
	uint64_t max_write_same;
};
int scsi_vpd_limits(const uint8_t *p, size_t n, struct scsi_limits *out);
/* Page 0xb2: UNMAP works, WRITE SAME(16) may unmap. */
int scsi_vpd_provisioning(const uint8_t *p, size_t n, bool *unmap,
    bool *write_same);

struct scsi_capacity {
	uint64_t blocks;
	uint32_t block_size, physical_size; /* bytes, powers of two */
	bool thin; /* logical block provisioning is on */
};
int scsi_capacity10_parse(const uint8_t *p, size_t n, struct scsi_capacity *c);
int scsi_capacity16_parse(const uint8_t *p, size_t n, struct scsi_capacity *c);

/* REPORT LUNS: plain numbers, up to max of them; others are left out. */
int scsi_luns_parse(const uint8_t *p, size_t n, uint32_t *lun, unsigned max,
    unsigned *count);
/* MODE SENSE(6) of the caching page, or of none. */
int scsi_mode_parse(const uint8_t *p, size_t n, bool *write_protected,
    bool *write_back);

/* Commands; each returns its length. */
unsigned scsi_cdb_plain(uint8_t cdb[SCSI_CDB_MAX], uint8_t op);
unsigned scsi_cdb_inquiry(uint8_t cdb[SCSI_CDB_MAX], int page /* -1: none */,
    uint16_t len);
unsigned scsi_cdb_report_luns(uint8_t cdb[SCSI_CDB_MAX], uint32_t len);
unsigned scsi_cdb_capacity10(uint8_t cdb[SCSI_CDB_MAX]);
unsigned scsi_cdb_capacity16(uint8_t cdb[SCSI_CDB_MAX], uint32_t len);
unsigned
scsi_cdb_mode_sense(uint8_t cdb[SCSI_CDB_MAX], uint8_t page, uint8_t len);
unsigned scsi_cdb_rw(uint8_t cdb[SCSI_CDB_MAX], bool write, bool fua,
    uint64_t lba, uint32_t blocks);
unsigned scsi_cdb_flush(uint8_t cdb[SCSI_CDB_MAX]);
unsigned scsi_cdb_write_same(uint8_t cdb[SCSI_CDB_MAX], bool unmap,
    uint64_t lba, uint32_t blocks);
#define SCSI_UNMAP_LEN 24 /* bytes of its list with one range */
unsigned scsi_cdb_unmap(uint8_t cdb[SCSI_CDB_MAX], uint8_t list[SCSI_UNMAP_LEN],
    uint64_t lba, uint32_t blocks);

#endif
