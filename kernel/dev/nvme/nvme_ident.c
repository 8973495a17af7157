/* SPDX-License-Identifier: ISC */
/*
 * nvme_ident.c - reads CAP and the answers to identify.  NVMe 1.4, 3.1.1 and
 * 5.15.2; EBS's vendor area as nvme-cli's plug-in shows it.
 */
#include "dev/nvme/nvme_ident.h"
#include "kern/string.h"
#include <linux/errno.h>

#define VID_AMAZON     0x1d0f
#define PAGE_SHIFT_MAX 16
#define NN_MAX         (1u << 20) /* more would never be walked through */

static int
no_sense(const char **why, const char *what)
{
	*why = what;
	return -EPROTO;
}

int
nvme_parse_cap(uint64_t cap, struct nvme_cap *out, const char **why)
{
	if (NVME_CAP_MQES(cap) == 0)
		return no_sense(why, "queues of one entry");
	if ((NVME_CAP_CSS(cap) & 1) == 0)
		return no_sense(why, "it has no NVM command set");
	if (NVME_CAP_MPSMIN(cap) > NVME_CAP_MPSMAX(cap) ||
	    12 + NVME_CAP_MPSMIN(cap) > PAGE_SHIFT_MAX)
		return no_sense(why, "its pages are too large");
	*out = (struct nvme_cap){
		.entries = NVME_CAP_MQES(cap) + 1,
		.timeout_ms = (NVME_CAP_TO(cap) == 0 ? 1 : NVME_CAP_TO(cap)) *
		    500,
		.stride = 4u << NVME_CAP_DSTRD(cap),
		.page_shift = 12 + NVME_CAP_MPSMIN(cap),
		.subsystem_reset = NVME_CAP_NSSRS(cap) != 0,
	};
	return 0;
}

/* Text padded with blanks or zeros; what no terminal should see becomes '?'. */
static void
take_text(char *out, const char *text, size_t n)
{
	size_t i, end = 0;

	for (i = 0; i < n && text[i] != '\0'; i++) {
		out[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
		if (out[i] != ' ')
			end = i + 1;
	}
	out[end] = '\0';
}

/* "/dev/sdf", "sdf" or "xvdbc": letters and digits only, or it is none. */
static void
take_ebs(struct nvme_params *p, const uint8_t *area)
{
	char text[33];
	const char *name = text;
	size_t i;

	take_text(text, (const char *)area, sizeof(text) - 1);
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	for (i = 0; name[i] != '\0'; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
			(name[i] >= '0' && name[i] <= '9')))
			return;
	if (i > 0 && i < sizeof(p->ebs))
		memcpy(p->ebs, name, i + 1);
}

static uint32_t
max_bytes(uint8_t mdts, const struct nvme_cap *cap)
{
	if (mdts == 0 || mdts + cap->page_shift >= 20)
		return NVME_MAX_BYTES;
	return 1u << (mdts + cap->page_shift);
}

int
nvme_parse_ctrl(const struct nvme_id_ctrl *id, const struct nvme_cap *cap,
    struct nvme_params *out, const char **why)
{
	memset(out, 0, sizeof(*out));
	if ((id->sqes & 0xf) > 6 || id->sqes >> 4 < 6)
		return no_sense(why, "its commands are not of 64 bytes");
	if ((id->cqes & 0xf) > 4 || id->cqes >> 4 < 4)
		return no_sense(why, "its answers are not of 16 bytes");
	if (id->nn > NN_MAX && id->nn != UINT32_MAX)
		return no_sense(why, "more namespaces than there can be");
	take_text(out->model, id->model, sizeof(id->model));
	take_text(out->serial, id->serial, sizeof(id->serial));
	take_text(out->firmware, id->firmware, sizeof(id->firmware));
	take_text(out->subnqn, id->subnqn, sizeof(out->subnqn) - 1);
	out->vid = id->vid;
	out->ssvid = id->ssvid;
	out->cntlid = id->cntlid;
	out->version = id->ver;
	out->nn = id->nn;
	out->oaes = id->oaes;
	out->max_bytes = max_bytes(id->mdts, cap);
	out->rtd3e_us = id->rtd3e;
	out->acl = id->acl;
	out->aerl = id->aerl;
	out->cntrltype = id->cntrltype;
	out->cmic = id->cmic;
	out->sgl = (id->sgls & 3) != 0;
	out->volatile_cache = (id->vwc & 1) != 0;
	out->dsm = (id->oncs & NVME_ONCS_DSM) != 0;
	out->zeroes = (id->oncs & NVME_ONCS_ZEROES) != 0;
	out->is_ebs = id->vid == VID_AMAZON &&
	    strcmp(out->model, "Amazon Elastic Block Store") == 0;
	if (out->is_ebs)
		take_ebs(out, id->vendor);
	return 0;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static void
make_wwid(struct nvme_ns_params *ns)
{
	const uint8_t *id = ns->nguid;
	unsigned i, n = sizeof(ns->nguid), at;

	if (all_zero(id, n)) {
		id = ns->eui64;
		n = sizeof(ns->eui64);
	}
	if (all_zero(id, n))
		return;
	at = strlcpy(ns->wwid, "eui.", sizeof(ns->wwid));
	for (i = 0; i < n; i++)
		at += scnprintf(ns->wwid + at, sizeof(ns->wwid) - at, "%02x",
		    id[i]);
}

/* NPWG, where it is given (NSFEAT bit 4): what is written at one go. */
static uint32_t
physical_size(const struct nvme_id_ns *id, unsigned shift)
{
	uint32_t blocks = (id->nsfeat & 0x10) != 0 ? id->npwg + 1u : 1;

	if ((blocks & (blocks - 1)) != 0 || (uint64_t)blocks << shift > 65536)
		blocks = 1;
	return blocks << shift;
}

int
nvme_parse_ns(const struct nvme_id_ns *id, struct nvme_ns_params *out,
    const char **why)
{
	unsigned format = (id->flbas & 0xf) | (id->flbas & 0x60) >> 1;

	memset(out, 0, sizeof(*out));
	if (id->nsze == 0)
		return 0;
	if (format > id->nlbaf || format >= 64)
		return no_sense(why, "a format that it does not have");
	if (id->lbaf[format].lbads < 9 || id->lbaf[format].lbads > 62)
		return no_sense(why, "absurd block size");
	if (id->lbaf[format].lbads > PAGE_SHIFT) {
		*why = "blocks larger than a page";
		return -EOPNOTSUPP;
	}
	if (id->lbaf[format].metadata != 0) {
		*why = "blocks with metadata";
		return -EOPNOTSUPP;
	}
	out->lba_shift = id->lbaf[format].lbads;
	if (id->nsze > (UINT64_MAX >> 1) >> out->lba_shift)
		return no_sense(why, "absurd size");
	out->blocks = id->nsze;
	out->write_protected = (id->nsattr & 1) != 0;
	memcpy(out->nguid, id->nguid, sizeof(out->nguid));
	memcpy(out->eui64, id->eui64, sizeof(out->eui64));
	out->physical_size = physical_size(id, out->lba_shift);
	make_wwid(out);
	return 0;
}
