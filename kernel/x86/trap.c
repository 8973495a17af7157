/* SPDX-License-Identifier: ISC */
/*
 * trap.c - exceptions and interrupts.  Intel SDM vol. 3, ch. 6.
 *
 * Page faults on a program's memory go to its address space; other faults of
 * a program go to the personality; a fault of the kernel itself is a panic,
 * but for the few instructions of uaccess_copy.S.
 */
#include "x86/trapframe.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/user.h"
#include "kern/vm.h"
#include "x86/debugreg.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include "x86/smp.h"
#include <asm/siginfo.h>
#include <asm/signal.h>

#define T_DEBUG      1
#define T_NMI        2
#define T_DOUBLE     8
#define T_PAGE_FAULT 14
#define T_X87        16
#define T_MCHECK     18
#define T_SIMD       19
#define NEXCEPTIONS  32

#define PF_WRITE 0x02
#define PF_RSVD  0x08
#define PF_FETCH 0x10

struct gate { /* SDM 6.14.1 */
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t mid;
	uint32_t high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 6.14.1");
#define GATE_INTERRUPT 0x8e
#define GATE_USER      0xee /* INT3, INTO: programs may raise them */

/* What trap_entry.S knows of these. */
_Static_assert(offsetof(struct percpu, current) == 0x08, "PC_CURRENT");
_Static_assert(offsetof(struct percpu, kstack_top) == 0x10, "PC_KSTACK");
_Static_assert(offsetof(struct percpu, user_rsp) == 0x18, "PC_USER_RSP");
_Static_assert(offsetof(struct percpu, need_resched) == 0x24, "PC_RESCHED");
_Static_assert(offsetof(struct thread, interrupted) == 0x08, "TH_INTERRUPTED");
_Static_assert(sizeof(struct trapframe) == 24 * 8, "TF_CS");

static struct gate idt[256];
static struct {
	void (*fn)(void *arg);
	void *arg;
} handlers[256 - NEXCEPTIONS];
static const struct user_ops *user_ops;

/* Read by syscall_entry. */
void (*user_syscall)(struct trapframe *tf);

/* Exceptions of programs, as Linux names them. */
static const struct {
	const char *name;
	uint8_t signo, code;
} exceptions[NEXCEPTIONS] = {
	[0] = { "divide error", SIGFPE, FPE_INTDIV },
	[1] = { "debug", SIGTRAP, TRAP_TRACE },
	[2] = { "NMI", 0, 0 },
	[3] = { "breakpoint", SIGTRAP, SI_KERNEL },
	[4] = { "overflow", SIGSEGV, SI_KERNEL },
	[5] = { "bound range", SIGSEGV, SI_KERNEL },
	[6] = { "invalid opcode", SIGILL, ILL_ILLOPN },
	[7] = { "device not available", SIGFPE, FPE_FLTINV },
	[8] = { "double fault", 0, 0 },
	[9] = { "coprocessor overrun", SIGFPE, SI_KERNEL },
	[10] = { "invalid TSS", SIGSEGV, SI_KERNEL },
	[11] = { "segment not present", SIGBUS, SI_KERNEL },
	[12] = { "stack segment", SIGBUS, SI_KERNEL },
	[13] = { "general protection", SIGSEGV, SI_KERNEL },
	[14] = { "page fault", SIGSEGV, SEGV_MAPERR },
	[16] = { "x87 exception", SIGFPE, FPE_FLTINV },
	[17] = { "alignment check", SIGBUS, BUS_ADRALN },
	[18] = { "machine check", 0, 0 },
	[19] = { "SIMD exception", SIGFPE, FPE_FLTINV },
};

void
user_set_ops(const struct user_ops *ops)
{
	user_ops = ops;
	user_syscall = ops->syscall;
}

void
user_set_syscall(void (*syscall)(struct trapframe *tf))
{
	__atomic_store_n(&user_syscall, syscall, __ATOMIC_RELEASE);
}

struct trapframe *
tf_of(struct thread *t)
{
	return (struct trapframe *)((char *)t->kstack + KSTACK_SIZE) - 1;
}

struct trapframe *
tf_of_thread(void)
{
	return tf_of(thread_self());
}

void
user_enter(const struct trapframe *tf)
{
	struct trapframe *top = tf_of_thread();

	*top = *tf;
	user_enter_frame(top);
}

static void __noreturn
kernel_fault(struct trapframe *tf)
{
	const char *name = tf->trapno < NEXCEPTIONS &&
		exceptions[tf->trapno].name != NULL ?
	    exceptions[tf->trapno].name :
	    "exception";

	panic_trap(tf, "%s in the kernel, error %#lx, address %#lx", name,
	    tf->error, read_cr2());
}

static void
fault_of_kernel(struct trapframe *tf)
{
	uint64_t go = uaccess_fixup(tf->rip);

	if (go == 0)
		kernel_fault(tf);
	tf->rip = go;
}

static void
page_fault(struct trapframe *tf)
{
	uaddr_t addr = read_cr2();
	struct vmspace *vm = thread_self()->vmspace;
	unsigned access = VM_READ;
	int signo = SIGSEGV, code = SEGV_MAPERR;

	if ((tf->error & PF_WRITE) != 0)
		access = VM_WRITE;
	else if ((tf->error & PF_FETCH) != 0)
		access = VM_EXEC;
	if (!tf_from_user(tf) &&
	    (addr >= USER_END || vm == NULL || uaccess_fixup(tf->rip) == 0 ||
		cpu_self()->preempt_count != 0)) {
		fault_of_kernel(tf);
		return;
	}
	if ((tf->rflags & RFLAGS_IF) != 0)
		irq_enable();
	if (addr < USER_END && (tf->error & PF_RSVD) == 0)
		do {
			if (vm_fault(vm, addr, access, &signo, &code) == 0)
				return;
		} while (signo == SIGKILL &&
		    user_ops->out_of_memory(tf_from_user(tf)));
	if (tf_from_user(tf))
		user_ops->fault(tf, signo, code, addr);
	else
		fault_of_kernel(tf);
}

static int
x87_code(uint32_t status)
{
	if ((status & 0x01) != 0)
		return FPE_FLTINV;
	if ((status & 0x04) != 0)
		return FPE_FLTDIV;
	if ((status & 0x08) != 0)
		return FPE_FLTOVF;
	if ((status & 0x12) != 0)
		return FPE_FLTUND;
	return (status & 0x20) != 0 ? FPE_FLTRES : SI_KERNEL;
}

/* An instruction that was stopped before it ran is not stopped twice: RF. */
static int
debug_code(struct trapframe *tf)
{
	bool before;
	uint64_t dr6 = debugreg_take(&before);

	if (before)
		tf->rflags |= RFLAGS_RF;
	if ((dr6 & DR6_BS) != 0)
		return TRAP_TRACE;
	return (dr6 & DR6_SLOTS) != 0 ? TRAP_HWBKPT : TRAP_BRKPT;
}

static void
exception(struct trapframe *tf)
{
	unsigned n = tf->trapno;
	int code = exceptions[n].code;
	uaddr_t addr = 0;
	uint16_t fsw;
	uint32_t mxcsr;

	if (!tf_from_user(tf)) {
		fault_of_kernel(tf);
		return;
	}
	if (exceptions[n].signo == 0)
		kernel_fault(tf);
	if (n == 0 || n == 6 || n == T_X87 || n == T_SIMD || n == T_DEBUG)
		addr = tf->rip;
	if (n == T_DEBUG) {
		code = debug_code(tf);
	} else if (n == T_X87) {
		__asm__ volatile("fnstsw %0" : "=m"(fsw));
		code = x87_code(fsw);
	} else if (n == T_SIMD) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		code = x87_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
	}
	irq_enable();
	user_ops->fault(tf, exceptions[n].signo, code, addr);
}

/* From another processor that panics, or from the host: somebody wants us. */
static void
non_maskable(const struct trapframe *tf)
{
	smp_stop_if_asked(tf);
	panic_trap(tf, "non-maskable interrupt");
}

static void
interrupt(unsigned vector, bool in_program)
{
	struct percpu *pc = cpu_self();
	void (*fn)(void *);

	/* Counted first: vector_free() waits for who found the handler. */
	__atomic_add_fetch(&pc->irq_depth, 1, __ATOMIC_SEQ_CST);
	fn = __atomic_load_n(&handlers[vector - NEXCEPTIONS].fn,
	    __ATOMIC_ACQUIRE);
	if (fn == NULL) {
		if (vector != VECTOR_SPURIOUS)
			apic_eoi();
		pc->irq_depth--;
		return;
	}
	preempt_disable();
	pc->irq_in_program = in_program;
	fn(handlers[vector - NEXCEPTIONS].arg);
	__atomic_sub_fetch(&pc->preempt_count, 1, __ATOMIC_RELAXED);
	pc->irq_depth--;
}

void
trap(struct trapframe *tf)
{
	unsigned vector = tf->trapno;

	if (vector >= NEXCEPTIONS)
		interrupt(vector, tf_from_user(tf));
	else if (vector == T_PAGE_FAULT)
		page_fault(tf);
	else if (vector == T_NMI)
		non_maskable(tf);
	else
		exception(tf);
	if (!tf_from_user(tf) && (tf->rflags & RFLAGS_IF) != 0 &&
	    cpu_self()->preempt_count == 0 && cpu_self()->need_resched) {
		irq_disable();
		sched_preempt();
	}
}

void
trap_user_return(struct trapframe *tf)
{
	for (;;) {
		irq_disable();
		if (cpu_self()->need_resched) {
			sched_preempt_user();
		} else if (thread_self()->interrupted) {
			irq_enable();
			user_ops->work(tf);
		} else {
			return;
		}
	}
}

static void
gate_set(unsigned vector, uint8_t ist, uint8_t type)
{
	uint64_t va = (uint64_t)trap_stubs[vector];

	idt[vector] = (struct gate){ .low = va,
		.selector = SEL_KCODE,
		.ist = ist,
		.type = type,
		.mid = va >> 16,
		.high = va >> 32 };
}

void
trap_set_handler(uint8_t vector, void (*fn)(void *), void *arg)
{
	KASSERT(vector >= NEXCEPTIONS);
	if (fn != NULL)
		handlers[vector - NEXCEPTIONS].arg = arg;
	__atomic_store_n(&handlers[vector - NEXCEPTIONS].fn, fn,
	    __ATOMIC_RELEASE);
	if (fn != NULL)
		gate_set(vector, 0, GATE_INTERRUPT);
}

void
trap_init_other(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void
trap_init(void)
{
	unsigned i;

	for (i = 0; i < NEXCEPTIONS; i++)
		gate_set(i, 0, GATE_INTERRUPT);
	gate_set(3, 0, GATE_USER);
	gate_set(4, 0, GATE_USER);
	gate_set(T_DEBUG, 4, GATE_INTERRUPT);
	gate_set(T_DOUBLE, 1, GATE_INTERRUPT);
	gate_set(T_NMI, 2, GATE_INTERRUPT);
	gate_set(T_MCHECK, 3, GATE_INTERRUPT);
	gate_set(VECTOR_SPURIOUS, 0, GATE_INTERRUPT);
	trap_init_other();
}
