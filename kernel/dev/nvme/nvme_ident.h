/* SPDX-License-Identifier: ISC */
/*
 * nvme_ident.h - what a controller says of itself and of its namespaces, taken
 * in only as far as it makes sense.  Pure functions over bytes.
 */
#ifndef DEV_NVME_IDENT_H
#define DEV_NVME_IDENT_H

#include "abi/nvme.h"
#include "kern/types.h"

struct nvme_cap {            /* from the register CAP */
	uint32_t entries;    /* of a queue, at most; at least 2 */
	uint32_t timeout_ms; /* until CSTS.RDY follows CC.EN */
	uint32_t stride;     /* bytes from doorbell to doorbell */
	uint8_t page_shift;  /* the memory page in use: the smallest, >= 12 */
	bool subsystem_reset;
};

struct nvme_params {                             /* from identify controller */
	char model[41], serial[21], firmware[9]; /* trimmed, printable */
	char subnqn[224];
	char ebs[32]; /* EBS's name of the volume, "sdf"; "": none */
	uint16_t vid, ssvid, cntlid;
	uint32_t version, nn, oaes, max_bytes; /* max_bytes: of a transfer */
	uint32_t rtd3e_us;
	uint8_t acl, aerl, cntrltype, cmic;
	bool sgl, volatile_cache, dsm, zeroes, is_ebs;
};

struct nvme_ns_params {    /* from identify namespace */
	uint64_t blocks;   /* 0: no such namespace */
	uint8_t lba_shift; /* 9 .. 12 */
	bool write_protected;
	uint8_t nguid[16], eui64[8]; /* zeros: none */
	char wwid[48];               /* "eui.…", "" */
	uint32_t physical_size;      /* bytes, a power of two */
};

#define NVME_MAX_BYTES (1u << 20) /* of a transfer: what we can map */

/* 0, or -EPROTO and why in *why.  `cap` is not all ones. */
int nvme_parse_cap(uint64_t cap, struct nvme_cap *out, const char **why);
int nvme_parse_ctrl(const struct nvme_id_ctrl *id, const struct nvme_cap *cap,
    struct nvme_params *out, const char **why);
/*
 * -EPROTO: makes no sense; -EOPNOTSUPP: a format that we have no use for.
 * All zeros is a namespace that is not there: 0 with no blocks.
 */
int nvme_parse_ns(const struct nvme_id_ns *id, struct nvme_ns_params *out,
    const char **why);

#endif
