/* SPDX-License-Identifier: ISC */
/*
 * count.c - a plugin for QEMU: at each mark that a program sets, prints how
 * many instructions the guest executed since the mark before (at first: since
 * power-on), "executed=N", waiting not included, and "exits=N": accesses to
 * ports and device registers, and instructions that a hypervisor always
 * intercepts (hlt, cpuid), and "kernel=N": instructions in the upper half of
 * the address space, where a repeated string instruction counts one for eight
 * bytes, not one for each turn.  A mark is a no-operation that no compiler
 * emits, MARK below.  Debian has no header for plugins; what is used of QEMU's
 * interface (version 1) is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct plugin_tb;
struct plugin_insn;
struct plugin_hwaddr;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
    void (*fn)(plugin_id, struct plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct plugin_tb *tb);
/* op 0: adds imm to *ptr whenever the block runs. */
void qemu_plugin_register_vcpu_tb_exec_inline(struct plugin_tb *tb, int op,
    void *ptr, uint64_t imm);
struct plugin_insn *
qemu_plugin_tb_get_insn(const struct plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct plugin_insn *insn,
    void (*fn)(unsigned cpu, void *arg), int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline(struct plugin_insn *insn,
    int op, void *ptr, uint64_t imm);
/* rw: 1 reads, 2 writes */
void qemu_plugin_register_vcpu_mem_cb(struct plugin_insn *insn,
    void (*fn)(unsigned cpu, uint32_t info, uint64_t vaddr, void *arg),
    int flags, int rw, void *arg);
struct plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct plugin_hwaddr *hw);

/* nopl 0x52656d6f(%rax,%rax) */
#define MARK_SIZE 8
static const unsigned char mark[MARK_SIZE] = { 0x0f, 0x1f, 0x84, 0x00, 0x6f,
	0x6d, 0x65, 0x52 };
static bool memory; /* accesses are looked at: "exits=on"; slow */

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;
EXPORT int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

static uint64_t executed, exits, executed_before, exits_before;
static uint64_t kernel, string_bytes, kernel_before; /* of the kernel's */

static void
marked(unsigned cpu, void *arg)
{
	uint64_t of_kernel = kernel + string_bytes / 8;

	(void)cpu;
	(void)arg;
	fprintf(stderr,
	    "executed=%" PRIu64 " exits=%" PRIu64 " kernel=%" PRIu64 "\n",
	    executed - executed_before, exits - exits_before,
	    of_kernel - kernel_before);
	executed_before = executed;
	exits_before = exits;
	kernel_before = of_kernel;
}

static void
accessed(unsigned cpu, uint32_t info, uint64_t vaddr, void *arg)
{
	struct plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, vaddr);

	(void)cpu;
	(void)arg;
	if (hw != NULL && qemu_plugin_hwaddr_is_io(hw))
		exits++;
}

/* in, out, ins, outs, hlt, cpuid; prefixes that matter here are 66 and f3. */
static bool
always_exits(const unsigned char *code, size_t n)
{
	while (n > 1 && (*code == 0x66 || *code == 0xf3)) {
		code++;
		n--;
	}
	switch (*code) {
	case 0x6c:
	case 0x6d:
	case 0x6e:
	case 0x6f:
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7:
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
	case 0xf4: return true;
	case 0x0f: return n > 1 && code[1] == 0xa2;
	default: return false;
	}
}

/* Bytes that one turn of a repeated movs or stos moves; 0: it is none. */
static unsigned
string_width(const unsigned char *code, size_t n)
{
	bool rep = false, wide = false, narrow = false;

	for (; n > 1; code++, n--) {
		if (*code == 0xf3 || *code == 0xf2)
			rep = true;
		else if (*code == 0x66)
			narrow = true;
		else if ((*code & 0xf0) == 0x40)
			wide = (*code & 8) != 0;
		else
			break;
	}
	if (!rep || n == 0)
		return 0;
	switch (*code) {
	case 0xa4:
	case 0xaa: return 1;
	case 0xa5:
	case 0xab: return wide ? 8 : narrow ? 2 : 4;
	default: return 0;
	}
}

/* A string instruction ends its block, and begins the one of its turns. */
static void
count_of_kernel(struct plugin_tb *tb, size_t n)
{
	struct plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
	unsigned width = string_width(qemu_plugin_insn_data(last),
	    qemu_plugin_insn_size(last));

	if (width != 0)
		qemu_plugin_register_vcpu_insn_exec_inline(last, 0,
		    &string_bytes, width);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &kernel,
	    n - (width != 0));
}

static void
translated(plugin_id id, struct plugin_tb *tb)
{
	size_t i, size, n = qemu_plugin_tb_n_insns(tb);
	struct plugin_insn *insn;
	const void *code;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &executed, n);
	if (qemu_plugin_tb_vaddr(tb) >> 63 != 0)
		count_of_kernel(tb, n);
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		code = qemu_plugin_insn_data(insn);
		size = qemu_plugin_insn_size(insn);
		if (size >= MARK_SIZE && memcmp(code, mark, MARK_SIZE) == 0)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0,
			    NULL);
		else if (always_exits(code, size))
			qemu_plugin_register_vcpu_insn_exec_inline(insn, 0,
			    &exits, 1);
		else if (memory)
			qemu_plugin_register_vcpu_mem_cb(insn, accessed, 0, 3,
			    NULL);
	}
}

int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	memory = argc > 0 && strcmp(argv[0], "exits=on") == 0;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
