/* SPDX-License-Identifier: ISC */
/*
 * qemu.c - the QEMU command that makes the machine.  QEMU 7.2, qemu(1).
 * Two serial lines: the console on QEMU's standard input and output, which
 * the command holds the other ends of, and the control channel on a socket.
 */
#include "cli/qemu.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bootline.h"
#include "cli/deps.h"
#include "cli/device.h"

static void
qemu_add(struct strings *argv, const char *option, const char *value)
{
	strings_add(argv, mem_string(option));
	if (value != NULL)
		strings_add(argv, mem_string(value));
}

/*
 * microvm's own serial port, and its habit of appending the places of virtio
 * devices to the command line (behind init's arguments), are not wanted.
 */
static const char *
qemu_machine_value(enum machine_type type)
{
	switch (type) {
	case MACHINE_Q35: return "q35";
	case MACHINE_PC: return "pc";
	default:
		return "microvm,acpi=off,rtc=on,pit=on,pic=on,"
		       "isa-serial=off,auto-kernel-cmdline=off";
	}
}

/* Serial ports where PCs have them. */
static void
qemu_add_serial(const struct qemu_machine *m, struct strings *argv)
{
	char *s = mem_format("isa-serial,iobase=0x%x,irq=%d,chardev=control",
	    BOOT_CONTROL_PORT, BOOT_CONTROL_IRQ);

	qemu_add(argv, "-device",
	    "isa-serial,iobase=0x3f8,irq=4,chardev=console");
	if (m->control)
		qemu_add(argv, "-device", s);
	free(s);
}

/* Two ports of one virtio console, and no serial port at all. */
static void
qemu_add_ports(const struct qemu_machine *m, struct strings *argv)
{
	char *s = mem_format("virtio-serial-device,bus=virtio-mmio-bus.%u",
	    MMIO_SLOT_CONSOLE);

	qemu_add(argv, "-device",
	    m->type == MACHINE_MICROVM ? s : "virtio-serial-pci");
	free(s);
	if (!m->control) {
		qemu_add(argv, "-device", "virtconsole,chardev=console");
		return;
	}
	/* QEMU drops what a slow reader of a virtconsole has no room for. */
	qemu_add(argv, "-device",
	    "virtserialport,chardev=console,name=remora.console");
	qemu_add(argv, "-device",
	    "virtserialport,chardev=control,name=remora.control");
}

/* The host's kernel carries the packets. */
static void
qemu_add_vsock(const struct qemu_machine *m, struct strings *argv)
{
	char *s = m->type == MACHINE_MICROVM ?
	    mem_format("vhost-vsock-device,guest-cid=%u,bus=virtio-mmio-bus.%u",
		m->vsock, MMIO_SLOT_VSOCK) :
	    mem_format("vhost-vsock-pci,guest-cid=%u", m->vsock);

	qemu_add(argv, "-device", s);
	free(s);
}

static void
qemu_add_control(struct strings *argv)
{
	char *s;

	s = mem_format("socket,id=control,fd=%d", QEMU_FD_CONTROL);
	qemu_add(argv, "-chardev", s);
	free(s);
	s = mem_format("isa-debug-exit,iobase=0x%x,iosize=2", BOOT_EXIT_PORT);
	qemu_add(argv, "-device", s);
	free(s);
}

static void
qemu_add_number(struct strings *argv, const char *option, const char *format,
    unsigned long long value)
{
	char *s;

	s = mem_format(format, value);
	qemu_add(argv, option, s);
	free(s);
}

/* The monitor; and on q35, whose first bus takes no newcomers, some ports. */
static void
qemu_add_qmp(const struct qemu_machine *m, struct strings *argv)
{
	struct text chardev = { 0 };
	char *s;

	text_add(&chardev, "socket,id=qmp,server=on,wait=off,path=");
	for (const char *p = m->qmp; *p != '\0'; p++)
		text_add(&chardev, *p == ',' ? ",," : "%c", *p);
	qemu_add(argv, "-chardev", chardev.text);
	free(chardev.text);
	qemu_add(argv, "-mon", "chardev=qmp,mode=control");
	for (unsigned i = 0; m->type == MACHINE_Q35 && i < DEVICE_PORTS; i++) {
		s = mem_format("pcie-root-port,id=" DEVICE_PORT_NAME
			       ",chassis=%u,slot=%u",
		    i, i + 1, i + 1);
		qemu_add(argv, "-device", s);
		free(s);
	}
}

void
qemu_command(const struct qemu_machine *m, struct strings *argv)
{
	qemu_add(argv, m->program, NULL);
	qemu_add(argv, "-nodefaults", NULL);
	qemu_add(argv, "-no-user-config", NULL);
	qemu_add(argv, "-no-reboot", NULL);
	qemu_add(argv, "-display", "none");
	qemu_add(argv, "-machine", qemu_machine_value(m->type));
	qemu_add(argv, "-accel", m->kvm ? "kvm" : "tcg");
	qemu_add(argv, "-cpu", m->kvm ? "host" : "max");
	qemu_add_number(argv, "-smp", "%llu", m->cpus);
	qemu_add_number(argv, "-m", "%lluK", m->memory >> 10);
	qemu_add(argv, "-chardev", "stdio,id=console,signal=off");
	if (m->control)
		qemu_add_control(argv);
	if (m->virtio_console)
		qemu_add_ports(m, argv);
	else
		qemu_add_serial(m, argv);
	if (m->vsock != 0)
		qemu_add_vsock(m, argv);
	disks_qemu(m->disks, m->ndisks, m->type, argv);
	shares_qemu(m->shares, m->nshares, disks_slots(m->disks, m->ndisks),
	    m->type, argv);
	nets_qemu(m->nets, m->nnets,
	    disks_slots(m->disks, m->ndisks) + m->nshares, m->type, argv);
	if (m->qmp != NULL)
		qemu_add_qmp(m, argv);
	if (m->gdb_port != 0) {
		qemu_add_number(argv, "-gdb", "tcp:127.0.0.1:%llu",
		    m->gdb_port);
		qemu_add(argv, "-S", NULL);
	}
	qemu_add(argv, "-kernel", m->kernel);
	qemu_add_number(argv, "-initrd", "/proc/self/fd/%llu", QEMU_FD_INITRD);
	qemu_add(argv, "-append", m->line);
}

/* Adds a word; within '...' only the quote itself is special. */
static void
qemu_text_word(struct text *text, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=,./:@%";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		text_add(text, "%s", word);
		return;
	}
	text_add(text, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			text_add(text, "'\\''");
		else
			text_add(text, "%c", *word);
	}
	text_add(text, "'");
}

char *
qemu_command_text(const struct strings *argv)
{
	struct text text = { 0 };

	for (size_t i = 0; i < argv->count; i++) {
		const char *word = argv->item[i];

		if (i > 0)
			text_add(&text, word[0] == '-' ? " \\\n    " : " ");
		qemu_text_word(&text, word);
	}
	return text.text;
}

char *
qemu_find(struct trouble *t)
{
	const char *name = getenv("REMORA_QEMU"), *path = getenv("PATH");
	char found[PATH_MAX];
	struct trouble not_found;

	if (name == NULL || name[0] == '\0')
		name = "qemu-system-x86_64";
	if (path == NULL)
		path = "/usr/local/bin:/usr/bin:/bin";
	if (strchr(name, '/') != NULL)
		return mem_string(name);
	if (deps_find_program("", path, name, found, &not_found) == 0)
		return mem_string(found);
	trouble_set(t, STATUS_MACHINE,
	    "%s (Debian's package qemu-system-x86 contains QEMU)",
	    not_found.text);
	return NULL;
}
