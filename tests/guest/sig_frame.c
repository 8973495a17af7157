/* SPDX-License-Identifier: ISC */
/*
 * sig_frame.c - what a handler finds: registers, the FPU's state, the
 * alternate stack; and faults, by signal, code and address.
 */
#include "check.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile unsigned long seen_rip, seen_rsp, seen_trapno, seen_cr2;
static volatile int seen_code, seen_onstack;
static volatile unsigned seen_magic, seen_magic2;
static void *volatile seen_addr;
static sigjmp_buf jump;

static void
look(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
	unsigned size;
	stack_t st;

	(void)sig;
	seen_code = info->si_code;
	seen_addr = info->si_addr;
	seen_rip = uc->uc_mcontext.gregs[REG_RIP];
	seen_rsp = uc->uc_mcontext.gregs[REG_RSP];
	seen_trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
	seen_cr2 = uc->uc_mcontext.gregs[REG_CR2];
	sigaltstack(NULL, &st);
	seen_onstack = (st.ss_flags & SS_ONSTACK) != 0;
	memcpy((void *)&seen_magic, fp + 464, 4);
	memcpy(&size, fp + 464 + 16, 4);
	if (seen_magic == 0x46505853)
		memcpy((void *)&seen_magic2, fp + size, 4);
}

static void
look_and_leave(int sig, siginfo_t *info, void *context)
{
	look(sig, info, context);
	siglongjmp(jump, 1);
}

/* A handler that changes where the program goes on. */
static void
skip_two(int sig, siginfo_t *info, void *context)
{
	look(sig, info, context);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 77;
}

static void
handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn,
		.sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

#define FAULT(statement)                              \
	do {                                          \
		if (sigsetjmp(jump, 1) == 0) {        \
			statement;                    \
			CHECK(!#statement " faults"); \
		}                                     \
	} while (0)

static void
check_faults(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	volatile int zero = 0, result;

	handle(SIGSEGV, look_and_leave, 0);
	handle(SIGFPE, look_and_leave, 0);
	handle(SIGILL, look_and_leave, 0);
	handle(SIGTRAP, look, 0);
	FAULT(*(volatile char *)0x10 = 1);
	CHECK_RET(seen_code, SEGV_MAPERR);
	CHECK_RET(seen_addr, 0x10);
	CHECK_RET(seen_trapno, 14);
	CHECK_RET(seen_cr2, 0x10);
	FAULT(*(volatile char *)page = 1);
	CHECK_RET(seen_code, SEGV_ACCERR);
	CHECK(seen_addr == page);
	FAULT(((void (*)(void))page)());
	CHECK_RET(seen_code, SEGV_ACCERR);
	FAULT(*(volatile char *)0x8000000000000000ul = 1);
	CHECK_RET(seen_code, SI_KERNEL);
	CHECK_RET(seen_trapno, 13);
	FAULT(result = 7 / zero);
	CHECK_RET(seen_code, FPE_INTDIV);
	FAULT(__asm__ volatile("ud2"));
	CHECK_RET(seen_code, ILL_ILLOPN);
	seen_code = 0;
	__asm__ volatile("int3");
	CHECK_RET(seen_code, SI_KERNEL);
	handle(SIGILL, skip_two, 0);
	__asm__ volatile("ud2" : "=a"(result));
	CHECK_RET(result, 77);
}

static void
check_fpu(void)
{
	double before[4] = { 1.5, 2.5, 3.5, 4.5 }, after[4];

	handle(SIGUSR1, look, 0);
	__asm__ volatile("movupd %1, %%xmm9\n\t"
			 "movl $39, %%eax\n\t" /* getpid */
			 "syscall\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl $10, %%esi\n\t" /* SIGUSR1 */
			 "movl $62, %%eax\n\t" /* kill */
			 "syscall\n\t"
			 "movupd %%xmm9, %0"
			 : "=m"(after)
			 : "m"(before)
			 : "rax", "rcx", "rdi", "rsi", "r11", "xmm9", "memory");
	CHECK(after[0] == 1.5 && after[1] == 2.5);
	CHECK(seen_magic == 0x46505853);
	CHECK(seen_magic2 == 0x46505845);
}

static void
clobber(int sig)
{
	(void)sig;
	__asm__ volatile("pxor %%xmm9, %%xmm9" ::: "xmm9");
}

static void
check_fpu_restored(void)
{
	double v = 6.25, w;

	signal(SIGUSR1, clobber);
	__asm__ volatile("movsd %1, %%xmm9\n\t"
			 "movl $39, %%eax\n\t"
			 "syscall\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl $10, %%esi\n\t"
			 "movl $62, %%eax\n\t"
			 "syscall\n\t"
			 "movsd %%xmm9, %0"
			 : "=m"(w)
			 : "m"(v)
			 : "rax", "rcx", "rdi", "rsi", "r11", "xmm9", "memory");
	CHECK(w == 6.25);
}

static void
check_altstack(void)
{
	static char room[65536];
	stack_t st = { .ss_sp = room, .ss_size = sizeof(room) }, old;

	CHECK_RET(sigaltstack(NULL, &old), 0);
	CHECK_RET(old.ss_flags, SS_DISABLE);
	st.ss_size = 100;
	CHECK_ERR(sigaltstack(&st, NULL), ENOMEM);
	st.ss_size = sizeof(room);
	st.ss_flags = 0x100;
	CHECK_ERR(sigaltstack(&st, NULL), EINVAL);
	st.ss_flags = 0;
	CHECK_RET(sigaltstack(&st, NULL), 0);
	CHECK_ERR(syscall(SYS_sigaltstack, 8, 0), EFAULT);
	handle(SIGUSR1, look, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK_RET(seen_onstack, 1);
	handle(SIGUSR1, look, 0);
	raise(SIGUSR1);
	CHECK_RET(seen_onstack, 0);
	CHECK_RET(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == room && old.ss_size == sizeof(room));
	st.ss_flags = SS_DISABLE;
	CHECK_RET(sigaltstack(&st, NULL), 0);
}

/* Ends of children that nobody handles. */
static int
status_of(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		fn();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return status & ~0x80; /* core dumps are the host's affair */
}

static void
bad_stack(void)
{
	handle(SIGUSR1, look, 0);
	__asm__ volatile("movl $39, %%eax; syscall; movl %%eax, %%edi;"
			 "xorl %%esp, %%esp; movl $10, %%esi;"
			 "movl $62, %%eax; syscall" ::
			     : "memory");
}

static void
blocked_fault(void)
{
	sigset_t set;

	handle(SIGSEGV, look, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*(volatile char *)0 = 1;
}

static void
ignored_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile char *)0 = 1;
}

static void
wild_return(void)
{
	__asm__ volatile("xorl %%esp, %%esp; movl $15, %%eax; syscall" ::
			     : "memory"); /* rt_sigreturn without a frame */
}

static void
aborts(void)
{
	abort();
}

int
main(void)
{
	check_faults();
	check_fpu();
	check_fpu_restored();
	check_altstack();
	CHECK_RET(status_of(bad_stack), SIGSEGV);
	CHECK_RET(status_of(blocked_fault), SIGSEGV);
	CHECK_RET(status_of(ignored_fault), SIGSEGV);
	CHECK_RET(status_of(wild_return), SIGSEGV);
	CHECK_RET(status_of(aborts), SIGABRT);
	return check_done();
}
