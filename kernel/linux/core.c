/* SPDX-License-Identifier: ISC */
/* core.c - who writes a core, where, and who waits meanwhile: see core.h. */
#include "linux/core.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "abi/mode.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "x86/cpu.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define CORE_NAME     "core" /* kernel.core_pattern */
#define STATUS_DUMPED 0x80   /* in wait's word */

/* What a debugger is to see of the caller is brought where it will look. */
static void
save_self(struct core_task *ct)
{
	struct task *t = task_self();

	ct->task = t;
	ct->fsbase = user_fsbase();
	ct->gsbase = user_gsbase();
	fpu_save(t->thread);
}

void
core_park(void)
{
	struct process *p = process_self();
	struct core_task self;
	uint64_t irq;
	bool parked;

	if (__atomic_load_n(&p->core, __ATOMIC_ACQUIRE) == NULL)
		return;
	save_self(&self);
	irq = spin_lock_irq(&p->signals->lock);
	parked = p->core != NULL;
	if (parked) {
		TAILQ_INSERT_TAIL(&p->core->tasks, &self, link);
		p->core->nparked++;
	}
	spin_unlock_irq(&p->signals->lock, irq);
	if (!parked)
		return;
	waitq_wake_all(&p->child_wait);
	wait_event(&p->child_wait,
	    __atomic_load_n(&p->core, __ATOMIC_ACQUIRE) == NULL);
}

/* Those that ended by themselves wake us, too. */
static bool
all_parked(struct process *p)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	bool all = p->core->nparked + 1 >= p->ntasks;

	spin_unlock_irq(&p->signals->lock, irq);
	return all;
}

/* A file of one's own, and no one else's name for it.  -EPERM and open's */
static int
open_core(const struct vfs_ctx *ctx, uint32_t uid, struct file **out)
{
	struct file *f;
	int error = vfs_open(ctx, NULL, CORE_NAME,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600, 0, &f);

	if (error != 0)
		return error;
	if (!S_ISREG(f->inode->mode) || f->inode->nlink != 1 ||
	    f->inode->uid != uid)
		error = -EPERM;
	if (error == 0)
		error = file_truncate(ctx, f, 0);
	if (error == 0)
		*out = f;
	else
		file_put(f);
	return error;
}

static int
write_core(struct process *p, struct core *core, uint64_t limit)
{
	struct fs_ctx ctx;
	struct file *f;
	int error;

	fs_ctx_get(&ctx);
	error = open_core(&ctx.vfs, ctx.cred.uid, &f);
	if (error == 0) {
		error = core_write(f, p, core, limit);
		file_put(f);
	}
	fs_ctx_put(&ctx);
	return error;
}

/* false: the process ends already, of something else. */
static bool
stop_others(struct process *p, struct core *core, int status)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	bool mine = !p->exiting && p->survivor == NULL;

	if (mine) {
		__atomic_store_n(&p->core, core, __ATOMIC_RELEASE);
		process_ends_locked(p, status);
		process_interrupt_others_locked(p);
	}
	spin_unlock_irq(&p->signals->lock, irq);
	return mine;
}

static void
let_others_end(struct process *p, bool dumped)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);

	if (dumped)
		p->exit_code |= STATUS_DUMPED;
	__atomic_store_n(&p->core, NULL, __ATOMIC_RELEASE);
	spin_unlock_irq(&p->signals->lock, irq);
	waitq_wake_all(&p->child_wait);
}

void
core_exit(const siginfo_t *info)
{
	struct process *p = process_self();
	uint64_t limit = p->rlimits[RLIMIT_CORE].rlim_cur;
	int error, status = WAIT_STATUS_SIGNAL(info->si_signo);
	struct core core = { .info = info };
	struct core_task self;

	if (limit < PAGE_SIZE || !p->dumpable || p->vm == NULL)
		process_exit(status);
	TAILQ_INIT(&core.tasks);
	save_self(&self);
	TAILQ_INSERT_HEAD(&core.tasks, &self, link);
	if (!stop_others(p, &core, status))
		process_exit(status);
	wait_event(&p->child_wait, all_parked(p));
	error = write_core(p, &core, limit);
	if (error != 0)
		log_info("%s[%d]: no core: error %d", p->comm, p->pid, -error);
	let_others_end(p, error == 0);
	process_exit(status);
}
