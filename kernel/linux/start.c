/* SPDX-License-Identifier: ISC */
/*
 * start.c - the last step of the boot: from an empty root file system to the
 * first program's first instruction.  Which program that is, and what it is
 * told, follows Linux (init/main.c's order, kernel-parameters.txt).
 *
 * /dev, /proc and /sys are mounted here, before the program runs: a machine
 * made for one program has no init scripts to do it.  An init that mounts them
 * itself stacks its mounts on these.
 */
#include "dev/control.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/user.h"
#include "kern/vm.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "linux/oom.h"
#include "linux/procfs.h"
#include "linux/signal.h"
#include "linux/stdio.h"
#include "linux/syscalls.h"
#include "linux/trace.h"
#include "net/stack.h"
#include "x86/smp.h"
#include "x86/trapframe.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define CLOUD_PROGRAM "/sbin/remora-cloud" /* for remora.cloud= */
#define ARGS_FILE_MAX (1024 * 1024)        /* bytes of remora.args= */

static struct user_ops ops = {
	.syscall = syscall_dispatch,
	.fault = signal_fault,
	.work = signal_work,
	.out_of_memory = oom_handle,
};

/* ---- what the program is told ---- */

struct start_args {
	const char *path; /* NULL: not from the args file */
	const char **argv, **envp;
	char *text; /* of the args file */
};

static const char *default_env[] = { "HOME=/", "TERM=linux" };

static bool
same_name(const char *a, const char *b)
{
	size_t len = strchr(a, '=') - a;

	return strncmp(a, b, len + 1) == 0;
}

/* The defaults, unless given, and what the command line names. */
static int
env_from_bootargs(const struct bootargs *ba, struct start_args *sa)
{
	unsigned n = 0, i, j;

	sa->envp = kcalloc(ba->envc + ARRAY_SIZE(default_env) + 1,
	    sizeof(char *));
	if (sa->envp == NULL)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(default_env); i++) {
		for (j = 0; j < ba->envc; j++)
			if (same_name(default_env[i], ba->envp[j]))
				break;
		if (j == ba->envc)
			sa->envp[n++] = default_env[i];
	}
	for (i = 0; i < ba->envc; i++)
		sa->envp[n++] = ba->envp[i];
	return 0;
}

static int
argv_from_bootargs(const struct bootargs *ba, struct start_args *sa)
{
	unsigned i;

	sa->argv = kcalloc(ba->argc + 2, sizeof(char *));
	if (sa->argv == NULL)
		return -ENOMEM;
	for (i = 1; i < ba->argc; i++)
		sa->argv[i] = ba->argv[i];
	return 0;
}

/* ---- remora.args= ---- */

static int
read_args_file(const char *path, char **text, size_t *len)
{
	struct vfs_ctx ctx;
	struct file *f;
	char *buf;
	long n;
	int error;

	vfs_ctx_initial(&ctx); /* where the host put it */
	error = vfs_open(&ctx, NULL, path, O_RDONLY, 0, 0, &f);
	if (error != 0)
		return error;
	n = f->inode->size;
	buf = n > ARGS_FILE_MAX ? NULL : kmalloc(n + 1);
	if (buf != NULL)
		n = file_pread_kernel(f, buf, n, 0);
	else
		n = n > ARGS_FILE_MAX ? -E2BIG : -ENOMEM;
	file_put(f);
	if (n < 0) {
		kfree(buf);
		return n;
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}

static unsigned
count_strings(const char *text, size_t len)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += text[i] == '\0';
	return n + 1;
}

/*
 * The empty string between arguments and environment, or `end`.  It is the
 * last one: arguments may be empty, settings never are.
 */
static const char *
find_divider(const char *at, const char *end)
{
	const char *divider = end;

	for (; at < end; at += strlen(at) + 1)
		if (*at == '\0')
			divider = at;
	return divider;
}

static void
take_strings(const char *at, const char *end, const char **list)
{
	for (; at < end; at += strlen(at) + 1)
		*list++ = at;
}

static int
args_from_file(const char *path, struct start_args *sa)
{
	const char *divider, *end;
	size_t len = 0;
	unsigned n;
	int error = read_args_file(path, &sa->text, &len);

	if (error != 0)
		return error;
	n = count_strings(sa->text, len) + 1;
	sa->argv = kcalloc(n, sizeof(char *));
	sa->envp = kcalloc(n, sizeof(char *));
	if (sa->argv == NULL || sa->envp == NULL)
		return -ENOMEM;
	end = sa->text + len;
	divider = find_divider(sa->text, end);
	take_strings(sa->text, divider, sa->argv);
	take_strings(divider + 1, end, sa->envp);
	return sa->argv[0] == NULL ? -EINVAL : 0;
}

static int
collect_args(const struct bootargs *ba, struct start_args *sa)
{
	int error;

	if (ba->args_file != NULL) {
		error = args_from_file(ba->args_file, sa);
		if (error != 0)
			log_err("remora.args=%s: error %d", ba->args_file,
			    -error);
		return error;
	}
	error = argv_from_bootargs(ba, sa);
	return error != 0 ? error : env_from_bootargs(ba, sa);
}

/* ---- which program ---- */

static bool
exists(const char *path)
{
	struct vfs_ctx ctx;
	struct file *f;

	vfs_ctx_kernel(&ctx);
	if (vfs_open(&ctx, NULL, path, O_PATH, 0, 0, &f) != 0)
		return false;
	file_put(f);
	return true;
}

/* The host reads these two numbers as exit statuses (sysexits of shells). */
static int
status_of(int error)
{
	return error == -ENOENT ? 127 : 126;
}

/*
 * remora.cloud=: a program of ours goes first, and becomes the one that was
 * asked for.  It is told where to look, that one's path, and its arguments.
 */
static int
exec_by_cloud(const char *path, struct start_args *sa)
{
	const char *cloud = bootargs()->cloud, **argv;
	unsigned n, i;
	int error;

	if (!exists(path))
		return -ENOENT;
	for (n = 0; sa->argv[n] != NULL; n++)
		;
	argv = kcalloc(n + 4, sizeof(char *));
	if (argv == NULL)
		return -ENOMEM;
	argv[0] = CLOUD_PROGRAM;
	argv[1] = cloud;
	argv[2] = path;
	for (i = 0; i < n; i++)
		argv[3 + i] = sa->argv[i];
	error = process_exec(CLOUD_PROGRAM, argv, sa->envp);
	kfree(argv);
	if (error == 0)
		return 0;
	log_line(LOG_EMERG,
	    "remora.cloud=%s: " CLOUD_PROGRAM " cannot be run: error %d", cloud,
	    -error);
	power_end(POWER_EXIT, status_of(error), CLOUD_PROGRAM);
}

/*
 * Tries one name.  Does not return if it runs.  A name of its own in the args
 * file stays argv[0]; else the path is, as on Linux.
 */
static int
try(const char *path, struct start_args *sa)
{
	struct process *p = process_self();
	const char *given = sa->text != NULL ? sa->argv[0] : NULL;
	int error;

	sa->argv[0] = given != NULL ? given : path;
	error = bootargs()->cloud != NULL ?
	    exec_by_cloud(path, sa) :
	    process_exec(path, sa->argv, sa->envp);
	if (error != 0) {
		if (error != -ENOENT)
			log_err("%s cannot be run: error %d", path, -error);
		return error;
	}
	KASSERT(p->vm != NULL);
	bootchart_mark("first program");
	bootchart_print();
	smp_allow();
	boot_run_later();
	net_begin();
	user_enter(tf_of_thread());
}

static const char *const usual_inits[] = { "/sbin/init", "/etc/init",
	"/bin/init", "/bin/sh" };

static void __noreturn
no_program(int error, const char *tried)
{
	const char *root = bootargs()->root;

	if (root != NULL && vfs_root_is_initial())
		log_line(LOG_EMERG,
		    "root=%s: no file system on a disk can be "
		    "mounted as root yet, the initial one is used",
		    root);
	log_line(LOG_EMERG,
	    "no working init found: tried %s; name one by "
	    "init= or rdinit=",
	    tried);
	power_end(POWER_EXIT, status_of(error), tried);
}

static void __noreturn
run_asked(const char *path, struct start_args *sa)
{
	no_program(try(path, sa), path);
}

static void __noreturn
run_first(const struct bootargs *ba, struct start_args *sa)
{
	const char *rdinit = ba->rdinit != NULL ? ba->rdinit : "/init";
	int error = -ENOENT;
	unsigned i;

	/* rdinit= is the initial file system's. */
	if (vfs_root_is_initial()) {
		if (ba->rdinit != NULL && ba->init == NULL)
			run_asked(ba->rdinit, sa);
		if (exists(rdinit))
			(void)try(rdinit, sa);
	}
	if (ba->init != NULL)
		run_asked(ba->init, sa);
	for (i = 0; i < ARRAY_SIZE(usual_inits); i++) {
		int e = try(usual_inits[i], sa);

		if (e != -ENOENT)
			error = e;
	}
	no_program(error, "/init, /sbin/init, /etc/init, /bin/init, /bin/sh");
}

/* ---- the step ---- */

static void
mount_usual(void)
{
	static const char *const usual[][2] = { { "devtmpfs", "/dev" },
		{ "proc", "/proc" }, { "sysfs", "/sys" } };
	unsigned i;
	int error;

	error = procfs_init();
	if (error != 0)
		log_warn("proc, sysfs: error %d", -error);
	for (i = 0; i < ARRAY_SIZE(usual); i++) {
		error = vfs_mount_kernel(usual[i][0], usual[i][1]);
		if (error != 0 && error != -ENODEV)
			log_warn("%s: not mounted on %s, error %d", usual[i][0],
			    usual[i][1], -error);
	}
}

/* Descriptors 0, 1 and 2. */
static int
open_stdio(void)
{
	struct file *f;
	int fd, error;

	for (fd = 0; fd <= 2; fd++) {
		error = console_open_stdio(fd, &f);
		if (error == 0)
			error = fd_open(f, false);
		if (error < 0)
			return error;
	}
	return 0;
}

/*
 * A program alone is asked to end as by `kill`; an init system gets what says
 * "power fails", and does what it is set up for.
 */
static struct process *first_process;

static void
button_pressed(void)
{
	signal_send_process(first_process,
	    first_process->signals->init_runs_alone ? SIGTERM : SIGPWR);
}

int
linux_start(void)
{
	const struct bootargs *ba = bootargs();
	struct start_args sa = { 0 };
	struct process *p;
	int error;

	if (ba->trace_syscalls) {
		ops.syscall = syscall_dispatch_traced;
		trace_start();
	}
	user_set_ops(&ops);
	mount_usual();
	bootchart_mark("usual mounts");
	error = process_create_first(&p);
	if (error != 0)
		return error;
	/* Started by `remora run`: not an init system, see signal.c. */
	p->signals->init_runs_alone = control_present();
	first_process = p;
	power_set_button(button_pressed);
	error = open_stdio();
	if (error != 0)
		log_warn("standard descriptors: error %d", -error);
	bootchart_mark("standard streams");
	error = collect_args(ba, &sa);
	if (error != 0)
		return error;
	run_first(ba, &sa);
}
