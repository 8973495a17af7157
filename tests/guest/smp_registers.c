/* SPDX-License-Identifier: ISC */
/*
 * smp_registers.c - the first program's vector registers while the other
 * processors start: it is interrupted, sleeps, and goes on elsewhere, and they
 * are what they were.
 */
#include "check.h"
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#define LOOPS 4000

/* Keeps a value in a register for a while, across a call, and a while. */
static uint64_t
hold(uint64_t in, long call, const void *arg)
{
	uint64_t out;

	__asm__ volatile("movq %1, %%xmm7\n\t"
			 "mov %4, %%ecx\n\t"
			 "1: loop 1b\n\t"
			 "mov %2, %%rax\n\t"
			 "mov %3, %%rdi\n\t"
			 "xor %%esi, %%esi\n\t"
			 "syscall\n\t"
			 "mov %4, %%ecx\n\t"
			 "2: loop 2b\n\t"
			 "movq %%xmm7, %0"
			 : "=&r"(out)
			 : "r"(in), "r"(call), "r"(arg), "i"(LOOPS)
			 : "rax", "rcx", "rdi", "rsi", "r11", "xmm7", "memory");
	return out;
}

int
main(void)
{
	struct timespec moment = { 0, 1000 };
	int64_t end = check_now_ms() + 400;
	uint64_t n = 0, strange = 0;

	while (check_now_ms() < end) {
		n++;
		strange += hold(n, SYS_sched_yield, NULL) != n;
		strange += hold(n, SYS_nanosleep, &moment) != n;
	}
	CHECK(n > 0);
	CHECK_RET(strange, 0);
	return check_done();
}
