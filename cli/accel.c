/* SPDX-License-Identifier: ISC */
/*
 * accel.c - is /dev/kvm usable?  That a device opens says little: in nested
 * clouds some kernels offer KVM but interpret the guest's kernel mode, a
 * thousand times slower and without many instructions.  So a guest of a few
 * instructions runs in long mode, ring 0.  Linux, Documentation/virt/kvm/api.
 */
#include "cli/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/mem.h"

#define PROBE_TIME_MS 500      /* for all of it; mostly it takes 5 */
#define PROBE_LOOP_NS 20000000 /* for the guest's 200000 instructions */
#define PROBE_MEMORY  0x10000u
#define PROBE_PML4    0x1000u /* page tables: the first 2 MiB, as is */
#define PROBE_PDPT    0x2000u
#define PROBE_PD      0x3000u
#define PROBE_STACK   0x5000u
#define PROBE_CODE    0x6000u
#define PROBE_PORT    0x10 /* the guest writes here: first a mark, */
#define PROBE_START   'S'  /* then another when all went well */
#define PROBE_DONE    'D'

#define PAGE_PRESENT 0x1u
#define PAGE_WRITE   0x2u
#define PAGE_LARGE   0x80u
#define CR0_PE       0x1u
#define CR0_MP       0x2u
#define CR0_NE       0x20u
#define CR0_PG       0x80000000u
#define CR4_PAE      0x20u
#define CR4_OSFXSR   0x200u
#define EFER_LME     0x100u
#define EFER_LMA     0x400u

/* clang-format off */
static const uint8_t probe_code[] = {
	0xb0, PROBE_START,			/* mov $'S', %al */
	0xe6, PROBE_PORT,			/* out %al, $0x10 */
	0x31, 0xc0, 0x0f, 0xa2,			/* xor %eax, %eax; cpuid */
	0xb9, 0x82, 0x00, 0x00, 0xc0,		/* mov $LSTAR, %ecx */
	0xb8, 0x78, 0x56, 0x34, 0x12,		/* mov $0x12345678, %eax */
	0x31, 0xd2, 0x0f, 0x30,			/* xor %edx, %edx; wrmsr */
	0x31, 0xc0, 0x0f, 0x32,			/* xor %eax, %eax; rdmsr */
	0x3d, 0x78, 0x56, 0x34, 0x12,		/* cmp $0x12345678, %eax */
	0x75, 0x25,				/* jne bad */
	0x48, 0x83, 0xe4, 0xf0,			/* and $-16, %rsp */
	0x0f, 0x57, 0xc0,			/* xorps %xmm0, %xmm0 */
	0x0f, 0x29, 0x44, 0x24, 0xf0,		/* movaps %xmm0, -16(%rsp) */
	0x31, 0xc0, 0x31, 0xd2, 0x31, 0xc9,	/* xor eax, edx, ecx */
	0x48, 0x0f, 0xc7, 0x4c, 0x24, 0xf0,	/* cmpxchg16b -16(%rsp) */
	0xb9, 0xa0, 0x86, 0x01, 0x00,		/* mov $100000, %ecx */
	0xff, 0xc9,				/* 1: dec %ecx */
	0x75, 0xfc,				/* jnz 1b */
	0xb0, PROBE_DONE,			/* mov $'D', %al */
	0xe6, PROBE_PORT,			/* out %al, $0x10 */
	0xf4,					/* bad: hlt */
};
/* clang-format on */

/* What the child tells its parent. */
struct probe_report {
	bool works;
	char why[120];
};

struct probe {
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
};

static int
probe_create(struct probe *p)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = PROBE_MEMORY
	};
	long size;

	p->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (p->kvm < 0 || ioctl(p->kvm, KVM_GET_API_VERSION, 0) != 12)
		return -1;
	p->vm = ioctl(p->kvm, KVM_CREATE_VM, 0);
	/* QEMU wants the interrupt controllers in the kernel, too. */
	if (p->vm < 0 || ioctl(p->vm, KVM_SET_TSS_ADDR, 0xfffbd000) < 0 ||
	    ioctl(p->vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return -1;
	p->memory = mmap(NULL, PROBE_MEMORY, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->memory == MAP_FAILED)
		return -1;
	region.userspace_addr = (uintptr_t)p->memory;
	if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return -1;
	p->vcpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (p->vcpu < 0 || size < (long)sizeof(*p->run))
		return -1;
	p->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    p->vcpu, 0);
	return p->run == MAP_FAILED ? -1 : 0;
}

static int
probe_set_cpuid(struct probe *p)
{
	unsigned max = 256;
	struct kvm_cpuid2 *cpuid = mem_zero(
	    sizeof(*cpuid) + max * sizeof(struct kvm_cpuid_entry2));
	int error;

	cpuid->nent = max;
	error = ioctl(p->kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (error == 0)
		error = ioctl(p->vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return error;
}

static void
probe_put64(struct probe *p, uint32_t at, uint64_t value)
{
	memcpy(p->memory + at, &value, sizeof(value));
}

static int
probe_set_state(struct probe *p)
{
	struct kvm_segment data = { .limit = 0xffffffff,
		.selector = 0x10,
		.type = 3,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1 };
	struct kvm_segment code = { .limit = 0xffffffff,
		.selector = 8,
		.type = 11,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1 };
	struct kvm_regs regs = { .rip = PROBE_CODE,
		.rsp = PROBE_STACK,
		.rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(p->memory + PROBE_CODE, probe_code, sizeof(probe_code));
	probe_put64(p, PROBE_PML4, PROBE_PDPT | PAGE_PRESENT | PAGE_WRITE);
	probe_put64(p, PROBE_PDPT, PROBE_PD | PAGE_PRESENT | PAGE_WRITE);
	probe_put64(p, PROBE_PD, PAGE_LARGE | PAGE_PRESENT | PAGE_WRITE);
	if (ioctl(p->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_PE | CR0_MP | CR0_NE | CR0_PG;
	sregs.cr3 = PROBE_PML4;
	sregs.cr4 = CR4_PAE | CR4_OSFXSR;
	sregs.efer = EFER_LME | EFER_LMA;
	if (ioctl(p->vcpu, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(p->vcpu, KVM_SET_REGS, &regs);
}

/* Runs until the guest writes `mark`; anything else is a failure. */
static int
probe_run_until(struct probe *p, uint8_t mark, struct probe_report *report)
{
	int error;

	do {
		error = ioctl(p->vcpu, KVM_RUN, 0);
	} while (error < 0 && (errno == EINTR || errno == EAGAIN));
	if (error < 0) {
		snprintf(report->why, sizeof(report->why),
		    "its guest cannot run: %s", strerror(errno));
		return -1;
	}
	if (p->run->exit_reason == KVM_EXIT_IO &&
	    p->run->io.port == PROBE_PORT &&
	    *((uint8_t *)p->run + p->run->io.data_offset) == mark)
		return 0;
	snprintf(report->why, sizeof(report->why),
	    "its guest stopped in kernel mode (exit reason %u)",
	    p->run->exit_reason);
	return -1;
}

static int64_t
probe_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void
probe_guest(struct probe_report *report)
{
	struct probe p = { .kvm = -1, .vm = -1, .vcpu = -1 };
	int64_t start;

	if (probe_create(&p) != 0 || probe_set_cpuid(&p) != 0 ||
	    probe_set_state(&p) != 0) {
		snprintf(report->why, sizeof(report->why),
		    "it makes no machine: %s", strerror(errno));
		return;
	}
	if (probe_run_until(&p, PROBE_START, report) != 0)
		return;
	start = probe_now_ns();
	if (probe_run_until(&p, PROBE_DONE, report) != 0)
		return;
	report->works = probe_now_ns() - start < PROBE_LOOP_NS;
	snprintf(report->why, sizeof(report->why), "%s",
	    report->works ? "a guest ran well" :
			    "it interprets the guest's kernel mode");
}

/* The child's part: it may hang or be killed in the midst of it. */
static void
probe_child(int fd)
{
	struct probe_report report = { 0 };

	probe_guest(&report);
	if (write(fd, &report, sizeof(report)) != sizeof(report))
		_exit(1);
	_exit(0);
}

static void
probe_collect(int fd, struct probe_report *report)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&pfd, 1, PROBE_TIME_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 1 && read(fd, report, sizeof(*report)) == sizeof(*report)) {
		report->why[sizeof(report->why) - 1] = '\0';
		return;
	}
	report->works = false;
	snprintf(report->why, sizeof(report->why), "%s",
	    n == 0 ? "its guest does not come to an end" :
		     "the probe was killed");
}

bool
accel_probe_kvm(char *why, size_t size)
{
	struct probe_report report = { 0 };
	int fds[2];
	pid_t pid;

	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		snprintf(why, size, "/dev/kvm: %s", strerror(errno));
		return false;
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		snprintf(why, size, "pipe: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0)
		probe_child(fds[1]);
	close(fds[1]);
	if (pid > 0) {
		probe_collect(fds[0], &report);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	} else {
		snprintf(report.why, sizeof(report.why), "fork: %s",
		    strerror(errno));
	}
	close(fds[0]);
	snprintf(why, size, "/dev/kvm: %s", report.why);
	return report.works;
}
