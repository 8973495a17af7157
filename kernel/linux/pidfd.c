/* SPDX-License-Identifier: ISC */
/*
 * pidfd.c - descriptors that stand for processes: pidfd_open(2),
 * pidfd_send_signal(2), pidfd_getfd(2), CLONE_PIDFD.
 *
 * A process for which there are such files has one struct pidfd, that all of
 * them share; it outlives the process.
 */
#include "linux/pidfd.h"

#include "fs/file.h"
#include "kern/sbuf.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "linux/procfs_pid.h"
#include "linux/signal.h"
#include "linux/sys_signal.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

struct pidfd {
	uint32_t refs;           /* process_lock */
	struct process *process; /* process_lock; NULL once reaped */
	int32_t pid;             /* [I] */
	struct waitq wq;         /* its end */
};

static const struct file_ops pidfd_ops;

static void
put_locked(struct pidfd *pf)
{
	if (--pf->refs == 0)
		kfree(pf);
}

/* p's, made at need, with a reference for the caller. */
static struct pidfd *
get_locked(struct process *p)
{
	struct pidfd *pf = p->pidfd;

	if (pf == NULL) {
		pf = kzalloc(sizeof(*pf));
		if (pf == NULL)
			return NULL;
		pf->refs = 1; /* the process's */
		pf->process = p;
		pf->pid = p->pid;
		waitq_init(&pf->wq);
		p->pidfd = pf;
	}
	pf->refs++;
	return pf;
}

void
pidfd_ended_locked(struct process *p)
{
	if (p->pidfd != NULL)
		waitq_wake_all(&p->pidfd->wq);
}

void
pidfd_reaped_locked(struct process *p)
{
	struct pidfd *pf = p->pidfd;

	if (pf == NULL)
		return;
	p->pidfd = NULL;
	pf->process = NULL;
	waitq_wake_all(&pf->wq);
	put_locked(pf);
}

static unsigned
pidfd_poll(struct file *file, struct poll_table *table)
{
	struct pidfd *pf = file->priv;
	struct process *p;
	unsigned events = 0;

	poll_wait(table, &pf->wq);
	mutex_lock(&process_lock);
	p = pf->process;
	if (p == NULL)
		events = POLLIN | POLLRDNORM | POLLHUP;
	else if (p->state == PROCESS_ZOMBIE)
		events = POLLIN | POLLRDNORM;
	mutex_unlock(&process_lock);
	return events;
}

static void
pidfd_release(struct file *file)
{
	mutex_lock(&process_lock);
	put_locked(file->priv);
	mutex_unlock(&process_lock);
}

static void
pidfd_show_fdinfo(struct file *file, struct sbuf *sb)
{
	struct pidfd *pf = file->priv;
	int pid = pf->process != NULL ? pf->pid : -1;

	sbuf_printf(sb, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static const struct file_ops pidfd_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.llseek = no_llseek,
	.show_fdinfo = pidfd_show_fdinfo,
};

int
pidfd_file(struct process *p, unsigned flags, struct file **out)
{
	struct pidfd *pf = get_locked(p);
	int error;

	if (pf == NULL)
		return -ENOMEM;
	error = file_create_anon("anon_inode:[pidfd]", 0600, NULL, &pidfd_ops,
	    pf, O_RDWR | (flags & O_NONBLOCK), out);
	if (error != 0)
		put_locked(pf);
	return error;
}

static struct pidfd *
pidfd_of(struct fdref ref)
{
	return ref.file != NULL && ref.file->ops == &pidfd_ops ?
	    ref.file->priv :
	    NULL;
}

int
pidfd_pid(int fd, int32_t *pid, bool *nonblock)
{
	struct fdref ref = fd_get(fd);
	struct pidfd *pf = pidfd_of(ref);

	if (pf != NULL) {
		*pid = pf->process != NULL ? pf->pid : 0;
		*nonblock = (ref.file->flags & O_NONBLOCK) != 0;
	}
	fd_put(ref);
	return pf != NULL ? 0 : -EBADF;
}

long
sys_pidfd_open(int32_t pid, unsigned flags)
{
	struct file *file = NULL;
	struct process *p;
	int error;

	if ((flags & ~(unsigned)O_NONBLOCK) != 0 || pid <= 0)
		return -EINVAL;
	mutex_lock(&process_lock);
	p = process_find_locked(pid);
	if (p != NULL)
		error = pidfd_file(p, flags, &file);
	else /* threads have none of their own */
		error = task_find_locked(pid) != NULL ? -EINVAL : -ESRCH;
	mutex_unlock(&process_lock);
	return error != 0 ? error : fd_open(file, true);
}

/* The process that a pidfd, or an open directory /proc/PID, stands for. */
static int
signalled(struct fdref ref, int32_t *pid)
{
	struct pidfd *pf = pidfd_of(ref);

	if (ref.file == NULL)
		return -EBADF;
	if (pf == NULL) {
		*pid = ref.file->inode != NULL ?
		    proc_pid_of_dir(ref.file->inode) :
		    0;
		return *pid == 0 ? -EBADF : 0;
	}
	*pid = pf->pid;
	return pf->process == NULL ? -ESRCH : 0;
}

long
sys_pidfd_send_signal(int fd, int signo, uaddr_t uinfo, unsigned flags)
{
	struct fdref ref;
	int32_t pid;
	int error;

	if (flags != 0)
		return -EINVAL;
	ref = fd_get(fd);
	error = signalled(ref, &pid);
	fd_put(ref);
	if (error != 0)
		return error;
	return uinfo == 0 ? sys_kill(pid, signo) :
			    sys_rt_sigqueueinfo(pid, signo, uinfo);
}

/* One of another process's files, for who may look into that process. */
static int
file_of_other(struct pidfd *pf, int target, struct file **out)
{
	const struct creds *mine = creds_self(), *its;
	struct fdtable *files;
	struct process *p;
	int error = 0;

	mutex_lock(&process_lock);
	p = pf->process;
	its = p != NULL ? p->creds : NULL;
	files = p != NULL ? fdtable_of_locked(p, NULL) : NULL;
	if (files == NULL) {
		error = -ESRCH;
	} else if (!capable(CAP_SYS_PTRACE) && p != process_self() &&
	    (mine->uid != its->uid || mine->uid != its->suid ||
		mine->uid != its->euid || mine->gid != its->gid)) {
		error = -EPERM;
	} else {
		*out = fdtable_file(files, (unsigned)target);
		if (*out == NULL)
			error = -EBADF;
	}
	mutex_unlock(&process_lock);
	return error;
}

long
sys_pidfd_getfd(int fd, int target, unsigned flags)
{
	struct fdref ref;
	struct pidfd *pf;
	struct file *file = NULL;
	int error;

	if (flags != 0)
		return -EINVAL;
	ref = fd_get(fd);
	pf = pidfd_of(ref);
	error = pf == NULL ? -EBADF : file_of_other(pf, target, &file);
	fd_put(ref);
	return error != 0 ? error : fd_open(file, true);
}
