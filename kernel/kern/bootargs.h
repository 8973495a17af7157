/* SPDX-License-Identifier: ISC */
/*
 * bootargs.h - what the command line asks for, each known argument a field.
 * Linux's meaning wherever Linux has the argument.
 */
#ifndef KERN_BOOTARGS_H
#define KERN_BOOTARGS_H

#include "kern/types.h"

enum boot_stream { STREAM_TTY, STREAM_PIPE, STREAM_NULL };

struct bootargs {
	const char *console; /* "ttyS0"; NULL: not given */
	const char *init, *rdinit;
	const char *root, *rootfstype, *rootflags; /* NULL: not given */
	bool rw, quiet, bootchart, trace_syscalls, pci_off, test_panic, nosmap;
	bool acpi_off;
	bool pci_nomsi;        /* interrupt lines only */
	unsigned pci_poll_s;   /* pci.poll=: look so often; 0: never */
	unsigned pci_button_s; /* pci.button=: until a button counts; 5 */
	bool virtio_mmio;  /* there are places; bus/virtio_mmio.c reads them */
	bool mounts;       /* remora.mount= is given */
	bool ip;           /* ip= is given; net/inet_config.c reads it */
	int loglevel;      /* -1: not given */
	int panic_seconds; /* panic=: 0 stay, > 0 wait; < 0, the default: end
			      the machine at once */
	unsigned io_warn_seconds; /* remora.io_warn=; 0: never */
	char reboot_how;          /* reboot=: first letter, 0: not given */
	uint16_t control_port, exit_port; /* 0: none */
	uint8_t control_irq;
	const char *control_name; /* of a port instead; NULL: none */
	uint16_t rows, cols;      /* 0: unknown */
	enum boot_stream in, out;
	const char *args_file; /* remora.args= */
	const char *cloud;     /* remora.cloud=; NULL: not given */
	/* For the first program: strings inside the command line's copy. */
	const char *argv[128]; /* argv[0] is left for the program's name */
	unsigned argc;
	const char *envp[128];
	unsigned envc;
};

/* Valid from the first boot step on. */
const struct bootargs *bootargs(void);
/* The line as given, for /proc/cmdline. */
const char *boot_cmdline(void);

struct boot_info;
/* Boot step: reads the command line.  Unknown words are not an error. */
int bootargs_init(const struct boot_info *bi);

#endif
