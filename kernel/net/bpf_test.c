/* SPDX-License-Identifier: ISC */
/* bpf_test.c - filters: what is one, and what they say of a packet. */
/* unit: kernel/net/bpf.c */
#include "net/bpf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S(code, k)                \
	{                         \
		(code), 0, 0, (k) \
	}
#define J(code, k, jt, jf)                        \
	{                                         \
		BPF_JMP | (code), (jt), (jf), (k) \
	}
#define RET(k)          S(BPF_RET | BPF_K, k)
#define LD_ABS(size, k) S(BPF_LD | (size) | BPF_ABS, k)
#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))

/* Ethernet, IPv4 with a header of 24 bytes, UDP to port 53. */
static const uint8_t frame[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0,
	0x46, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0, 2, 3, 0,
	0, 0, 0, 0xc0, 0, 0, 53, 0, 12, 0, 0, 'f', 'i', 's', 'h' };

static bool
read_frame(const void *arg, uint32_t off, void *to, unsigned n)
{
	(void)arg;
	if (off > sizeof(frame) || n > sizeof(frame) - off)
		return false;
	memcpy(to, frame + off, n);
	return true;
}

static uint32_t
four(void)
{
	return 4;
}

static uint32_t
run_from(const struct sock_filter *f, unsigned n, uint32_t begin)
{
	struct bpf_packet p = { .read = read_frame,
		.begin = begin,
		.net = 14,
		.len = sizeof(frame) - begin,
		.protocol = 0x800,
		.type = 4,
		.if_index = 2,
		.hatype = 1,
		.cpu = 3,
		.random = four };

	assert_int_equal(bpf_check(f, n), 0);
	return bpf_run(f, &p);
}

/* tcpdump -dd udp dst port 53, shortened. */
static void
a_port(void **state)
{
	struct sock_filter f[] = { LD_ABS(BPF_H, 12),
		J(BPF_JEQ | BPF_K, 0x800, 0, 8), LD_ABS(BPF_B, 23),
		J(BPF_JEQ | BPF_K, 17, 0, 6), LD_ABS(BPF_H, 20),
		J(BPF_JSET | BPF_K, 0x1fff, 4, 0),
		S(BPF_LDX | BPF_B | BPF_MSH, 14),
		S(BPF_LD | BPF_H | BPF_IND, 16), J(BPF_JEQ | BPF_K, 53, 0, 1),
		RET(262144), RET(0) };

	(void)state;
	assert_int_equal(run_from(f, COUNT(f), 0), 262144);
	f[8].k = 54;
	assert_int_equal(run_from(f, COUNT(f), 0), 0);
}

static uint32_t
value(struct sock_filter f, uint32_t begin)
{
	struct sock_filter prog[] = { f, S(BPF_RET | BPF_A, 0) };

	return run_from(prog, 2, begin);
}

static void
places(void **state)
{
	const uint32_t ll = (uint32_t)SKF_LL_OFF, net = (uint32_t)SKF_NET_OFF;
	const uint32_t ad = (uint32_t)SKF_AD_OFF;

	(void)state;
	assert_int_equal(value((struct sock_filter)LD_ABS(BPF_W, 0), 0),
	    0x01020304);
	assert_int_equal(value((struct sock_filter)LD_ABS(BPF_B, 0), 14), 0x46);
	assert_int_equal(value((struct sock_filter)LD_ABS(BPF_B, ll), 14), 1);
	assert_int_equal(value((struct sock_filter)LD_ABS(BPF_B, net), 0),
	    0x46);
	assert_int_equal(value((struct sock_filter)LD_ABS(BPF_B, net + 9), 14),
	    17);
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_W, ad + SKF_AD_PROTOCOL), 0),
	    0x800);
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_W, ad + SKF_AD_PKTTYPE), 0),
	    4);
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_W, ad + SKF_AD_IFINDEX), 0),
	    2);
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_W, ad + SKF_AD_PAY_OFFSET), 0),
	    14);
	assert_int_equal(
	    value((struct sock_filter)S(BPF_LD | BPF_W | BPF_LEN, 0), 14),
	    sizeof(frame) - 14);
	/* The last byte, and what is beyond it. */
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_B, sizeof(frame) - 1), 0),
	    'h');
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_H, sizeof(frame) - 1), 0), 0);
	assert_int_equal(
	    value((struct sock_filter)LD_ABS(BPF_B, sizeof(frame) - 14), 14),
	    0);
}

static uint32_t
compute(unsigned op, uint32_t a, uint32_t x)
{
	struct sock_filter f[] = { S(BPF_LDX | BPF_W | BPF_IMM, x),
		S(BPF_LD | BPF_W | BPF_IMM, a),
		S((uint16_t)(BPF_ALU | op | BPF_X), 0), S(BPF_RET | BPF_A, 0) };

	return run_from(f, COUNT(f), 0);
}

static void
sums(void **state)
{
	(void)state;
	assert_int_equal(compute(BPF_ADD, 3, 4), 7);
	assert_int_equal(compute(BPF_SUB, 3, 4), UINT32_MAX);
	assert_int_equal(compute(BPF_MUL, 3, 4), 12);
	assert_int_equal(compute(BPF_DIV, 13, 4), 3);
	assert_int_equal(compute(BPF_MOD, 13, 4), 1);
	assert_int_equal(compute(BPF_DIV, 13, 0), 0);
	assert_int_equal(compute(BPF_MOD, 13, 0), 0);
	assert_int_equal(compute(BPF_AND, 6, 12), 4);
	assert_int_equal(compute(BPF_OR, 6, 12), 14);
	assert_int_equal(compute(BPF_XOR, 6, 12), 10);
	assert_int_equal(compute(BPF_LSH, 1, 31), 0x80000000);
	assert_int_equal(compute(BPF_RSH, 0x80000000, 31), 1);
}

static void
memory(void **state)
{
	struct sock_filter f[] = { S(BPF_LD | BPF_W | BPF_IMM, 7),
		S(BPF_ST, 15), S(BPF_ALU | BPF_NEG, 0),
		S(BPF_MISC | BPF_TAX, 0), S(BPF_STX, 3),
		S(BPF_LDX | BPF_W | BPF_MEM, 15), S(BPF_MISC | BPF_TXA, 0),
		S(BPF_LDX | BPF_W | BPF_MEM, 3),
		S(BPF_ALU | BPF_MUL | BPF_X, 0), S(BPF_RET | BPF_A, 0) };

	(void)state;
	assert_int_equal(run_from(f, COUNT(f), 0), (uint32_t)-49);
}

static void
refused(void **state)
{
	static const struct sock_filter wrong[] = {
		J(BPF_JA, 1, 0, 0),          /* over the end */
		J(BPF_JEQ | BPF_K, 0, 1, 0), /* the same */
		J(BPF_JEQ | BPF_K, 0, 0, 1),
		J(BPF_JA, UINT32_MAX, 0, 0), /* backward */
		S(BPF_ALU | BPF_DIV | BPF_K, 0),
		S(BPF_ALU | BPF_LSH | BPF_K, 32),
		S(BPF_ST, BPF_MEMWORDS),
		S(BPF_LDX | BPF_W | BPF_MEM, BPF_MEMWORDS),
		S(BPF_LD | BPF_W | BPF_MEM, UINT32_MAX),
		S(BPF_LD | 0x18 | BPF_ABS, 0),
		S(BPF_LDX | BPF_W | BPF_ABS, 0),
		LD_ABS(BPF_W, (uint32_t)(SKF_AD_OFF + 200)),
		S(0x100 | BPF_LD | BPF_IMM, 0),
		S(0xf7, 0),
		S(BPF_ALU | 0xd0, 0),
	};
	struct sock_filter f[2] = { RET(0), RET(1) };
	unsigned i;

	(void)state;
	assert_int_equal(bpf_check(f, 2), 0);
	assert_int_equal(bpf_check(f, 0), -EINVAL);
	for (i = 0; i < COUNT(wrong); i++) {
		f[0] = wrong[i];
		assert_int_equal(bpf_check(f, 2), -EINVAL);
	}
	f[0] = (struct sock_filter)RET(0);
	f[1] = (struct sock_filter)S(BPF_MISC | BPF_TAX, 0);
	assert_int_equal(bpf_check(f, 2), -EINVAL); /* no end */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port),
		cmocka_unit_test(places),
		cmocka_unit_test(sums),
		cmocka_unit_test(memory),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
