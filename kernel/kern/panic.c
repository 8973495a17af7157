/* SPDX-License-Identifier: ISC */
/* panic.c - says what happened, tells the host, and ends the machine. */
#include "kern/panic.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/machdep.h"

static void __noreturn
panic_common(const struct trapframe *tf, const char *fmt, va_list ap)
{
	static bool panicked;
	static char text[160];
	struct thread *t = thread_self();

	irq_disable();
	if (panicked) /* a panic within the panic: no more words */
		power_end(POWER_PANIC, 0, text);
	panicked = true;
	log_bust();
	vsnprintf(text, sizeof(text), fmt, ap);
	log_line(LOG_EMERG, "panic: %s", text);
	log_line(LOG_EMERG, "processor %u, thread %s, Remora %s",
	    cpu_self()->id, t != NULL ? t->name : "none", REMORA_VERSION);
	registers_print(tf);
	backtrace_print(tf->rip, tf->rbp);
	power_end(POWER_PANIC, 0, text);
}

void
panic(const char *fmt, ...)
{
	struct trapframe tf;
	va_list ap;

	registers_capture(&tf);
	va_start(ap, fmt);
	panic_common(&tf, fmt, ap);
}

void
panic_trap(const struct trapframe *tf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	panic_common(tf, fmt, ap);
}
