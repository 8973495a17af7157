/* SPDX-License-Identifier: ISC */
/* options.h - the options of `remora run`. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cloud.h"
#include "cli/disk.h"
#include "cli/net.h"
#include "cli/share.h"
#include "cli/trouble.h"

enum machine_type { MACHINE_MICROVM, MACHINE_Q35, MACHINE_PC };
enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };
/* What carries the console and the control channel. */
enum console_kind { CONSOLE_SERIAL, CONSOLE_VIRTIO };

/* Strings are those of the arguments, not copies. */
struct run_options {
	uint64_t memory;   /* bytes */
	bool memory_given; /* else it may grow with what is packed */
	unsigned cpus;
	enum machine_type machine;
	enum accel accel;
	enum console_kind console;
	unsigned vsock; /* the machine's number; 0: none */
	const char *kernel, *rootfs, *append; /* or NULL */
	const char *qmp;                      /* socket's path, or NULL */
	const char **env;                     /* NAME=VALUE */
	size_t nenv;
	const char **add; /* PATH[:GUESTPATH] */
	bool tools;       /* devctl, too */
	size_t nadd;
	struct disk_option *disk; /* in the order given: vda, vdb, ... */
	size_t ndisks;
	struct share_option *share; /* tags share0, share1, ... */
	size_t nshares;
	struct net_option *net; /* eth0, eth1, ... */
	size_t nnets;
	struct cloud_option cloud;
	int64_t timeout_ms; /* 0: none */
	unsigned gdb_port;  /* 0: no gdb */
	bool verbose, dry_run, help;
	char **argv; /* the program and its arguments */
	int argc;
};

#define OPTIONS_MEMORY_DEFAULT ((uint64_t)64 << 20)
#define OPTIONS_CPUS_MAX       255
#define OPTIONS_GDB_PORT       1234
#define OPTIONS_VSOCK_MIN      3 /* below: the host, and others */

/*
 * argv[0] is "run".  Returns 0, or fills *t with status 125.
 * options_fini() is due in any case.
 */
int
options_parse(struct run_options *o, int argc, char **argv, struct trouble *t);
void options_fini(struct run_options *o);

/* "64M" and the like to bytes; a bare number counts MiB.  -EINVAL, -ERANGE */
int options_parse_size(const char *s, uint64_t *bytes);

/* As --machine and QEMU call it. */
const char *machine_type_name(enum machine_type machine);

#endif
