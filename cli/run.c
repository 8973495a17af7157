/* SPDX-License-Identifier: ISC */
/* run.c - `remora run`: packs a program, boots it, returns its status. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/accel.h"
#include "cli/archive.h"
#include "cli/bootline.h"
#include "cli/cpio.h"
#include "cli/help.h"
#include "cli/kernelfile.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/pack.h"
#include "cli/qemu.h"
#include "cli/terminal.h"

#define MIB ((uint64_t)1 << 20)

struct run {
	struct run_options o;
	struct kernel_file kernel;
	struct pack pack;
	struct text line;       /* the kernel's command line */
	struct strings command; /* QEMU's */
	uint64_t archive_size;  /* bytes */
	enum boot_stream in, out;
	bool kvm;
	struct trouble trouble;
};

static bool
run_is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ||
	    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static void
run_look_at_streams(struct run *r)
{
	r->in = isatty(STDIN_FILENO)         ? BOOT_TTY :
	    run_is_null_device(STDIN_FILENO) ? BOOT_NULL :
					       BOOT_PIPE;
	r->out = isatty(STDOUT_FILENO) ? BOOT_TTY : BOOT_PIPE;
}

/* $TERM goes along; what --env says comes later and so holds. */
static int
run_pack(struct run *r)
{
	const char *term = getenv("TERM");
	int error = pack_make(&r->pack, &r->o, &r->trouble);
	char *env;

	for (size_t i = 0; i < r->o.nenv; i++)
		if (strncmp(r->o.env[i], "TERM=", 5) == 0)
			return error;
	if (term != NULL && term[0] != '\0') {
		env = mem_format("TERM=%s", term);
		pack_set_env(&r->pack, env);
		free(env);
	}
	return error;
}

/* Devices in microvm's slots, but for the console. */
static unsigned
run_slots(const struct run *r)
{
	return (unsigned)(disks_slots(r->o.disk, r->o.ndisks) + r->o.nshares +
	    r->o.nnets);
}

static int
run_make_line(struct run *r)
{
	struct boot_line b = { .foreign = r->kernel.foreign,
		.verbose = r->o.verbose,
		.in = r->in,
		.out = r->out,
		.program = r->pack.program,
		.argv = r->o.argv + 1,
		.env = &r->pack.env,
		.append = r->o.append,
		.share = r->o.share,
		.nshares = r->o.nshares,
		.cloud = r->o.cloud.source,
		.net = r->o.net,
		/* Told by a file, they are not told by ip=. */
		.nnets = r->o.cloud.network_config != NULL ? 0 : r->o.nnets,
		.vsock = r->o.vsock != 0,
		.virtio_console = r->o.console == CONSOLE_VIRTIO,
		.microvm = r->o.machine == MACHINE_MICROVM,
		.mmio_slots = r->o.machine == MACHINE_MICROVM ? run_slots(r) :
								0 };
	int error;

	if (!terminal_size(STDOUT_FILENO, &b.rows, &b.columns))
		terminal_size(STDIN_FILENO, &b.rows, &b.columns);
	error = boot_line_make(&b, &r->pack.tree, &r->line, &r->trouble);
	tree_sort(&r->pack.tree);
	return error;
}

static int
run_check_memory(struct run *r)
{
	uint64_t need;
	int error = cpio_write(&r->pack.tree, -1, &r->archive_size,
	    &r->trouble);

	if (error != 0)
		return error;
	need = kernel_file_memory(&r->kernel, r->archive_size);
	if (!r->o.memory_given && need > OPTIONS_MEMORY_DEFAULT / 2)
		r->o.memory = (need + OPTIONS_MEMORY_DEFAULT + MIB - 1) / MIB *
		    MIB;
	if (r->o.memory >= need)
		return 0;
	return trouble_set(&r->trouble, STATUS_MACHINE,
	    "%llu KiB of memory are too few: the kernel and an initial file "
	    "system of %llu KiB need at least --memory %lluM",
	    (unsigned long long)(r->o.memory >> 10),
	    (unsigned long long)(r->archive_size >> 10),
	    (unsigned long long)((need + (1 << 20) - 1) >> 20));
}

static void
run_choose_accel(struct run *r)
{
	char why[200];

	if (r->o.accel != ACCEL_AUTO) {
		r->kvm = r->o.accel == ACCEL_KVM;
		return;
	}
	r->kvm = accel_kvm_works(why, sizeof(why));
	if (r->o.verbose)
		say("%s; using %s", why, r->kvm ? "KVM" : "TCG");
}

static int
run_make_command(struct run *r)
{
	struct qemu_machine m = { .type = r->o.machine,
		.kvm = r->kvm,
		.control = !r->kernel.foreign,
		.vsock = r->o.vsock,
		.virtio_console = r->o.console == CONSOLE_VIRTIO,
		.cpus = r->o.cpus,
		.gdb_port = r->o.gdb_port,
		.memory = r->o.memory,
		.kernel = r->kernel.path,
		.disks = r->o.disk,
		.ndisks = r->o.ndisks,
		.qmp = r->o.qmp,
		.shares = r->o.share,
		.nshares = r->o.nshares,
		.nets = r->o.net,
		.nnets = r->o.nnets,
		.line = r->line.text };
	char *qemu = qemu_find(&r->trouble);

	if (qemu == NULL)
		return -ENOENT;
	m.program = qemu;
	qemu_command(&m, &r->command);
	free(qemu);
	return 0;
}

static int
run_check_slots(struct run *r)
{
	unsigned room = r->o.vsock != 0    ? MMIO_SLOT_VSOCK :
	    r->o.console == CONSOLE_VIRTIO ? MMIO_SLOT_CONSOLE :
					     MMIO_SLOTS;

	if (r->o.machine != MACHINE_MICROVM || run_slots(r) <= room)
		return 0;
	return trouble_set(&r->trouble, STATUS_MACHINE,
	    "%s: microvm has room for %u disks, folders and cards beside it",
	    r->o.vsock != 0 ? "--vsock" : "--console virtio", room);
}

/* QEMU needs the host's kernel for it, and most users may not ask. */
static int
run_check_vsock(struct run *r)
{
	static const char device[] = "/dev/vhost-vsock";

	if (r->o.vsock == 0 || r->o.dry_run || access(device, R_OK | W_OK) == 0)
		return 0;
	return trouble_set(&r->trouble, STATUS_MACHINE, "--vsock: %s: %s",
	    device, strerror(errno));
}

/* Everything up to, and without, the machine itself. */
static int
run_prepare(struct run *r)
{
	int error;

	run_look_at_streams(r);
	error = kernel_file_find(&r->kernel, r->o.kernel, &r->trouble);
	if (error == 0)
		error = disks_check(r->o.disk, r->o.ndisks, r->o.machine,
		    &r->trouble);
	if (error == 0)
		error = shares_check(r->o.share, r->o.nshares,
		    disks_slots(r->o.disk, r->o.ndisks), r->o.machine,
		    &r->trouble);
	if (error == 0)
		error = nets_check(r->o.net, r->o.nnets,
		    run_slots(r) - r->o.nnets, r->o.machine, &r->trouble);
	if (error == 0)
		error = run_check_slots(r);
	if (error == 0)
		error = run_check_vsock(r);
	if (error == 0)
		error = cloud_check(&r->o.cloud,
		    shares_root(r->o.share, r->o.nshares), r->kernel.foreign,
		    &r->trouble);
	if (error == 0)
		error = run_pack(r);
	if (error == 0)
		nets_add_files(r->o.net, r->o.nnets, &r->pack.tree);
	if (error == 0)
		error = nets_start(r->o.dry_run ? NULL : r->o.net,
		    r->o.dry_run ? 0 : r->o.nnets, &r->trouble);
	if (error == 0)
		error = run_make_line(r);
	if (error == 0)
		error = run_check_memory(r);
	if (error != 0)
		return error;
	run_choose_accel(r);
	return run_make_command(r);
}

static void
run_say_how(const struct run *r)
{
	char *command = qemu_command_text(&r->command);

	if (r->o.verbose)
		say("kernel %s%s, %zu files in %llu KiB", r->kernel.path,
		    r->kernel.foreign ? " (not Remora)" : "",
		    r->pack.tree.count,
		    (unsigned long long)(r->archive_size >> 10));
	if (r->o.dry_run)
		printf("%s\n", command);
	else if (r->o.verbose)
		fprintf(stderr, "%s\n", command);
	if (r->o.gdb_port != 0)
		fprintf(stderr,
		    "gdb -x scripts/remora.gdb %s "
		    "-ex 'target remote :%u'\n",
		    r->kernel.path, r->o.gdb_port);
	free(command);
}

static int
run_machine(struct run *r)
{
	struct machine_run m = { .argv = &r->command,
		.foreign = r->kernel.foreign,
		.verbose = r->o.verbose,
		.in = r->in,
		.out = r->out,
		.timeout_ms = r->o.timeout_ms };
	int status;

	m.initrd = archive_create(r->archive_size, &r->trouble);
	if (m.initrd < 0)
		return trouble_report(&r->trouble);
	if (cpio_write(&r->pack.tree, m.initrd, &r->archive_size,
		&r->trouble) != 0)
		status = trouble_report(&r->trouble);
	else
		status = machine_run(&m);
	close(m.initrd);
	return status;
}

static int
run_parsed(struct run *r)
{
	if (r->o.help) {
		help_run(stdout);
		return 0;
	}
	if (run_prepare(r) != 0)
		return trouble_report(&r->trouble);
	run_say_how(r);
	return r->o.dry_run ? 0 : run_machine(r);
}

int
run_command(int argc, char **argv)
{
	struct run *r = mem_zero(sizeof(*r));
	int status;

	if (options_parse(&r->o, argc, argv, &r->trouble) != 0)
		status = trouble_report(&r->trouble);
	else
		status = run_parsed(r);
	nets_stop(r->o.net, r->o.nnets);
	options_fini(&r->o);
	pack_fini(&r->pack);
	free(r->line.text);
	strings_fini(&r->command);
	free(r);
	return status;
}
