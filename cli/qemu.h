/* SPDX-License-Identifier: ISC */
/*
 * qemu.h - the QEMU command that makes the machine.
 */
#ifndef CLI_QEMU_H
#define CLI_QEMU_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/mem.h"
#include "cli/options.h"

/* Descriptors that QEMU inherits, besides 0 and 1, which are the console. */
#define QEMU_FD_INITRD  3
#define QEMU_FD_CONTROL 4

struct qemu_machine {
	const char *program; /* QEMU's file */
	enum machine_type type;
	bool kvm, control;         /* control: make its serial line */
	unsigned vsock;            /* the machine's number; 0: none */
	bool virtio_console;       /* and the console, by virtio instead */
	unsigned cpus, gdb_port;   /* gdb_port 0: none */
	uint64_t memory;           /* bytes */
	const char *kernel, *line; /* its command line */
	const char *qmp;           /* the monitor's socket, or NULL */
	const struct disk_option *disks;
	size_t ndisks;
	const struct share_option *shares;
	size_t nshares;
	const struct net_option *nets;
	size_t nnets;
};

/* Fills `argv` with the whole command. */
void qemu_command(const struct qemu_machine *m, struct strings *argv);

/* The command as a shell would read it, a few words a line; owned by you. */
char *qemu_command_text(const struct strings *argv);

/*
 * Finds QEMU: $REMORA_QEMU, or qemu-system-x86_64 in $PATH.  Returns its
 * name, owned by you; or NULL with *t filled.
 */
char *qemu_find(struct trouble *t);

#endif
