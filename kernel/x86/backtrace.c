/* SPDX-License-Identifier: ISC */
/* backtrace.c - registers and the chain of callers, for a panic's reader. */
#include "kern/kmem.h"
#include "kern/ksyms.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "x86/machdep.h"

#define MAX_FRAMES 24

/*
 * A return address may lie behind the function that called, when the call is
 * its last instruction: one byte back it does not.
 */
static void
print_frame(uint64_t rip, unsigned back)
{
	uint64_t offset;
	char name[64];

	if (ksyms_find(rip - back, name, sizeof(name), &offset))
		log_line(LOG_EMERG, "  %#lx %s+%#lx", rip, name, offset + back);
	else
		log_line(LOG_EMERG, "  %#lx", rip);
}

/* A frame lies on this thread's stack, on the boot stack, or in cpu.c's. */
static bool
plausible(uint64_t rbp)
{
	struct thread *t = thread_self();
	uint64_t low;

	if ((rbp & 7) != 0)
		return false;
	if (rbp >= (uint64_t)kernel_rodata_end && rbp < (uint64_t)kernel_end)
		return true;
	low = t != NULL ? (uint64_t)t->kstack : 0;
	return low != 0 && rbp >= low && rbp < low + KSTACK_SIZE - 16;
}

void
backtrace_print(uint64_t rip, uint64_t rbp)
{
	const uint64_t *frame;
	unsigned i;

	log_line(LOG_EMERG, "called from:");
	if (rip != 0)
		print_frame(rip, 0);
	for (i = 0; i < MAX_FRAMES && plausible(rbp); i++) {
		frame = (const uint64_t *)rbp;
		if (frame[1] == 0)
			break;
		print_frame(frame[1], 1);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

void
registers_print(const struct trapframe *tf)
{
	log_line(LOG_EMERG, "rip %#lx cs %#lx rflags %#lx rsp %#lx ss %#lx",
	    tf->rip, tf->cs, tf->rflags, tf->rsp, tf->ss);
	log_line(LOG_EMERG, "rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx",
	    tf->rax, tf->rbx, tf->rcx, tf->rdx, tf->rsi);
	log_line(LOG_EMERG, "rdi %#lx rbp %#lx r8 %#lx r9 %#lx r10 %#lx",
	    tf->rdi, tf->rbp, tf->r8, tf->r9, tf->r10);
	log_line(LOG_EMERG, "r11 %#lx r12 %#lx r13 %#lx r14 %#lx r15 %#lx",
	    tf->r11, tf->r12, tf->r13, tf->r14, tf->r15);
	log_line(LOG_EMERG, "cr2 %#lx cr3 %#lx cr4 %#lx", read_cr2(),
	    read_cr3(), read_cr4());
}
