/* SPDX-License-Identifier: ISC */
/*
 * random_code.c - children that run pages of pseudo-random bytes: whatever
 * instruction comes, with whatever registers, it ends the child at worst.
 * The series is the same in each run.  Not for a host: it runs as root.
 *     random_code [CHILDREN [SEED]]
 */
#include "check.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define CODE_SIZE 8192

static uint64_t series;

static uint64_t
next_number(void)
{
	series ^= series >> 12;
	series ^= series << 25;
	series ^= series >> 27;
	return series * 0x2545f4914f6cdd1dull;
}

static void
fill(uint8_t *code)
{
	static const uint8_t privileged[][3] = {
		{ 0x0f, 0x05, 0x90 }, /* SYSCALL */
		{ 0x0f, 0x07, 0x90 }, /* SYSRET */
		{ 0x0f, 0x34, 0x90 }, /* SYSENTER */
		{ 0xcd, 0x80, 0x90 }, /* INT 0x80 */
		{ 0x48, 0xcf, 0x90 }, /* IRETQ */
		{ 0x8e, 0xd0, 0x90 }, /* MOV SS */
		{ 0x0f, 0x22, 0xd8 }, /* MOV CR3 */
		{ 0x0f, 0x30, 0x90 }, /* WRMSR */
		{ 0x0f, 0x01, 0xf8 }, /* SWAPGS */
		{ 0x0f, 0xae, 0x28 }, /* XRSTOR */
		{ 0x9d, 0x90, 0x90 }, /* POPFQ */
		{ 0xf1, 0x90, 0x90 }, /* INT1 */
	};

	for (unsigned i = 0; i < CODE_SIZE; i += 8) {
		uint64_t n = next_number();

		memcpy(code + i, &n, 8);
		if (n % 5 == 0)
			memcpy(code + i,
			    privileged[next_number() %
				(sizeof(privileged) / 3)],
			    3);
	}
}

/* Most lives end within microseconds; a loop is ended by the alarm. */
static void
live(uint8_t *code)
{
	struct itimerval soon = { { 0, 0 }, { 0, 30000 } };
	uint64_t rax = next_number() % 450, rdi = next_number(),
		 rsi = (uint64_t)code + next_number() % CODE_SIZE,
		 rdx = next_number() >> (next_number() % 64);

	setitimer(ITIMER_REAL, &soon, NULL);
	__asm__ volatile("jmp *%4"
			 :
			 : "a"(rax), "D"(rdi), "S"(rsi), "d"(rdx),
			 "r"(code + next_number() % 4096));
	_exit(0);
}

int
main(int argc, char **argv)
{
	unsigned children = argc > 1 ? atoi(argv[1]) : 250, ended = 0;
	struct rlimit no_core = { 0, 0 };
	uint8_t *code;
	int status;
	pid_t pid;

	if (getpid() != 1)
		return 2;
	series = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	setrlimit(RLIMIT_CORE, &no_core);
	code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(code != MAP_FAILED);
	for (unsigned i = 0; i < children; i++) {
		fill(code);
		pid = fork();
		if (pid == 0)
			live(code);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			break;
		ended++;
	}
	CHECK_RET(ended, children);
	CHECK_RET(getpid(), 1);
	return check_done();
}
