/* SPDX-License-Identifier: ISC */
/*
 * kvm_firecracker.c - starts a kernel as Firecracker does, by the KVM API.
 *
 * The machine is Firecracker's: interrupt controllers and timer in KVM, one
 * 16550 at 0x3f8 (its output comes out here on standard output), i8042 reset
 * at port 0x64, all else reads as zero.  Beyond it stand what the test suite
 * needs to learn the end: a second 16550 at 0x2f8, whose output goes to the
 * file named by FC_CONTROL in the environment, and port 0x501, which ends it.
 *
 * Exit status: 0 reset or port 0x501, 1 the machine fell, 2 bad usage, 77 no
 * usable KVM here (the reason on standard error).
 */
#include "state.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECONDS 30
#define NO_KVM  77

/* --- a 16550, as little of it as Firecracker's has --------------------------- */

#define LSR_DATA  0x01
#define LSR_EMPTY 0x60
#define IER_DATA  0x01
#define IER_THRE  0x02
#define MCR_LOOP  0x10

struct uart {
	uint16_t port;
	unsigned irq;
	FILE *out;
	uint8_t ier, lcr, mcr, scratch, divisor[2], loop;
	bool thre, loop_full, fifo;
};

static int vm_fd = -1;

static void
uart_update(struct uart *u)
{
	bool on = (u->thre && (u->ier & IER_THRE)) ||
	    (u->loop_full && (u->ier & IER_DATA));
	struct kvm_irq_level line = { .irq = u->irq, .level = on };

	if (ioctl(vm_fd, KVM_IRQ_LINE, &line) != 0)
		err(1, "KVM_IRQ_LINE");
}

static uint8_t
uart_iir(struct uart *u)
{
	uint8_t id = 0x01;

	if (u->loop_full && (u->ier & IER_DATA)) {
		id = 0x04;
	} else if (u->thre && (u->ier & IER_THRE)) {
		id = 0x02;
		u->thre = false;
	}
	return id | (u->fifo ? 0xc0 : 0);
}

static uint8_t
uart_read(struct uart *u, unsigned reg)
{
	uint8_t v = 0;

	switch (reg) {
	case 0:
		if (u->lcr & 0x80)
			return u->divisor[0];
		v = u->loop_full ? u->loop : 0;
		u->loop_full = false;
		break;
	case 1: return u->lcr & 0x80 ? u->divisor[1] : u->ier;
	case 2: v = uart_iir(u); break;
	case 3: return u->lcr;
	case 4: return u->mcr;
	case 5: return LSR_EMPTY | (u->loop_full ? LSR_DATA : 0);
	case 6:
		if (u->mcr & MCR_LOOP)
			return (u->mcr & 0x0c) << 4 | (u->mcr & 1) << 5 |
			    (u->mcr & 2) << 3;
		return 0xb0;
	case 7: return u->scratch;
	}
	uart_update(u);
	return v;
}

static void
uart_write(struct uart *u, unsigned reg, uint8_t v)
{
	switch (reg) {
	case 0:
		if (u->lcr & 0x80) {
			u->divisor[0] = v;
			return;
		}
		if (u->mcr & MCR_LOOP) {
			u->loop = v;
			u->loop_full = true;
		} else if (u->out != NULL) {
			putc(v, u->out);
			fflush(u->out);
		}
		u->thre = true;
		break;
	case 1:
		if (u->lcr & 0x80) {
			u->divisor[1] = v;
			return;
		}
		if (!(u->ier & IER_THRE) && (v & IER_THRE))
			u->thre = true;
		u->ier = v & 0x0f;
		break;
	case 2: u->fifo = v & 1; break;
	case 3: u->lcr = v; break;
	case 4: u->mcr = v & 0x1f; break;
	case 7: u->scratch = v; break;
	}
	uart_update(u);
}

/* --- the machine -------------------------------------------------------------- */

static struct uart uarts[2] = {
	{ .port = 0x3f8, .irq = 4, .thre = true },
	{ .port = 0x2f8, .irq = 3, .thre = true },
};

static void __attribute__((noreturn, format(printf, 1, 2)))
no_kvm(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarn(fmt, ap);
	va_end(ap);
	exit(NO_KVM);
}

static void
add_memory(unsigned slot, uint64_t at, uint64_t size, char *host)
{
	struct kvm_userspace_memory_region r = { .slot = slot,
		.guest_phys_addr = at,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host };

	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &r) != 0)
		no_kvm("KVM_SET_USER_MEMORY_REGION");
}

/* Returns the first region, which holds every piece. */
static char *
make_memory(const struct fc_options *opt, const struct fc_state *st)
{
	char *m = mmap(NULL, opt->memory, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED)
		err(1, "guest memory");
	add_memory(0, 0, st->ram_top, m);
	if (opt->memory > st->ram_top)
		add_memory(1, 1ull << 32, opt->memory - st->ram_top,
		    m + st->ram_top);
	for (unsigned i = 0; i < st->count; i++) {
		const struct fc_piece *p = &st->piece[i];

		if (p->paddr + p->size > st->ram_top)
			errx(1, "memory is too small for a piece at %#lx",
			    p->paddr);
		memcpy(m + p->paddr, p->data, p->data_size);
	}
	return m;
}

static void
make_vm(void)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		no_kvm("/dev/kvm");
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		no_kvm("KVM_GET_API_VERSION");
	vm_fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		no_kvm("KVM_CREATE_VM");
	if (ioctl(vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000ul) != 0)
		no_kvm("KVM_SET_TSS_ADDR");
	if (ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0) != 0)
		no_kvm("KVM_CREATE_IRQCHIP");
	if (ioctl(vm_fd, KVM_CREATE_PIT2, &pit) != 0)
		no_kvm("KVM_CREATE_PIT2");
	close(kvm);
}

/* What the host supports, with a TSC-deadline timer and one processor. */
static void
set_cpuid(int cpu)
{
	enum { ENTRIES = 256 };
	struct kvm_cpuid2 *c = calloc(1,
	    sizeof(*c) + ENTRIES * sizeof(c->entries[0]));
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (c == NULL || kvm < 0)
		err(1, "/dev/kvm");
	c->nent = ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c) != 0)
		no_kvm("KVM_GET_SUPPORTED_CPUID");
	for (unsigned i = 0; i < c->nent; i++) {
		if (c->entries[i].function == 1) {
			c->entries[i].ecx |= 1u << 31 | 1u << 24;
			c->entries[i].ecx &= ~(1u << 15);
			c->entries[i].ebx &= 0x0000ffff;
			c->entries[i].ebx |= 1 << 16;
		}
	}
	if (ioctl(cpu, KVM_SET_CPUID2, c) != 0)
		no_kvm("KVM_SET_CPUID2");
	close(kvm);
	free(c);
}

static void
set_msrs(int cpu, enum fc_layout layout)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e[12];
	} m = { .e = { { .index = 0x174 }, { .index = 0x175 },
		    { .index = 0x176 }, { .index = 0xc0000081 },
		    { .index = 0xc0000083 }, { .index = 0xc0000082 },
		    { .index = 0xc0000084 }, { .index = 0xc0000102 },
		    { .index = 0x10 }, { .index = 0x1a0, .data = 1 },
		    { .index = 0x2ff, .data = 0x806 } } };

	m.head.nmsrs = layout == FC_2019 ? 10 : 11;
	if (ioctl(cpu, KVM_SET_MSRS, &m) != (int)m.head.nmsrs)
		no_kvm("KVM_SET_MSRS");
}

static struct kvm_segment
segment(uint64_t descriptor, uint16_t selector)
{
	struct kvm_segment s = { .selector = selector,
		.limit = (descriptor & 0xffff) | (descriptor >> 32 & 0xf0000),
		.type = descriptor >> 40 & 0xf,
		.s = descriptor >> 44 & 1,
		.dpl = descriptor >> 45 & 3,
		.present = descriptor >> 47 & 1,
		.avl = descriptor >> 52 & 1,
		.l = descriptor >> 53 & 1,
		.db = descriptor >> 54 & 1,
		.g = descriptor >> 55 & 1 };

	if (s.g)
		s.limit = s.limit << 12 | 0xfff;
	return s;
}

static void
set_registers(int cpu, const struct fc_state *st)
{
	bool pvh = st->layout == FC_PVH;
	struct kvm_regs r = { .rip = st->entry,
		.rflags = 2,
		.rsi = pvh ? 0 : FC_ZERO_PAGE,
		.rbx = pvh ? FC_PVH_INFO : 0,
		.rsp = pvh ? 0 : FC_STACK,
		.rbp = pvh ? 0 : FC_STACK };
	struct kvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };
	struct kvm_sregs s;

	if (ioctl(cpu, KVM_GET_SREGS, &s) != 0)
		no_kvm("KVM_GET_SREGS");
	s.gdt.base = FC_GDT;
	s.gdt.limit = 31;
	s.idt.base = FC_IDT;
	s.idt.limit = 7;
	s.cs = segment(pvh ? FC_CODE32 : FC_CODE64, FC_SEL_CODE);
	s.ds = segment(FC_DATA, FC_SEL_DATA);
	s.es = s.fs = s.gs = s.ss = s.ds;
	s.tr = segment(pvh ? FC_TSS_PVH : FC_TSS, FC_SEL_TSS);
	s.cr0 = pvh ? FC_CR0_PVH : FC_CR0;
	s.cr4 = pvh ? 0 : FC_CR4;
	if (!pvh) {
		s.cr3 = FC_PML4;
		s.efer |= FC_EFER;
	}
	if (ioctl(cpu, KVM_SET_SREGS, &s) != 0)
		no_kvm("KVM_SET_SREGS");
	if (ioctl(cpu, KVM_SET_REGS, &r) != 0)
		no_kvm("KVM_SET_REGS");
	if (ioctl(cpu, KVM_SET_FPU, &fpu) != 0)
		no_kvm("KVM_SET_FPU");
}

static void
set_lints(int cpu)
{
	struct kvm_lapic_state l;
	uint32_t v;

	if (ioctl(cpu, KVM_GET_LAPIC, &l) != 0)
		no_kvm("KVM_GET_LAPIC");
	v = 0x700;
	memcpy(l.regs + 0x350, &v, 4);
	v = 0x400;
	memcpy(l.regs + 0x360, &v, 4);
	if (ioctl(cpu, KVM_SET_LAPIC, &l) != 0)
		no_kvm("KVM_SET_LAPIC");
}

/* --- what it does ------------------------------------------------------------------ */

static void
port_io(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint16_t port = run->io.port;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;

	for (unsigned i = 0; i < run->io.count * run->io.size; i++) {
		struct uart *u = NULL;

		for (unsigned k = 0; k < 2; k++)
			if (port >= uarts[k].port && port < uarts[k].port + 8 &&
			    run->io.size == 1)
				u = &uarts[k];
		if (out && (port == 0x501 || (port == 0x64 && data[i] == 0xfe)))
			exit(0);
		if (out && u != NULL)
			uart_write(u, port - u->port, data[i]);
		else if (!out)
			data[i] = u == NULL ? 0 : uart_read(u, port - u->port);
	}
}

static void
run_machine(int cpu, struct kvm_run *run)
{
	for (;;) {
		if (ioctl(cpu, KVM_RUN, 0) != 0) {
			if (errno == EINTR)
				continue;
			err(1, "KVM_RUN");
		}
		switch (run->exit_reason) {
		case KVM_EXIT_IO: port_io(run); break;
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0, run->mmio.len);
			break;
		case KVM_EXIT_SHUTDOWN: errx(1, "triple fault");
		case KVM_EXIT_FAIL_ENTRY:
			errx(1, "cannot enter the guest: %#llx",
			    (long long)
				run->fail_entry.hardware_entry_failure_reason);
		case KVM_EXIT_INTERNAL_ERROR:
			errx(1, "KVM cannot go on: error %u",
			    run->internal.suberror);
		default: errx(1, "exit for reason %u", run->exit_reason);
		}
	}
}

int
main(int argc, char **argv)
{
	struct fc_options opt;
	struct fc_state st;
	struct kvm_run *run;
	const char *unused, *control = getenv("FC_CONTROL");
	int cpu;

	fc_parse(argc, argv, &opt, &unused);
	fc_build(&opt, &st);
	uarts[0].out = stdout;
	if (control != NULL && (uarts[1].out = fopen(control, "wb")) == NULL)
		err(1, "%s", control);
	make_vm();
	make_memory(&opt, &st);
	cpu = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	if (cpu < 0)
		no_kvm("KVM_CREATE_VCPU");
	run = mmap(NULL, 1 << 14, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED)
		no_kvm("kvm_run");
	set_cpuid(cpu);
	set_msrs(cpu, st.layout);
	set_registers(cpu, &st);
	set_lints(cpu);
	alarm(SECONDS);
	run_machine(cpu, run);
}
