/* SPDX-License-Identifier: ISC */
/*
 * cpu.h - the processor: what each one owns, interrupts off and on, control
 * registers, CPUID and MSRs.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "kern/types.h"

#define MAX_CPUS 64

struct thread;
struct trapframe;

/* Found through GS in the kernel.  Offsets are known to entry.S. */
struct percpu {
	struct percpu *self;      /* 0x00 */
	struct thread *current;   /* 0x08 */
	uint64_t kstack_top;      /* 0x10: of the current thread */
	uint64_t user_rsp;        /* 0x18: scratch of the system call entry */
	uint32_t preempt_count;   /* 0x20 */
	uint32_t need_resched;    /* 0x24 */
	uint32_t id;              /* 0x28: 0 .. ncpu - 1 */
	uint32_t apic_id;         /* 0x2c */
	struct thread *fpu_owner; /* whose state the FPU holds */
	bool fpu_unsaved;         /* and its save area does not */
	bool irq_in_program;      /* where the last interrupt struck */
	bool timer_deadline;      /* the timer compares with the TSC */
	uint32_t timer_ticks;     /* what the timer counts down from */
	uint32_t irq_depth;
	struct vmspace *vmspace; /* whose page tables are loaded */
	int64_t timer_start_ns;  /* when it began to count */
	int64_t timer_doubt_ns;  /* and by how much that may be wrong */
	uint64_t pokes;          /* that came; only by itself; smp.c */
	uint64_t calls;          /* atomic: who waits for a call here; smp.c */
	struct cpu_call {        /* that this processor asked for */
		void (*fn)(void *arg);
		void *arg;
		uint64_t waiting; /* atomic: processors that did not run it */
	} call;
};

#define percpu_read(type, field)                                         \
	__extension__({                                                  \
		type v_;                                                 \
		__asm__ volatile("mov %%gs:%c1, %0"                      \
				 : "=r"(v_)                              \
				 : "i"(offsetof(struct percpu, field))); \
		v_;                                                      \
	})

static inline struct percpu *
cpu_self(void)
{
	return percpu_read(struct percpu *, self);
}

static inline struct thread *
cpu_curthread(void)
{
	return percpu_read(struct thread *, current);
}

static inline unsigned
cpu_id(void) /* stable only with preemption off */
{
	return percpu_read(uint32_t, id);
}

static inline void
preempt_disable(void)
{
	__asm__ volatile("incl %%gs:%c0" ::"i"(
	    offsetof(struct percpu, preempt_count))
			 : "memory", "cc");
}

/* For preempt_enable(): somebody else should run. */
void preempt_now(void);

static inline void
preempt_enable(void)
{
	bool zero;

	__asm__ volatile("decl %%gs:%c1"
			 : "=@ccz"(zero)
			 : "i"(offsetof(struct percpu, preempt_count))
			 : "memory");
	if (zero && percpu_read(uint32_t, need_resched) != 0)
		preempt_now();
}

#define RFLAGS_TF 0x100ul
#define RFLAGS_RF 0x10000ul
#define RFLAGS_IF 0x200ul
#define RFLAGS_DF 0x400ul
#define RFLAGS_AC 0x40000ul

#ifdef REMORA_HOST /* unit tests: a program has no interrupts to close */
static inline uint64_t
irq_save(void)
{
	return 0;
}

static inline void
irq_enable(void)
{
}

static inline void
irq_disable(void)
{
}
#else
/* Closes interrupts; the value is for irq_restore(). */
static inline uint64_t
irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void
irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void
irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

#endif

static inline void
irq_restore(uint64_t flags)
{
	if ((flags & RFLAGS_IF) != 0)
		irq_enable();
}

static inline bool
irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return (flags & RFLAGS_IF) != 0;
}

static inline void
cpu_pause(void)
{
	__asm__ volatile("pause");
}

static inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32))
			 : "memory");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid
cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(sub));
	return r;
}

#define READ_CR(n)                                                       \
	static inline uint64_t read_cr##n(void)                          \
	{                                                                \
		uint64_t v;                                              \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));        \
		return v;                                                \
	}                                                                \
	static inline void write_cr##n(uint64_t v)                       \
	{                                                                \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory"); \
	}
READ_CR(0)
READ_CR(2)
READ_CR(3)
READ_CR(4)
#undef READ_CR

static inline void
invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* What the processor has, found once at boot. */
struct cpu_features {
	bool nx, smep, smap, umip, fsgsbase, pcid, pge, xsave, xsaveopt;
	bool rdrand, rdseed, x2apic, tsc_deadline, invariant_tsc, rdtscp;
	bool rdpid, gbpages, erms, hypervisor;
	bool emulated; /* by QEMU: TCG */
	char vendor[13];
	char brand[49];
	char hv_vendor[13]; /* "" on bare hardware */
	uint32_t signature; /* CPUID.1:EAX */
	uint32_t hwcap;     /* CPUID.1:EDX, for AT_HWCAP */
	uint64_t xcr0;      /* state components in use */
	uint32_t fpu_size;  /* bytes of an FPU save area */
	uint8_t phys_bits, virt_bits;
};
const struct cpu_features *cpu_features(void);
/* Whose machine it is: "KVM", "QEMU TCG", "hardware" ... */
const char *cpu_hypervisor(void);
/*
 * What was stored before is seen by devices before anything is loaded that
 * stands behind: for memory in which each side tells the other whether it must
 * be woken.  Any context.
 */
void cpu_device_fence(void);

/*
 * Processors: those that the machine has, which the host's tables told before
 * the first program runs, numbered 0 .. cpu_count() - 1, and those of them
 * that run.  0 is the one that booted.
 */
unsigned cpu_count(void);
uint32_t cpu_apic_id(unsigned i);
/* NULL: it has not been started. */
struct percpu *cpu_nth(unsigned i);
extern uint64_t cpus_online; /* a bit each; bits are only added */

static inline uint64_t
cpu_bit(unsigned i)
{
	return 1ull << i;
}

static inline bool
cpu_is_online(unsigned i)
{
	return (__atomic_load_n(&cpus_online, __ATOMIC_RELAXED) & cpu_bit(i)) !=
	    0;
}

/* Does more than one processor run? */
static inline bool
cpu_several(void)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_RELAXED) != 1;
}

/* Fills buf with random bytes of the processor's; how many it had. */
size_t cpu_random(void *buf, size_t len);

/*
 * The program's FS and GS bases: stores the caller's into its thread; loads
 * the ones in the struct.  Interrupts off, or preemption off and t the caller.
 */
void user_bases_save(struct thread *t);
void user_bases_load(const struct thread *t);
/* The caller's, changed by arch_prctl(2) or exec. */
void user_set_fsbase(uint64_t base);
void user_set_gsbase(uint64_t base);
/* The caller's, as they are now. */
uint64_t user_fsbase(void);
uint64_t user_gsbase(void);

/*
 * FPU.  The state of a program's thread lives in the processor until another
 * program's thread runs there, and with several processors is stored as well
 * whenever the thread leaves one; its save area is thread->fpu, one page, made
 * by fpu_prepare() before the thread first runs.  Layout: XSAVE's standard
 * form (FXSAVE's where there is no XSAVE), fpu_size bytes.
 *
 * fpu_save() brings t's save area up to date; t is the caller, or not running.
 * fpu_load() makes the caller's save area current, after a change to it.
 * fpu_drop() gives the caller a fresh state (exec).
 */
int fpu_prepare(struct thread *t); /* -ENOMEM */
/*
 * Before a second processor is started: from now on stored at each switch,
 * also while the second is on its way, which may be where it goes on.
 */
void fpu_store_always(void);
extern bool fpu_is_stored; /* at each switch; changes once */
void fpu_save(struct thread *t);
void fpu_load(struct thread *t);
void fpu_drop(struct thread *t);
/*
 * The caller's registers to and from its program's memory, without a copy in
 * the kernel's: what is stored is XSAVE's, so that the header's other fields
 * must be zero before.  Never sleeps; the long way round remains when it says
 *   -EFAULT  memory not there, contents that the processor refuses, or no XSAVE
 * and after a failed load, as the registers are undefined then.
 */
int fpu_store_user(uaddr_t at);
int fpu_load_user(uaddr_t at);
/*
 * A save area of its own, contents undefined (NULL: out of memory); and its
 * exchange with the caller's, whose registers become what it holds.
 */
void *fpu_area_alloc(void);
void fpu_area_free(void *area);
void fpu_swap(struct thread *t, void **area);
void fpu_free(struct thread *t);

#endif
