/* SPDX-License-Identifier: ISC */
/* panic.c - says what happened, tells the host, and ends the machine. */
#include "kern/panic.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/machdep.h"
#include "x86/smp.h"

/* One processor's panic is enough; another that panics meanwhile stops. */
static bool
panic_begin(bool all)
{
	static uint32_t who; /* its number + 1 */
	uint32_t none = 0, self = cpu_id() + 1;

	if (!__atomic_compare_exchange_n(&who, &none, self, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		while (none != self)
			cpu_pause(); /* its NMI comes */
		return false;
	}
	if (cpu_several() && !all)
		smp_stop_others_now(false);
	return true;
}

static void __noreturn
panic_common(bool all, const struct trapframe *tf, const char *fmt, va_list ap)
{
	static char text[160];
	struct thread *t = thread_self();

	irq_disable();
	if (!panic_begin(all)) /* within the panic: no more words */
		power_end(POWER_PANIC, 0, text);
	log_bust();
	vsnprintf(text, sizeof(text), fmt, ap);
	log_line(LOG_EMERG, "panic: %s", text);
	log_line(LOG_EMERG, "processor %u, thread %s, Remora %s",
	    cpu_self()->id, t != NULL ? t->name : "none", REMORA_VERSION);
	registers_print(tf);
	backtrace_print(tf->rip, tf->rbp);
	if (all && cpu_several())
		smp_stop_others_now(true);
	power_end(POWER_PANIC, 0, text);
}

void
panic(const char *fmt, ...)
{
	struct trapframe tf;
	va_list ap;

	registers_capture(&tf);
	va_start(ap, fmt);
	panic_common(false, &tf, fmt, ap);
}

void
panic_trap(const struct trapframe *tf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	panic_common(false, tf, fmt, ap);
}

void
panic_all(const char *fmt, ...)
{
	struct trapframe tf;
	va_list ap;

	registers_capture(&tf);
	va_start(ap, fmt);
	panic_common(true, &tf, fmt, ap);
}
