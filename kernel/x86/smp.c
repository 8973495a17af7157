/* SPDX-License-Identifier: ISC */
/*
 * smp.c - the other processors: started (Intel SDM vol. 3, 9.4), interrupted,
 * asked to run something, stopped.
 *
 *   told by tables --launch()--> INIT, STARTUP sent --smp_begin()--> online
 *
 * One at a time is on its way: the trampoline has room for one stack, and
 * whoever arrives first takes it, under the number it was meant for.  One that
 * arrives late finds no stack, or the next one's, which serves it as well.
 */
#include "x86/smp.h"
#include "kern/boot.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/page.h"
#include "kern/sched.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/waitq.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include "x86/pte.h"
#include <linux/errno.h>

#define MSR_EFER 0xc0000080
#define EFER_LMA 0x400
#define CR4_PGE  0x80ul

#define LOW_END 0x10000ul /* page.c leaves RAM below alone */

#define AGAIN_NS (10 * 1000 * 1000ll) /* until STARTUP is sent again */
#define TRIES    200

/* At the end of the page; trampoline.S. */
struct trampoline {
	uint64_t stack, entry, arg;
	uint64_t gdt[4];
	uint32_t cr3, cr4, efer, far_offset;
	uint16_t far_selector;
	uint16_t gdt_limit;
	uint32_t gdt_base;
};
_Static_assert(sizeof(struct trampoline) == 80, "trampoline_data");

static struct {
	uint32_t apic_ids[MAX_CPUS];
	bool launched[MAX_CPUS];
	unsigned count; /* processors that there are, once looked for */
	bool looked;    /* atomic */
	unsigned (*find)(uint32_t *ids, unsigned max); /* [I] */
	paddr_t page;                                  /* the trampoline's */
	volatile struct trampoline *params;
	uint64_t cr4;       /* the boot processor's */
	uint64_t stopped;   /* atomic: processors that will never run again */
	bool stopping;      /* they shall */
	bool tell;          /* and print who called whom */
	uint64_t begin_tsc; /* when the last one was launched */
} smp = { .count = 1 };
bool smp_waits;

static struct waitq online_wq = WAITQ_INIT(online_wq);
static struct mutex look_lock = MUTEX_INIT(look_lock);

static void look(void);

static bool
is_online(unsigned i)
{
	return (__atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) & cpu_bit(i)) !=
	    0;
}

/* ---- asking others ---- */

void
cpu_serve(void)
{
	struct percpu *pc = cpu_self();
	struct cpu_call *c;
	uint64_t state, from;

	if (__atomic_load_n(&pc->calls, __ATOMIC_RELAXED) == 0)
		return;
	state = irq_save();
	from = __atomic_exchange_n(&pc->calls, 0, __ATOMIC_ACQ_REL);
	for (; from != 0; from &= from - 1) {
		c = &cpu_nth(__builtin_ctzl(from))->call;
		c->fn(c->arg);
		__atomic_fetch_and(&c->waiting, ~cpu_bit(pc->id),
		    __ATOMIC_RELEASE);
	}
	irq_restore(state);
}

void
cpu_call(uint64_t cpus, void (*fn)(void *arg), void *arg)
{
	uint64_t state = irq_save(), todo;
	struct percpu *pc = cpu_self(), *to;

	todo = cpus & __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) &
	    ~cpu_bit(pc->id);
	if (todo == 0 || smp.stopping) {
		irq_restore(state);
		return;
	}
	pc->call.fn = fn;
	pc->call.arg = arg;
	__atomic_store_n(&pc->call.waiting, todo, __ATOMIC_RELEASE);
	for (; todo != 0; todo &= todo - 1) {
		to = cpu_nth(__builtin_ctzl(todo));
		/* Else the interrupt of another caller is on its way. */
		if (__atomic_fetch_or(&to->calls, cpu_bit(pc->id),
			__ATOMIC_SEQ_CST) == 0)
			apic_ipi(to->apic_id, ICR_FIXED | VECTOR_CALL);
	}
	while (__atomic_load_n(&pc->call.waiting, __ATOMIC_ACQUIRE) != 0 &&
	    !smp.stopping) {
		cpu_serve(); /* they may wait for us */
		cpu_pause();
	}
	irq_restore(state);
}

void
cpu_poke(unsigned cpu)
{
	apic_ipi(cpu_nth(cpu)->apic_id, ICR_FIXED | VECTOR_RESCHED);
}

uint64_t
smp_pokes(unsigned cpu)
{
	const struct percpu *pc = cpu_nth(cpu);

	return pc != NULL ? pc->pokes : 0;
}

static void
call_intr(void *arg)
{
	(void)arg;
	apic_eoi();
	cpu_serve();
}

/* The way out of the interrupt looks at what there is to do. */
static void
resched_intr(void *arg)
{
	(void)arg;
	apic_eoi();
	cpu_self()->pokes++;
	timer_reprogram();
}

/* ---- stopping others ---- */

static void __noreturn
stop_here(void)
{
	irq_disable();
	__atomic_fetch_or(&smp.stopped, cpu_bit(cpu_id()), __ATOMIC_SEQ_CST);
	for (;;)
		__asm__ volatile("hlt");
}

static void
stop_intr(void *arg)
{
	(void)arg;
	apic_eoi();
	stop_here();
}

/* Not for ever: one may hang for good. */
static void
await_stopped(uint64_t cpus)
{
	unsigned tries;

	for (tries = 0; tries < 10000000; tries++) {
		if ((__atomic_load_n(&smp.stopped, __ATOMIC_ACQUIRE) & cpus) ==
		    cpus)
			return;
		cpu_serve(); /* so that they get to where they can stop */
		cpu_pause();
	}
}

static uint64_t
others(void)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) &
	    ~cpu_bit(cpu_id());
}

void
smp_stop_others(void)
{
	static uint32_t who; /* its number + 1 */
	uint32_t none = 0, self = cpu_id() + 1;
	uint64_t todo = others();

	if (!cpu_several() || smp.stopping)
		return;
	if (!__atomic_compare_exchange_n(&who, &none, self, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (none == self)
			return;
		irq_enable(); /* the other's interrupt ends this */
		for (;;)
			__asm__ volatile("hlt");
	}
	for (; todo != 0; todo &= todo - 1)
		apic_ipi(cpu_nth(__builtin_ctzl(todo))->apic_id,
		    ICR_FIXED | VECTOR_STOP);
	await_stopped(others());
	smp.stopping = true; /* who did not stop is waited for no more */
}

void
smp_stop_others_now(bool tell)
{
	uint64_t todo = others() & ~smp.stopped;
	unsigned i;

	smp.tell = tell;
	smp.stopping = true;
	for (; todo != 0; todo &= todo - 1) {
		i = __builtin_ctzl(todo);
		apic_ipi(cpu_nth(i)->apic_id, ICR_NMI | 0x4000);
		if (tell) { /* one after the other */
			await_stopped(cpu_bit(i));
			log_bust();
		}
	}
	await_stopped(others());
}

void
smp_stop_if_asked(const struct trapframe *tf)
{
	if (!smp.stopping)
		return;
	if (smp.tell) {
		log_bust();
		log_line(LOG_EMERG, "processor %u, thread %s:", cpu_id(),
		    thread_self()->name);
		backtrace_print(tf->rip, tf->rbp);
	}
	stop_here();
}

/* ---- starting others ---- */

/*
 * The first C on another processor, on its idle thread's stack; the boot
 * processor's control registers but for PGE, no segments yet.
 */
static void __noreturn
smp_begin(struct percpu *pc)
{
	uint64_t now;

	write_cr3(pt_kernel_root());
	write_cr4(smp.cr4);
	cpu_init_other(pc);
	trap_init_other();
	apic_init_other();
	now = rdtsc();
	smp.apic_ids[pc->id] = pc->apic_id;
	if (now < smp.begin_tsc)
		log_warn("cpu%u: its clock is %lu ticks behind", pc->id,
		    smp.begin_tsc - now);
	sched_begin_other();
	__atomic_fetch_or(&cpus_online, cpu_bit(pc->id), __ATOMIC_SEQ_CST);
	/* Nobody told it of mappings that went before. */
	write_cr4(smp.cr4 & ~CR4_PGE);
	write_cr4(smp.cr4);
	waitq_wake_all(&online_wq);
	sched_idle();
}

/* Its page, and above it that of a root with memory at 0 too. */
static bool
find_low_pages(const struct boot_info *bi)
{
	const struct boot_range *r;
	paddr_t at;
	unsigned i;

	for (at = LOW_END - 2 * PAGE_SIZE; at >= PAGE_SIZE; at -= PAGE_SIZE)
		for (i = 0; i < bi->nranges; i++) {
			r = &bi->range[i];
			if (r->type == BOOT_MEM_RAM && r->base <= at &&
			    at + 2 * PAGE_SIZE <= r->base + r->size) {
				smp.page = at;
				return true;
			}
		}
	return false;
}

static void
make_trampoline(void)
{
	char *page = paddr_kva(smp.page);
	uint64_t *root = paddr_kva(smp.page + PAGE_SIZE);
	const uint64_t *kernel = paddr_kva(pt_kernel_root());
	volatile struct trampoline *p;

	memcpy(page, trampoline, trampoline_end - trampoline);
	memcpy(root, kernel, PAGE_SIZE);
	root[0] = ((uint64_t)boot_pdpt_direct - KVA_IMAGE) | PTE_P | PTE_W;
	p = (struct trampoline *)(page + (trampoline_data - trampoline));
	p->entry = (uint64_t)smp_begin;
	smp.cr4 = read_cr4();
	p->cr3 = smp.page + PAGE_SIZE;
	p->cr4 = smp.cr4 & ~CR4_PGE;
	p->efer = rdmsr(MSR_EFER) & ~EFER_LMA;
	p->far_offset = smp.page + (trampoline_long - trampoline);
	p->gdt_base = smp.page + (trampoline_data - trampoline) +
	    offsetof(struct trampoline, gdt);
	smp.params = p;
}

static void
send_startup(unsigned i)
{
	apic_ipi(smp.apic_ids[i], ICR_STARTUP | smp.page >> PAGE_SHIFT);
}

static int
launch(unsigned i)
{
	struct percpu *pc = cpu_create(i);
	uint64_t stack = pc != NULL ? sched_add_cpu(pc) : 0;

	if (stack == 0)
		return -ENOMEM;
	timer_init_other(i);
	smp.launched[i] = true;
	smp.params->arg = (uint64_t)pc;
	smp.begin_tsc = rdtsc();
	__atomic_store_n(&smp.params->stack, stack, __ATOMIC_RELEASE);
	apic_ipi(smp.apic_ids[i], ICR_INIT);
	send_startup(i);
	return 0;
}

/* Virtual processors hear the first STARTUP; others may want a second. */
static bool
await(unsigned i)
{
	unsigned tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (wait_event_until(&online_wq, is_online(i),
			clock_mono_ns() + AGAIN_NS) == 0)
			return true;
		if (smp.params->stack != 0)
			send_startup(i);
	}
	__atomic_store_n(&smp.params->stack, 0, __ATOMIC_RELEASE);
	return false;
}

/* The guess was wrong, if its stack is still there: then nobody took it. */
static void
drop_guess(void)
{
	__atomic_store_n(&smp.params->stack, 0, __ATOMIC_RELEASE);
}

static void
start_others(void *arg)
{
	unsigned i, n = 1;
	int error = 0;

	(void)arg;
	look();
	for (i = 1; i < smp.count && error == 0; i++) {
		if (!smp.launched[i])
			error = launch(i);
		if (error == 0 && await(i))
			n++;
		else
			log_warn("cpu%u: does not start", i);
	}
	if (smp.count > 1)
		log_info("cpus: %u of %u, after %ld us", n, smp.count,
		    clock_mono_ns() / 1000);
}

static void
make_thread(void)
{
	struct thread *t;

	if (thread_create("cpus", start_others, NULL, &t) == 0)
		thread_start(t);
	else
		log_warn("cpus: no memory to start them");
}

/* Who gets true starts the others. */
static bool
is_first(void)
{
	return __atomic_exchange_n(&smp_waits, false, __ATOMIC_ACQ_REL);
}

/* Before the first launch; false: there is no place for the trampoline. */
static bool
prepare(void)
{
	if (smp.params != NULL)
		return true;
	if (!find_low_pages(boot_info()))
		return false;
	fpu_store_always();
	trap_set_handler(VECTOR_RESCHED, resched_intr, NULL);
	trap_set_handler(VECTOR_CALL, call_intr, NULL);
	trap_set_handler(VECTOR_STOP, stop_intr, NULL);
	make_trampoline();
	return true;
}

/* ---- finding them ---- */

/* Numbers that local APICs of this package may have, as CPUID tells. */
static unsigned
package_size(void)
{
	struct cpuid r = cpuid(1, 0);

	return (r.edx >> 28 & 1) != 0 ? r.ebx >> 16 & 0xff : 1;
}

static void
add_id(uint32_t id)
{
	unsigned i;

	/* Numbers from 255 on need x2APIC. */
	if (smp.count == MAX_CPUS || (id >= 255 && !cpu_features()->x2apic))
		return;
	for (i = 0; i < smp.count; i++)
		if (smp.apic_ids[i] == id)
			return;
	smp.apic_ids[smp.count++] = id;
}

static bool
is_among(const uint32_t *ids, unsigned n, uint32_t id)
{
	while (n-- > 0)
		if (ids[n] == id)
			return true;
	return false;
}

/*
 * The processor that booted is number 0, the one that was guessed at boot,
 * if it is there, number 1.
 */
static void
look_locked(void)
{
	uint32_t ids[MAX_CPUS], guess = smp.apic_ids[1];
	unsigned n = smp.find != NULL ? smp.find(ids, MAX_CPUS) : 0, i;

	if (n == 0) /* no tables: they are numbered from 0 */
		for (; n < MIN(package_size(), MAX_CPUS); n++)
			ids[n] = n;
	smp.apic_ids[0] = cpu_nth(0)->apic_id;
	smp.count = 1;
	if (smp.launched[1]) {
		if (is_among(ids, n, guess)) {
			add_id(guess);
		} else {
			smp.launched[1] = false;
			drop_guess();
		}
	}
	for (i = 0; i < n; i++)
		add_id(ids[i]);
	if (smp.count > 1 && !prepare()) {
		log_warn("cpus: no memory below 64 KiB, one of %u is used",
		    smp.count);
		smp.count = 1;
	}
}

static void
look(void)
{
	mutex_lock(&look_lock);
	if (!smp.looked)
		look_locked();
	__atomic_store_n(&smp.looked, true, __ATOMIC_RELEASE);
	mutex_unlock(&look_lock);
}

unsigned
cpu_count(void)
{
	if (!__atomic_load_n(&smp.looked, __ATOMIC_ACQUIRE))
		look();
	if (smp.count > 1 && __atomic_load_n(&smp_waits, __ATOMIC_RELAXED) &&
	    is_first())
		make_thread();
	return smp.count;
}

uint32_t
cpu_apic_id(unsigned i)
{
	return i == 0 ? cpu_nth(0)->apic_id : smp.apic_ids[i % MAX_CPUS];
}

void
smp_init(unsigned (*find)(uint32_t *ids, unsigned max))
{
	smp.find = find;
}

void
smp_allow(void)
{
	/* CPUID may know of one where tables know of more. */
	bool more = package_size() > 1 || boot_info()->rsdp != 0;

	__atomic_store_n(&smp_waits, more, __ATOMIC_RELEASE);
}

/*
 * To search for tables may take longer than the whole boot.  So where CPUID
 * tells of more than one processor, the neighbour is started unseen, and the
 * thread that it then runs looks at the tables.
 */
void
smp_start(void)
{
	if (!is_first())
		return;
	mutex_lock(&look_lock);
	if (!smp.looked && package_size() > 1 && prepare()) {
		smp.apic_ids[1] = cpu_nth(0)->apic_id ^ 1;
		(void)launch(1);
	}
	mutex_unlock(&look_lock);
	make_thread();
}

/* There is time to look. */
void
smp_idle(void)
{
	if (is_first())
		make_thread();
}
