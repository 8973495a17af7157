/* SPDX-License-Identifier: ISC */
/*
 * exec.c - execve(2): finds a program, through scripts and interpreters, has
 * it built, and lets the calling process become it.
 *
 *   open, permission      exec_open()
 *   what is it            exec_identify()    script: again; ELF: on
 *   interpreter           exec_find_interp()
 *   new address space     exec_load(), exec_build_stack()
 *   point of no return    exec_commit()
 *
 * While a file is run nobody may write it: exec_open() denies that, and the
 * file itself (FILE_DENY) allows it again with its last reference.
 */
#include "linux/exec.h"
#include "abi/mode.h"
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/itimer.h"
#include "linux/names.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/signal.h"
#include "linux/sys_process.h"
#include "x86/cpu.h"
#include "x86/debugreg.h"
#include "x86/trapframe.h"
#include <asm/fcntl.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/personality.h>

#define SCRIPTS_MAX 5 /* rewrites; then -ELOOP */

struct exec {
	struct vfs_ctx *ctx;
	struct exec_args *args;
	struct file *file;   /* what is run */
	struct file *interp; /* its PT_INTERP, or NULL */
	struct exec_image image;
	struct elf_image interp_elf;
	struct creds *creds; /* what the task will have; NULL: not yet */
	char *name;          /* of the file; scripts change it */
	bool close_on_exec;  /* found by a descriptor that will be closed */
	char head[EXEC_HEAD + 1];
};

/* Is it a file that ctx's caller may run? */
static int
check_program(const struct vfs_ctx *ctx, const struct path *p)
{
	struct inode *inode = p->dentry->inode;

	if ((inode->mode & S_IFMT) == S_IFLNK)
		return -ELOOP;
	if ((inode->mode & S_IFMT) != S_IFREG)
		return -EACCES;
	if ((p->mnt->flags & MS_NOEXEC) != 0)
		return -EACCES;
	return inode_permission(inode, ctx->cred, MAY_EXEC);
}

/* Reading needs no permission of the caller's here: execute is enough. */
static int
open_for_exec(const struct path *p, struct file **out)
{
	struct vfs_ctx kernel;
	int error;

	error = inode_deny_write(p->dentry->inode);
	if (error != 0)
		return error;
	vfs_ctx_kernel(&kernel);
	error = vfs_open_path(&kernel, p, O_RDONLY | O_LARGEFILE, out);
	if (error != 0)
		inode_allow_write(p->dentry->inode);
	else
		(*out)->mode |= FILE_DENY;
	return error;
}

static int
exec_open(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    unsigned walk, struct file **out)
{
	struct path p;
	int error;

	error = vfs_walk(ctx, base, name, walk, &p);
	if (error != 0)
		return error;
	error = check_program(ctx, &p);
	if (error == 0)
		error = open_for_exec(&p, out);
	path_put(&p);
	return error;
}

/* Checks the ELF headers of f, of which `len` bytes are in head. */
static int
parse_elf(struct file *f, const char *head, size_t len, struct elf_image *elf)
{
	uint64_t size = f->inode->size;
	char *phdrs;
	long n;
	int error;

	error = elf_parse(head, len, size, elf);
	if (error != -ENODATA)
		return error;
	phdrs = kmalloc(elf->phdr_size);
	if (phdrs == NULL)
		return -ENOMEM;
	n = file_pread_kernel(f, phdrs, elf->phdr_size, elf->phdr_offset);
	if (n < 0)
		error = n;
	else if (n != elf->phdr_size)
		error = -ENOEXEC;
	else
		error = elf_segments(phdrs, size, elf);
	kfree(phdrs);
	return error;
}

/* The script that was opened names another program: that one is opened. */
static int
follow_script(struct exec *e, size_t len)
{
	char *interpreter, *argument, *name;
	int error;

	error = exec_script_parse(e->head, len, &interpreter, &argument);
	if (error != 0)
		return error;
	if (e->close_on_exec) /* the interpreter could not open it */
		return -ENOENT;
	name = kstrdup(interpreter);
	if (name == NULL)
		return -ENOMEM;
	error = exec_args_rewrite(e->args, interpreter, argument, e->name);
	kfree(e->name);
	e->name = name;
	if (error != 0)
		return error;
	file_put(e->file);
	e->file = NULL;
	return exec_open(e->ctx, NULL, name, WALK_FOLLOW, &e->file);
}

/* Follows scripts until there is an ELF program, and checks that. */
static int
exec_identify(struct exec *e)
{
	unsigned rewrites = 0;
	long len;
	int error;

	for (;;) {
		len = file_pread_kernel(e->file, e->head, EXEC_HEAD, 0);
		if (len < 0)
			return len;
		e->head[len] = '\0';
		if (len < 2 || e->head[0] != '#' || e->head[1] != '!')
			break;
		if (rewrites++ == SCRIPTS_MAX)
			return -ELOOP;
		error = follow_script(e, len);
		if (error != 0)
			return error;
	}
	return parse_elf(e->file, e->head, len, &e->image.elf);
}

/* Opens and checks what PT_INTERP names. */
static int
exec_find_interp(struct exec *e)
{
	uint32_t size = e->image.elf.interp_size;
	char *name;
	long len;
	int error;

	if (size == 0)
		return 0;
	name = kmalloc(size + 1);
	if (name == NULL)
		return -ENOMEM;
	name[size] = '\0';
	len = file_pread_kernel(e->file, name, size,
	    e->image.elf.interp_offset);
	if (len < 0)
		error = len;
	else if (len != size || !elf_interp_valid(name, size))
		error = -ENOEXEC;
	else
		error = exec_open(e->ctx, NULL, name, WALK_FOLLOW, &e->interp);
	kfree(name);
	if (error != 0)
		return error;
	len = file_pread_kernel(e->interp, e->head, EXEC_HEAD, 0);
	if (len < 0)
		return len;
	error = parse_elf(e->interp, e->head, len, &e->interp_elf);
	return error == -ENOEXEC || error == -EINVAL ? -ELIBBAD : error;
}

/* What the file's set-id bits and the rules of capabilities(7) make. */
static int
exec_creds(struct exec *e)
{
	const struct inode *inode = e->file->inode;
	struct creds *c = creds_copy(creds_self());

	if (c == NULL)
		return -ENOMEM;
	e->creds = c;
	if ((e->file->path.mnt->flags & MS_NOSUID) == 0 &&
	    !task_self()->no_new_privs && !ptrace_limits_exec()) {
		if ((inode->mode & S_ISUID) != 0)
			c->euid = inode->uid;
		if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			c->egid = inode->gid;
	}
	e->image.secure = c->euid != c->uid || c->egid != c->gid;
	if (e->image.secure)
		c->cap_ambient = 0;
	creds_exec(c);
	e->image.euid = c->euid;
	e->image.egid = c->egid;
	return 0;
}

static int
exec_build(struct exec *e)
{
	struct exec_image *x = &e->image;
	int error;

	error = exec_creds(e);
	if (error != 0)
		return error;
	random_bytes(&x->pool, sizeof(x->pool) + sizeof(x->seed));
	x->randomize = (process_self()->personality & ADDR_NO_RANDOMIZE) == 0;
	error = vmspace_create(&x->vm);
	if (error != 0)
		return error;
	exec_set_layout(x);
	error = exec_load(x, e->file, e->interp, &e->interp_elf);
	if (error == 0)
		error = vdso_map(x);
	if (error == 0)
		error = exec_build_stack(x, e->args);
	return error;
}

/* The last part of a path, cut to what a name may have. */
static void
set_names(struct task *t, const char *filename)
{
	const char *slash = strrchr(filename, '/');
	const char *base = slash == NULL ? filename : slash + 1;

	strlcpy(t->comm, base, sizeof(t->comm));
	strlcpy(t->process->comm, base, sizeof(t->process->comm));
	strlcpy(t->thread->name, base, sizeof(t->thread->name));
}

/* The registers of a program that begins. */
static void
set_registers(const struct exec_image *x)
{
	struct trapframe *tf = tf_of_thread();
	struct trapframe fresh = { .trapno = tf->trapno };

	fresh.orig_rax = UINT64_MAX; /* nothing to restart */
	fresh.rip = x->start;
	fresh.rsp = x->sp;
	fresh.cs = SEL_UCODE;
	fresh.ss = SEL_UDATA;
	fresh.rflags = RFLAGS_IF;
	*tf = fresh;
	fpu_drop(thread_self());
	debugreg_drop_self();
	user_set_fsbase(0);
	user_set_gsbase(0);
}

/* From here on there is no way back; nothing here fails. */
static void
exec_commit(struct exec *e)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct vmspace *old;
	struct file *old_exe;

	task_farewell(t);          /* words in the old program's memory */
	mutex_lock(&process_lock); /* /proc looks at these */
	process_keep_max_rss(p);
	old = p->vm;
	old_exe = p->exe;
	p->vm = e->image.vm;
	p->exe = e->file;
	e->creds = creds_install_locked(e->creds);
	p->dumpable = !e->image.secure;
	if (e->image.secure)
		p->pdeath_signal = 0;
	p->did_exec = true;
	set_names(t, e->image.filename);
	mutex_unlock(&process_lock);
	e->image.vm = NULL;
	e->file = NULL;
	thread_set_vmspace(t->thread, p->vm);
	if (old != NULL)
		vmspace_put(old);
	file_put(old_exe);
	if (t->files != NULL)
		fdtable_close_exec(t->files);
	itimers_exec(p);
	process_vfork_done(p);
	set_registers(&e->image);
}

/* What the only task had for its own is its process's from now on. */
static void
keep_own_view(struct task *t)
{
	struct process *p = t->process;
	struct fsview *old = p->fs;

	if (t->fs == NULL)
		return;
	mutex_lock(&process_lock);
	p->fs = t->fs;
	t->fs = NULL;
	mutex_unlock(&process_lock);
	fsview_put(old);
}

static int
exec_run(struct exec *e)
{
	int32_t tid = task_self()->tid;
	int error;

	error = exec_identify(e);
	if (error == 0)
		error = exec_find_interp(e);
	if (error == 0)
		error = exec_build(e);
	if (error == 0)
		error = fpu_prepare(thread_self());
	if (error == 0)
		error = process_become_single();
	if (error == 0) /* of another process's */
		error = fdtable_unshare();
	if (error == 0)
		keep_own_view(task_self());
	if (error == 0)
		error = signal_exec(process_self());
	if (error != 0)
		return error;
	exec_commit(e);
	ptrace_exec(tid);
	return 0;
}

/* `filename` is what AT_EXECFN will say. */
static int
exec_at(struct vfs_ctx *ctx, const struct path *base, const char *name,
    unsigned walk, const char *filename, bool close_on_exec,
    struct exec_args *args)
{
	struct exec *e = kmalloc(sizeof(*e));
	int error;

	if (e == NULL)
		return -ENOMEM;
	e->ctx = ctx;
	e->args = args;
	e->file = e->interp = NULL;
	e->creds = NULL;
	e->close_on_exec = close_on_exec;
	memset(&e->image, 0, offsetof(struct exec_image, elf));
	e->image.vm = NULL;
	e->image.interp_base = 0;
	e->image.filename = filename;
	e->name = kstrdup(filename);
	error = e->name == NULL ? -ENOMEM :
				  exec_open(ctx, base, name, walk, &e->file);
	if (error == 0)
		error = exec_run(e);
	if (e->image.vm != NULL)
		vmspace_put(e->image.vm);
	if (e->creds != NULL)
		creds_put(e->creds);
	file_put(e->interp);
	file_put(e->file);
	kfree(e->name);
	kfree(e);
	return error;
}

int
process_exec(const char *path, const char *const argv[],
    const char *const envp[])
{
	struct exec_args args;
	struct fs_ctx ctx;
	int error;

	error = exec_args_from_kernel(&args, argv, envp);
	if (error == 0) {
		fs_ctx_get(&ctx);
		error = exec_at(&ctx.vfs, NULL, path, WALK_FOLLOW, path, false,
		    &args);
		fs_ctx_put(&ctx);
	}
	exec_args_free(&args);
	return error;
}

/* "/dev/fd/N" or "/dev/fd/N/name": how a program found by number is called. */
static char *
name_by_number(int fd, const char *name)
{
	size_t size = strlen(name) + 24;
	char *s = kmalloc(size);

	if (s != NULL)
		snprintf(s, size,
		    name[0] == '\0' ? "/dev/fd/%d%s" : "/dev/fd/%d/%s", fd,
		    name);
	return s;
}

static int
exec_named(struct at_name *at, int fd, int flags, struct exec_args *args)
{
	const char *name = at->name.text, *filename = name;
	unsigned walk = 0;
	bool cloexec = false;
	char *made = NULL;
	int error;

	if ((flags & AT_SYMLINK_NOFOLLOW) == 0)
		walk |= WALK_FOLLOW;
	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	if (fd != AT_FDCWD && name[0] != '/') {
		filename = made = name_by_number(fd, name);
		if (made == NULL)
			return -ENOMEM;
		cloexec = fd_cloexec(fd) == 1;
	}
	error = exec_at(&at->ctx.vfs, at->base, name, walk, filename, cloexec,
	    args);
	kfree(made);
	return error;
}

long
sys_execveat(int fd, uaddr_t path, uaddr_t argv, uaddr_t envp, int flags)
{
	struct exec_args args;
	struct at_name at;
	int error;

	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	error = at_name_get(&at, fd, path,
	    (flags & AT_EMPTY_PATH) != 0 ? NAME_MAY_BE_EMPTY : 0);
	if (error != 0)
		return error;
	error = exec_args_from_user(&args, argv, envp);
	if (error == 0)
		error = exec_named(&at, fd, flags, &args);
	exec_args_free(&args);
	at_name_put(&at);
	return error;
}

long
sys_execve(uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	return sys_execveat(AT_FDCWD, path, argv, envp, 0);
}
