/* SPDX-License-Identifier: ISC */
/*
 * die.c - does one forbidden thing, named by its argument, and so dies of a
 * signal.  Comes to its end (status 3) if nothing stopped it.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KERNEL 0xffffffff80100000ul

static volatile char *
page(int prot)
{
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(4);
	return p;
}

static void
jump(uintptr_t to)
{
	__asm__ volatile("call *%0" : : "r"(to) : "memory");
}

/* clang-format off: one death a line */
static void
read_null(void)
{
	*(volatile char *)8;
}
static void
write_null(void)
{
	*(volatile char *)8 = 1;
}
static void
jump_null(void)
{
	jump(0);
}
static void
read_none(void)
{
	*page(PROT_NONE);
}
static void
write_readonly(void)
{
	*page(PROT_READ) = 1;
}
static void
write_text(void)
{
	*(volatile char *)write_text = 1;
}
static void
read_kernel(void)
{
	*(volatile char *)KERNEL;
}
static void
write_kernel(void)
{
	*(volatile char *)KERNEL = 1;
}
static void
jump_kernel(void)
{
	jump(KERNEL);
}
static void
read_wild(void)
{
	*(volatile char *)0x0123456789abcdef;
}
static void
jump_wild(void)
{
	jump(0x8000123456789abc);
}
static void
jump_data(void)
{
	jump((uintptr_t)page(PROT_READ | PROT_WRITE));
}
static void
jump_top(void)
{
	jump(0x7ffffffffffe);
}
/* clang-format on */

/* The largest user address: SYSCALL there returns to a non-canonical one. */
static void
syscall_top(void)
{
	char *p = mmap((void *)0x7fffffffe000, 4096,
	    PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (char *)0x7fffffffe000)
		return jump_wild(); /* not to be had: the same end */
	memset(p, 0x90, 4096);
	p[4094] = 0x0f;
	p[4095] = 0x05;
	jump((uintptr_t)p + 4094);
}

static int
recurse(volatile int depth)
{
	volatile char room[4096];

	room[0] = depth;
	return depth < 0 ? 0 : recurse(depth + 1) + room[0];
}

/* clang-format off: one death a line */
static void
stack_overflow(void)
{
	recurse(0);
}
static void
bad_stack(void)
{
	__asm__ volatile("mov $16, %rsp; push %rax");
}
/* clang-format on */

static void
wild_stack(void)
{
	__asm__ volatile("movabs $0x1234567812345678, %rsp; push %rax");
}

/* clang-format off: one death a line */
static void
divide(void)
{
	__asm__ volatile("div %b0" : : "a"(0));
}
static void
undefined(void)
{
	__asm__ volatile("ud2");
}
static void
breakpoint(void)
{
	__asm__ volatile("int3");
}
static void
halt(void)
{
	__asm__ volatile("hlt");
}
static void
no_interrupts(void)
{
	__asm__ volatile("cli");
}
static void
port(void)
{
	__asm__ volatile("outb %al, $0x80");
}
static void
read_msr(void)
{
	__asm__ volatile("rdmsr" : : "c"(0x1b));
}
static void
interrupt(void)
{
	__asm__ volatile("int $0x42");
}
/* clang-format on */

static void
write_cr3(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(0ul));
}

/* Alignment is checked by MOVAPS: a general protection fault. */
static void
misaligned(void)
{
	static char room[64] __attribute__((aligned(16)));

	__asm__ volatile("movaps (%0), %%xmm0" : : "r"(room + 1));
}

/* The handler's frame has no place: the kernel must not fall over it. */
static void
no_signal_stack(void)
{
	signal(SIGSEGV, (void (*)(int))stack_overflow);
	stack_overflow();
}

/* A handler that faults while its own signal is blocked. */
static void
handler_read(int sig)
{
	(void)sig;
	read_null();
}

static void
fault_in_handler(void)
{
	signal(SIGSEGV, handler_read);
	read_null();
}

/* A frame for sigreturn that asks for kernel mode and a wild address. */
static void
bad_sigreturn(void)
{
	__asm__ volatile("movabs $0x10000, %rsp; mov $15, %eax; syscall");
}

/* clang-format off: one death a line */
static void
aborted(void)
{
	abort();
}
static void
terminated(void)
{
	raise(SIGTERM);
}
static void
killed(void)
{
	raise(SIGKILL);
}
/* clang-format on */

static void
piped(void)
{
	int fd[2];

	if (pipe(fd) != 0)
		_exit(4);
	close(fd[0]);
	if (write(fd[1], "x", 1) == 1)
		_exit(5);
}

static void
alarmed(void)
{
	alarm(1);
	for (;;)
		pause();
}

#define WAY(f)        \
	{             \
#f, f \
	}
static const struct {
	const char *name;
	void (*f)(void);
} ways[] = {
	WAY(read_null),
	WAY(write_null),
	WAY(jump_null),
	WAY(read_none),
	WAY(write_readonly),
	WAY(write_text),
	WAY(read_kernel),
	WAY(write_kernel),
	WAY(jump_kernel),
	WAY(read_wild),
	WAY(jump_wild),
	WAY(jump_data),
	WAY(jump_top),
	WAY(syscall_top),
	WAY(stack_overflow),
	WAY(bad_stack),
	WAY(wild_stack),
	WAY(divide),
	WAY(undefined),
	WAY(breakpoint),
	WAY(halt),
	WAY(no_interrupts),
	WAY(port),
	WAY(read_msr),
	WAY(interrupt),
	WAY(write_cr3),
	WAY(misaligned),
	WAY(no_signal_stack),
	WAY(fault_in_handler),
	WAY(bad_sigreturn),
	WAY(aborted),
	WAY(terminated),
	WAY(killed),
	WAY(piped),
	WAY(alarmed),
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (argc == 1) {
			puts(ways[i].name);
		} else if (strcmp(argv[1], ways[i].name) == 0) {
			ways[i].f();
			return 3;
		}
	}
	return argc == 1 ? 0 : 2;
}
