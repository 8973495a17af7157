/* SPDX-License-Identifier: ISC */
/*
 * fault.c - a program did what the processor refuses: it becomes a signal, and
 * one line in the log if nothing will handle that.
 */
#include "kern/log.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "x86/trapframe.h"

#define T_PAGE_FAULT 14

/* Nobody handles it: the program will end. */
static bool
unhandled(const struct task *t, int signo)
{
	const struct sigaction *act =
	    &t->process->sigactions->action[signo - 1];

	return act->sa_handler == SIG_DFL || act->sa_handler == SIG_IGN ||
	    (t->signals->mask & SIGBIT(signo)) != 0;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* " in hello[401000+1000]", or nothing where no file is mapped. */
static void
describe_place(struct vmspace *vm, uaddr_t ip, char *buf, size_t size)
{
	struct vm_info info;
	char path[128];
	uint64_t dev, ino;

	buf[0] = '\0';
	if (vm == NULL || !vmspace_info(vm, ip, &info))
		return;
	if (info.object == NULL)
		return;
	if (info.start <= ip && info.object->ops->describe != NULL) {
		info.object->ops->describe(info.object, path, sizeof(path),
		    &dev, &ino);
		snprintf(buf, size, " in %s[%lx+%lx]", last_part(path),
		    info.start, info.end - info.start);
	}
	vm_object_put(info.object);
}

static const char *
trap_name(uint64_t trapno)
{
	static const char *const names[] = { [0] = "divide error",
		[1] = "debug",
		[3] = "int3",
		[4] = "overflow",
		[5] = "bounds",
		[6] = "invalid opcode",
		[11] = "segment not present",
		[12] = "stack segment",
		[13] = "general protection fault",
		[16] = "x87 FPU exception",
		[17] = "alignment check",
		[19] = "SIMD exception" };

	if (trapno >= ARRAY_SIZE(names) || names[trapno] == NULL)
		return "exception";
	return names[trapno];
}

static void
log_fault(const struct task *t, const struct trapframe *tf, uaddr_t addr)
{
	char place[160];

	describe_place(t->process->vm, tf->rip, place, sizeof(place));
	if (tf->trapno == T_PAGE_FAULT)
		log_info("%s[%d]: segfault at %lx ip %016lx sp %016lx "
			 "error %lx%s",
		    t->comm, t->tid, addr, tf->rip, tf->rsp, tf->error, place);
	else
		log_info("traps: %s[%d] %s ip:%lx sp:%lx error:%lx%s", t->comm,
		    t->tid, trap_name(tf->trapno), tf->rip, tf->rsp, tf->error,
		    place);
}

void
signal_fault(struct trapframe *tf, int signo, int code, uaddr_t addr)
{
	struct task *t = task_self();
	siginfo_t info;

	t->fault_trapno = tf->trapno;
	t->fault_error = tf->error;
	t->fault_addr = tf->trapno == T_PAGE_FAULT ? addr : t->fault_addr;
	/* SIGKILL: no memory, which oom.c has told. */
	if (unhandled(t, signo) && signo != SIGTRAP && signo != SIGKILL)
		log_fault(t, tf, addr);
	memset(&info, 0, sizeof(info));
	info.si_signo = signo;
	info.si_code = code;
	info.si_addr = (void *)addr;
	signal_force_info(&info);
}
