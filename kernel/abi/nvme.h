/* SPDX-License-Identifier: ISC */
/*
 * nvme.h - what stands in an NVMe controller's registers and queues.  NVMe
 * Base 1.4; little-endian, as is every machine that this kernel runs on.
 */
#ifndef ABI_NVME_H
#define ABI_NVME_H

#include <stdint.h>

#define NVME_GONE 0xffffffffu /* how an absent controller's registers read */

/* ---- registers; 3.1 ---- */
#define NVME_CAP            0x00 /* capabilities, 64 bits; 3.1.1 */
#define NVME_CAP_MQES(v)    ((uint32_t)((v)&0xffff))
#define NVME_CAP_TO(v)      ((uint32_t)((v) >> 24 & 0xff)) /* 500 ms */
#define NVME_CAP_DSTRD(v)   ((uint32_t)((v) >> 32 & 0xf))  /* 4 << n bytes */
#define NVME_CAP_NSSRS(v)   ((uint32_t)((v) >> 36 & 1))
#define NVME_CAP_CSS(v)     ((uint32_t)((v) >> 37 & 0xff)) /* bit 0: NVM */
#define NVME_CAP_MPSMIN(v)  ((uint32_t)((v) >> 48 & 0xf))  /* 2^(12+n) */
#define NVME_CAP_MPSMAX(v)  ((uint32_t)((v) >> 52 & 0xf))
#define NVME_VS             0x08 /* version; 3.1.2 */
#define NVME_VS_MAJOR(v)    ((v) >> 16)
#define NVME_VS_MINOR(v)    ((v) >> 8 & 0xff)
#define NVME_CC             0x14 /* configuration; 3.1.5 */
#define NVME_CC_EN          0x1u
#define NVME_CC_MPS(n)      ((uint32_t)(n) << 7)
#define NVME_CC_SHN         0xc000u
#define NVME_CC_SHN_NORMAL  0x4000u
#define NVME_CC_IOSQES      (6u << 16) /* 64 bytes */
#define NVME_CC_IOCQES      (4u << 20) /* 16 bytes */
#define NVME_CSTS           0x1c       /* status; 3.1.6 */
#define NVME_CSTS_RDY       0x1u
#define NVME_CSTS_CFS       0x2u /* controller fatal status */
#define NVME_CSTS_SHST      0xcu
#define NVME_CSTS_SHST_DONE 0x8u
#define NVME_NSSR           0x20 /* subsystem reset; 3.1.7 */
#define NVME_NSSR_MAGIC     0x4e564d65u
#define NVME_AQA            0x24   /* admin queues' sizes; 3.1.8 */
#define NVME_ASQ            0x28   /* 64 bits */
#define NVME_ACQ            0x30   /* 64 bits */
#define NVME_DOORBELLS      0x1000 /* 3.1.24 */

/* ---- commands; 4.2 ---- */
struct nvme_sqe {
	uint8_t opcode;
	uint8_t flags; /* 7:6 PSDT: 0 PRPs, 1 an SGL */
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2, cdw3;
	uint64_t metadata;
	uint64_t prp1, prp2; /* or one SGL descriptor */
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct nvme_sqe) == 64, "NVMe 1.4, 4.2");
#define NVME_SQE_SGL 0x40

struct nvme_sgl { /* 4.4 */
	uint64_t addr;
	uint32_t len;
	uint8_t reserved[3];
	uint8_t type;
};
_Static_assert(sizeof(struct nvme_sgl) == 16, "NVMe 1.4, 4.4");
#define NVME_SGL_DATA 0x00
#define NVME_SGL_LAST 0x30 /* a last segment: a table of descriptors */

struct nvme_cqe { /* 4.6 */
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head, sq_id;
	uint16_t cid;
	uint16_t status; /* bit 0: phase tag */
};
_Static_assert(sizeof(struct nvme_cqe) == 16, "NVMe 1.4, 4.6");
/* A status without the phase tag: SC 7:0, SCT 10:8, CRD 12:11, M 13, DNR 14 */
#define NVME_SC(s)              ((s)&0x7ff) /* type and code */
#define NVME_STATUS_DNR         0x4000      /* do not retry */
#define NVME_SC_BAD_OPCODE      0x001
#define NVME_SC_BAD_FIELD       0x002
#define NVME_SC_ABORTED         0x007
#define NVME_SC_SQ_DELETED      0x008
#define NVME_SC_BAD_NS          0x00b
#define NVME_SC_WRITE_PROTECTED 0x020
#define NVME_SC_LBA_RANGE       0x080
#define NVME_SC_CAPACITY        0x081
#define NVME_SC_NS_NOT_READY    0x082

enum { /* admin; 5 */
	NVME_ADMIN_DELETE_SQ = 0x00,
	NVME_ADMIN_CREATE_SQ = 0x01,
	NVME_ADMIN_GET_LOG = 0x02,
	NVME_ADMIN_DELETE_CQ = 0x04,
	NVME_ADMIN_CREATE_CQ = 0x05,
	NVME_ADMIN_IDENTIFY = 0x06,
	NVME_ADMIN_ABORT = 0x08,
	NVME_ADMIN_SET_FEATURES = 0x09,
	NVME_ADMIN_GET_FEATURES = 0x0a,
	NVME_ADMIN_ASYNC_EVENT = 0x0c,
	NVME_ADMIN_DOORBELL_BUFFER = 0x7c,
	NVME_ADMIN_FORMAT = 0x80,
	NVME_ADMIN_SANITIZE = 0x84,
};
enum { /* of the NVM command set; 6 */
	NVME_CMD_FLUSH = 0x00,
	NVME_CMD_WRITE = 0x01,
	NVME_CMD_READ = 0x02,
	NVME_CMD_WRITE_ZEROES = 0x08,
	NVME_CMD_DSM = 0x09,
};
#define NVME_RW_FUA      (1u << 30) /* cdw12 */
#define NVME_ZEROES_DEAC (1u << 25) /* cdw12: may deallocate */
#define NVME_DSM_DISCARD 0x4u       /* cdw11 */
#define NVME_ALL_NS      0xffffffffu

struct nvme_dsm_range { /* 6.7 */
	uint32_t attributes;
	uint32_t blocks;
	uint64_t lba;
};
_Static_assert(sizeof(struct nvme_dsm_range) == 16, "NVMe 1.4, 6.7");

#define NVME_CNS_NS         0 /* identify; 5.15 */
#define NVME_CNS_CTRL       1
#define NVME_CNS_ACTIVE     2
#define NVME_CNS_NS_DESCS   3
#define NVME_FEAT_QUEUES    0x07
#define NVME_FEAT_ASYNC     0x0b
#define NVME_LOG_ERROR      1
#define NVME_LOG_SMART      2
#define NVME_LOG_CHANGED_NS 4
#define NVME_LOG_RAE        0x8000u /* cdw10: the event stays */

/* Async events; 5.2: dword 0 of the answer. */
#define NVME_EVENT_TYPE(v)     ((v)&7)
#define NVME_EVENT_ERROR       0
#define NVME_EVENT_SMART       1
#define NVME_EVENT_NOTICE      2
#define NVME_EVENT_INFO(v)     ((v) >> 8 & 0xff)
#define NVME_NOTICE_NS_CHANGED 0
#define NVME_EVENT_LOG(v)      ((v) >> 16 & 0xff)
#define NVME_OAES_NS           0x100u /* and in the feature */

struct nvme_id_ctrl { /* identify controller; 5.15.2.2 */
	uint16_t vid, ssvid;
	char serial[20], model[40], firmware[8];
	uint8_t rab, ieee[3];
	uint8_t cmic, mdts;
	uint16_t cntlid;
	uint32_t ver, rtd3r, rtd3e; /* RTD3E: shutdown, us */
	uint32_t oaes, ctratt;
	uint8_t reserved100[11], cntrltype; /* 1: I/O */
	uint8_t reserved112[144];
	uint16_t oacs; /* 256 */
	uint8_t acl, aerl, frmw, lpa, elpe, npss, avscc, apsta;
	uint8_t reserved266[246];
	uint8_t sqes, cqes; /* 512 */
	uint16_t maxcmd;
	uint32_t nn;
	uint16_t oncs, fuses;
	uint8_t fna, vwc; /* VWC bit 0: there is a volatile write cache */
	uint16_t awun, awupf;
	uint8_t nvscc, nwpc;
	uint16_t acwu, reserved534;
	uint32_t sgls; /* 536 */
	uint8_t reserved540[228];
	char subnqn[256]; /* 768 */
	uint8_t reserved1024[1024], psd[1024];
	uint8_t vendor[1024]; /* 3072: EBS's name of the device */
};
_Static_assert(sizeof(struct nvme_id_ctrl) == 4096, "NVMe 1.4, 5.15.2.2");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, oacs) == 256, "OACS");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, sqes) == 512, "SQES");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, sgls) == 536, "SGLS");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, subnqn) == 768, "NQN");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, vendor) == 3072, "VS");
#define NVME_ONCS_DSM    0x4u
#define NVME_ONCS_ZEROES 0x8u

struct nvme_id_ns {                /* identify namespace; 5.15.2.1 */
	uint64_t nsze, ncap, nuse; /* blocks */
	uint8_t nsfeat, nlbaf, flbas, mc, dpc, dps, nmic, rescap, fpi, dlfeat;
	uint16_t nawun, nawupf, nacwu, nabsn, nabo, nabspf, noiob;
	uint8_t nvmcap[16];
	uint16_t npwg, npwa, npdg, npda, nows;
	uint8_t reserved74[18];
	uint32_t anagrpid;             /* 92 */
	uint8_t reserved96[3], nsattr; /* bit 0: write-protected */
	uint16_t nvmsetid, endgid;
	uint8_t nguid[16], eui64[8]; /* 104, 120; big-endian */
	struct {
		uint16_t metadata;
		uint8_t lbads, rp;
	} lbaf[64]; /* 128 */
	uint8_t vendor[3712];
};
_Static_assert(sizeof(struct nvme_id_ns) == 4096, "NVMe 1.4, 5.15.2.1");
_Static_assert(__builtin_offsetof(struct nvme_id_ns, nguid) == 104, "NGUID");
_Static_assert(__builtin_offsetof(struct nvme_id_ns, lbaf) == 128, "LBAF");

#endif
