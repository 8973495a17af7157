/* SPDX-License-Identifier: ISC */
/*
 * bpf.c - the classic BPF machine.  S. McCanne and V. Jacobson, "The BSD
 * Packet Filter", 1993; Linux's Documentation/networking/filter.rst.
 */
#include "net/bpf.h"

#include <linux/errno.h>

struct bpf_state {
	uint32_t a, x;
	uint32_t mem[BPF_MEMWORDS];
};

/* -------------------------------------------------------------- the check -- */

static bool
is_ancillary(uint32_t k)
{
	switch ((int32_t)k - SKF_AD_OFF) {
	case SKF_AD_PROTOCOL:
	case SKF_AD_PKTTYPE:
	case SKF_AD_IFINDEX:
	case SKF_AD_MARK:
	case SKF_AD_QUEUE:
	case SKF_AD_HATYPE:
	case SKF_AD_RXHASH:
	case SKF_AD_CPU:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_PAY_OFFSET:
	case SKF_AD_RANDOM:
	case SKF_AD_VLAN_TPID: return true;
	}
	return false;
}

static bool
load_is_known(const struct sock_filter *f)
{
	if (BPF_CLASS(f->code) == BPF_LDX)
		return f->code == (BPF_LDX | BPF_B | BPF_MSH) ||
		    f->code == (BPF_LDX | BPF_W | BPF_IMM) ||
		    f->code == (BPF_LDX | BPF_W | BPF_LEN) ||
		    (f->code == (BPF_LDX | BPF_W | BPF_MEM) &&
			f->k < BPF_MEMWORDS);
	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		/* Places that Linux has no meaning for are refused. */
		return BPF_SIZE(f->code) != 0x18 &&
		    ((int32_t)f->k >= 0 || f->k < (uint32_t)SKF_AD_OFF ||
			is_ancillary(f->k));
	case BPF_IND: return BPF_SIZE(f->code) != 0x18;
	case BPF_IMM:
	case BPF_LEN: return BPF_SIZE(f->code) == BPF_W;
	case BPF_MEM: return BPF_SIZE(f->code) == BPF_W && f->k < BPF_MEMWORDS;
	}
	return false;
}

static bool
alu_is_known(const struct sock_filter *f)
{
	bool constant = BPF_SRC(f->code) == BPF_K;

	switch (f->code & ~BPF_SRC(0xff)) {
	case BPF_ALU | BPF_ADD:
	case BPF_ALU | BPF_SUB:
	case BPF_ALU | BPF_MUL:
	case BPF_ALU | BPF_AND:
	case BPF_ALU | BPF_OR:
	case BPF_ALU | BPF_XOR: return true;
	case BPF_ALU | BPF_NEG: return constant;
	case BPF_ALU | BPF_DIV:
	case BPF_ALU | BPF_MOD: return !constant || f->k != 0;
	case BPF_ALU | BPF_LSH:
	case BPF_ALU | BPF_RSH: return !constant || f->k < 32;
	}
	return false;
}

/* `left`: instructions behind this one. */
static bool
jump_is_known(const struct sock_filter *f, unsigned left)
{
	if (f->code == (BPF_JMP | BPF_JA))
		return f->k < left;
	switch (f->code & ~BPF_SRC(0xff)) {
	case BPF_JMP | BPF_JEQ:
	case BPF_JMP | BPF_JGT:
	case BPF_JMP | BPF_JGE:
	case BPF_JMP | BPF_JSET: return f->jt < left && f->jf < left;
	}
	return false;
}

static bool
is_known(const struct sock_filter *f, unsigned left)
{
	if (f->code > 0xff)
		return false;
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX: return load_is_known(f);
	case BPF_ST:
	case BPF_STX:
		return f->code == BPF_CLASS(f->code) && f->k < BPF_MEMWORDS;
	case BPF_ALU: return alu_is_known(f);
	case BPF_JMP: return jump_is_known(f, left);
	case BPF_RET:
		return f->code == (BPF_RET | BPF_K) ||
		    f->code == (BPF_RET | BPF_A);
	default:
		return f->code == (BPF_MISC | BPF_TAX) ||
		    f->code == (BPF_MISC | BPF_TXA);
	}
}

int
bpf_check(const struct sock_filter *insn, unsigned n)
{
	unsigned i;

	if (n == 0 || n > BPF_MAXINSNS ||
	    BPF_CLASS(insn[n - 1].code) != BPF_RET)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (!is_known(&insn[i], n - 1 - i))
			return -EINVAL;
	return 0;
}

/* ---------------------------------------------------------------- the run -- */

static bool
ancillary(const struct bpf_packet *p, int32_t what, uint32_t *a)
{
	switch (what) {
	case SKF_AD_PROTOCOL: *a = p->protocol; return true;
	case SKF_AD_PKTTYPE: *a = p->type; return true;
	case SKF_AD_IFINDEX: *a = p->if_index; return p->if_index != 0;
	case SKF_AD_HATYPE: *a = p->hatype; return p->if_index != 0;
	case SKF_AD_CPU: *a = p->cpu; return true;
	case SKF_AD_RANDOM: *a = p->random(); return true;
	case SKF_AD_PAY_OFFSET: *a = p->net - p->begin; return true;
	default: *a = 0; return true; /* no marks, hashes, VLANs */
	}
}

static bool
load(const struct bpf_packet *p, unsigned size, uint32_t k, uint32_t *a)
{
	unsigned n = size == BPF_W ? 4 : size == BPF_H ? 2 : 1, i;
	uint64_t at = (uint64_t)p->begin + k;
	uint8_t b[4];

	if ((int32_t)k < 0) {
		if ((int32_t)k >= SKF_AD_OFF)
			return ancillary(p, (int32_t)k - SKF_AD_OFF, a);
		if ((int32_t)k >= SKF_NET_OFF)
			at = (uint64_t)p->net + (k - (uint32_t)SKF_NET_OFF);
		else if ((int32_t)k >= SKF_LL_OFF)
			at = k - (uint32_t)SKF_LL_OFF;
		else
			return false;
	}
	if (at + n > (uint64_t)p->begin + p->len ||
	    !p->read(p->arg, (uint32_t)at, b, n))
		return false;
	for (*a = 0, i = 0; i < n; i++)
		*a = *a << 8 | b[i];
	return true;
}

/* LD and LDX; false: it is not there. */
static bool
do_load(struct bpf_state *s, const struct bpf_packet *p,
    const struct sock_filter *f)
{
	uint32_t v;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM: v = f->k; break;
	case BPF_LEN: v = p->len; break;
	case BPF_MEM: v = s->mem[f->k]; break;
	case BPF_ABS:
		if (!load(p, BPF_SIZE(f->code), f->k, &v))
			return false;
		break;
	case BPF_IND:
		if (!load(p, BPF_SIZE(f->code), s->x + f->k, &v))
			return false;
		break;
	default: /* BPF_MSH: the length of IPv4's header */
		if (!load(p, BPF_B, f->k, &v))
			return false;
		v = (v & 0xf) * 4;
	}
	*(BPF_CLASS(f->code) == BPF_LD ? &s->a : &s->x) = v;
	return true;
}

/* false: division by zero */
static bool
do_alu(struct bpf_state *s, const struct sock_filter *f)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? s->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD: s->a += v; return true;
	case BPF_SUB: s->a -= v; return true;
	case BPF_MUL: s->a *= v; return true;
	case BPF_AND: s->a &= v; return true;
	case BPF_OR: s->a |= v; return true;
	case BPF_XOR: s->a ^= v; return true;
	case BPF_LSH: s->a <<= v & 31; return true;
	case BPF_RSH: s->a >>= v & 31; return true;
	case BPF_NEG: s->a = -s->a; return true;
	}
	if (v == 0)
		return false;
	s->a = BPF_OP(f->code) == BPF_DIV ? s->a / v : s->a % v;
	return true;
}

/* How many instructions are skipped. */
static uint32_t
do_jump(const struct bpf_state *s, const struct sock_filter *f)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? s->x : f->k;
	bool yes;

	switch (BPF_OP(f->code)) {
	case BPF_JA: return f->k;
	case BPF_JEQ: yes = s->a == v; break;
	case BPF_JGT: yes = s->a > v; break;
	case BPF_JGE: yes = s->a >= v; break;
	default: yes = (s->a & v) != 0;
	}
	return yes ? f->jt : f->jf;
}

uint32_t
bpf_run(const struct sock_filter *f, const struct bpf_packet *p)
{
	struct bpf_state s = { 0 };

	for (;; f++) {
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!do_load(&s, p, f))
				return 0;
			break;
		case BPF_ST: s.mem[f->k] = s.a; break;
		case BPF_STX: s.mem[f->k] = s.x; break;
		case BPF_ALU:
			if (!do_alu(&s, f))
				return 0;
			break;
		case BPF_JMP: f += do_jump(&s, f); break;
		case BPF_RET: return BPF_RVAL(f->code) == BPF_K ? f->k : s.a;
		default:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				s.x = s.a;
			else
				s.a = s.x;
		}
	}
}
