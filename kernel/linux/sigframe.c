/* SPDX-License-Identifier: ISC */
/*
 * sigframe.c - signal frames as Linux lays them out on x86-64, byte for byte:
 * unwinders, debuggers and language runtimes read and edit them.
 * <asm/sigcontext.h>, <asm/ucontext.h>.
 *
 * From the top of the stack downwards: the FPU state, 64-byte aligned, and
 * below it struct rt_sigframe, placed so that the handler is entered as if it
 * had been called.
 */
#include "linux/sigframe.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "x86/cpu.h"
#include "x86/layout.h"
#include "x86/trapframe.h"
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <linux/errno.h>

struct rt_sigframe {
	uint64_t return_address; /* SA_RESTORER */
	struct ucontext uc;
	siginfo_t info;
};
_Static_assert(sizeof(struct ucontext) == 304, "struct ucontext");
_Static_assert(offsetof(struct rt_sigframe, info) == 312, "rt_sigframe");

#define RED_ZONE 128 /* below rsp, the program's own (System V ABI, 3.2.2) */

#define MXCSR_OFFSET      24
#define MXCSR_MASK_OFFSET 28
#define XSTATE_HEADER     512 /* xstate_bv, xcomp_bv, reserved */
#define XSTATE_HEADER_LEN 64
#define XSTATE_FP_SSE     3ull

/* What stands between the registers of old and those that came later. */
struct fpu_middle {
	struct _fpx_sw_bytes sw; /* Linux's own */
	uint64_t header[XSTATE_HEADER_LEN / 8];
};
_Static_assert(offsetof(struct _fpstate_64, sw_reserved) +
	    offsetof(struct fpu_middle, header) ==
	XSTATE_HEADER,
    "SDM vol. 1, 13.4.2");

/* What a program may set in rflags; IF stays on, IOPL and the rest off. */
#define RFLAGS_USER                                                      \
	(RFLAGS_AC | 0x800ul | RFLAGS_DF | RFLAGS_TF | 0x80ul | 0x40ul | \
	    0x10ul | 4ul | 1ul | RFLAGS_RF)

uint64_t
sigframe_rflags(uint64_t rflags, uint64_t wanted)
{
	return (rflags & ~RFLAGS_USER) | (wanted & RFLAGS_USER);
}

bool
sigaltstack_holds(uaddr_t sp)
{
	struct signal_state *ss = task_self()->signals;

	if ((ss->altstack_flags & (SS_DISABLE | SS_AUTODISARM)) != 0)
		return false;
	return sp > ss->altstack && sp - ss->altstack <= ss->altstack_size;
}

/* Every byte is set: it goes to the program. */
static stack_t
altstack_now(const struct signal_state *ss)
{
	stack_t st;

	memset(&st, 0, sizeof(st));
	st.ss_sp = (void *)ss->altstack;
	st.ss_flags = ss->altstack_flags;
	st.ss_size = ss->altstack_size;
	return st;
}

/* ---- the FPU's part ---- */

static bool
has_xsave(void)
{
	return cpu_features()->xsave;
}

/* Bytes on the stack: the state, and Linux's second mark behind it. */
static size_t
fpu_frame_size(void)
{
	return cpu_features()->fpu_size +
	    (has_xsave() ? FP_XSTATE_MAGIC2_SIZE : 0);
}

static void
fill_sw_bytes(struct _fpx_sw_bytes *sw)
{
	memset(sw, 0, sizeof(*sw));
	if (!has_xsave())
		return;
	sw->magic1 = FP_XSTATE_MAGIC1;
	sw->extended_size = fpu_frame_size();
	sw->xfeatures = cpu_features()->xcr0;
	sw->xstate_size = cpu_features()->fpu_size;
}

/* Straight from the registers: what is around them goes first. */
static int
fpu_push_registers(uaddr_t at)
{
	struct fpu_middle middle = { 0 };
	uint64_t features;

	fill_sw_bytes(&middle.sw);
	if (copyout(at + offsetof(struct _fpstate_64, sw_reserved), &middle,
		sizeof(middle)) != 0 ||
	    fpu_store_user(at) != 0 ||
	    copyin(&features, at + XSTATE_HEADER, sizeof(features)) != 0)
		return -EFAULT;
	if ((features & XSTATE_FP_SSE) == XSTATE_FP_SSE)
		return 0;
	/* The old part counts as present even where it is as at the start. */
	features |= XSTATE_FP_SSE;
	return copyout(at + XSTATE_HEADER, &features, sizeof(features));
}

/* The same by way of the thread's save area. */
static int
fpu_push_saved(uaddr_t at)
{
	struct thread *self = thread_self();
	struct _fpx_sw_bytes sw;
	uint64_t features;

	fpu_save(self);
	fill_sw_bytes(&sw);
	if (copyout(at, self->fpu, cpu_features()->fpu_size) != 0 ||
	    copyout(at + offsetof(struct _fpstate_64, sw_reserved), &sw,
		sizeof(sw)) != 0)
		return -EFAULT;
	if (!has_xsave())
		return 0;
	memcpy(&features, (char *)self->fpu + XSTATE_HEADER, sizeof(features));
	features |= XSTATE_FP_SSE;
	return copyout(at + XSTATE_HEADER, &features, sizeof(features));
}

static int
fpu_push(uaddr_t at)
{
	const uint32_t magic2 = FP_XSTATE_MAGIC2;

	if (has_xsave() &&
	    copyout(at + cpu_features()->fpu_size, &magic2, sizeof(magic2)) !=
		0)
		return -EFAULT;
	return fpu_push_registers(at) == 0 ? 0 : fpu_push_saved(at);
}

/* Has the frame a whole extended state, or the old 512 bytes only? */
static bool
is_extended(uaddr_t at)
{
	struct _fpx_sw_bytes sw;
	uint32_t magic2;

	return copyin(&sw, at + offsetof(struct _fpstate_64, sw_reserved),
		   sizeof(sw)) == 0 &&
	    sw.magic1 == FP_XSTATE_MAGIC1 &&
	    sw.xstate_size == cpu_features()->fpu_size &&
	    sw.extended_size >= sw.xstate_size &&
	    copyin(&magic2, at + sw.xstate_size, sizeof(magic2)) == 0 &&
	    magic2 == FP_XSTATE_MAGIC2;
}

/* Nothing that the processor would refuse to load. */
int
sigframe_check_fpu(uint8_t *area, bool extended)
{
	uint32_t mxcsr, allowed = 0;
	uint64_t header[XSTATE_HEADER_LEN / 8];
	unsigned i;

	fpu_save(thread_self()); /* the mask comes with it */
	memcpy(&mxcsr, area + MXCSR_OFFSET, sizeof(mxcsr));
	memcpy(&allowed, (uint8_t *)thread_self()->fpu + MXCSR_MASK_OFFSET,
	    sizeof(allowed));
	if (allowed == 0)
		allowed = 0xffbf;
	if ((mxcsr & ~allowed) != 0)
		return -EINVAL;
	if (!has_xsave())
		return 0;
	memcpy(header, area + XSTATE_HEADER, sizeof(header));
	if (!extended) {
		memset(header, 0, sizeof(header));
		header[0] = XSTATE_FP_SSE;
		memcpy(area + XSTATE_HEADER, header, sizeof(header));
	}
	header[0] &= ~cpu_features()->xcr0;
	for (i = 0; i < ARRAY_SIZE(header); i++)
		if (header[i] != 0)
			return -EINVAL;
	return 0;
}

/* By way of a save area, which is looked at. */
static int
fpu_pop_checked(uaddr_t at, bool extended)
{
	struct thread *self = thread_self();
	size_t size = cpu_features()->fpu_size;
	uint8_t *area = fpu_area_alloc();
	int error;

	if (area == NULL)
		return -ENOMEM;
	/* All at once, if it is there; else the part that must be. */
	error = copyin(area, at, size);
	if (error != 0) {
		extended = false;
		memset(area, 0, size);
		error = copyin(area, at, sizeof(struct _fpstate_64));
	}
	if (error == 0)
		error = sigframe_check_fpu(area, extended);
	if (error == 0)
		fpu_swap(self, (void **)&area);
	fpu_area_free(area);
	return error;
}

static int
fpu_pop(uaddr_t at)
{
	bool extended;

	if (at == 0) {
		fpu_drop(thread_self());
		return 0;
	}
	extended = has_xsave() && is_extended(at);
	if (extended && fpu_load_user(at) == 0)
		return 0;
	return fpu_pop_checked(at, extended);
}

/* ---- the registers ---- */

/* Every byte is set: it goes to the program. */
static void
fill_sigcontext(struct sigcontext *sc, const struct trapframe *tf,
    uint64_t mask, uaddr_t fpstate)
{
	struct task *t = task_self();

	sc->r8 = tf->r8;
	sc->r9 = tf->r9;
	sc->r10 = tf->r10;
	sc->r11 = tf->r11;
	sc->r12 = tf->r12;
	sc->r13 = tf->r13;
	sc->r14 = tf->r14;
	sc->r15 = tf->r15;
	sc->rdi = tf->rdi;
	sc->rsi = tf->rsi;
	sc->rbp = tf->rbp;
	sc->rbx = tf->rbx;
	sc->rdx = tf->rdx;
	sc->rax = tf->rax;
	sc->rcx = tf->rcx;
	sc->rsp = tf->rsp;
	sc->rip = tf->rip;
	sc->eflags = tf->rflags;
	sc->cs = tf->cs;
	sc->gs = sc->fs = 0;
	sc->ss = tf->ss;
	sc->err = t->fault_error;
	sc->trapno = t->fault_trapno;
	sc->oldmask = mask;
	sc->cr2 = t->fault_addr;
	sc->fpstate = (void *)fpstate;
	memset(sc->reserved1, 0, sizeof(sc->reserved1));
}

static void
load_sigcontext(struct trapframe *tf, const struct sigcontext *sc)
{
	tf->r8 = sc->r8;
	tf->r9 = sc->r9;
	tf->r10 = sc->r10;
	tf->r11 = sc->r11;
	tf->r12 = sc->r12;
	tf->r13 = sc->r13;
	tf->r14 = sc->r14;
	tf->r15 = sc->r15;
	tf->rdi = sc->rdi;
	tf->rsi = sc->rsi;
	tf->rbp = sc->rbp;
	tf->rbx = sc->rbx;
	tf->rdx = sc->rdx;
	tf->rax = sc->rax;
	tf->rcx = sc->rcx;
	tf->rsp = sc->rsp;
	tf->rip = sc->rip;
	tf->rflags = sigframe_rflags(tf->rflags, sc->eflags);
	tf->cs = SEL_UCODE;
	tf->ss = SEL_UDATA;
	tf->orig_rax = ~0ull; /* no call to restart */
}

/* Where the frame goes; the FPU's state too. */
static uaddr_t
place_frame(const struct trapframe *tf, const struct sigaction *act,
    uaddr_t *fpstate)
{
	struct signal_state *ss = task_self()->signals;
	uaddr_t sp = tf->rsp - RED_ZONE;

	if ((act->sa_flags & SA_ONSTACK) != 0 &&
	    (ss->altstack_flags & SS_DISABLE) == 0 &&
	    !sigaltstack_holds(tf->rsp))
		sp = ss->altstack + ss->altstack_size;
	*fpstate = ROUND_DOWN(sp - fpu_frame_size(), 64);
	return ROUND_DOWN(*fpstate - sizeof(struct rt_sigframe), 16) - 8;
}

/* A handler's stack that overran the alternate one: the frame is outside. */
static bool
overflows_altstack(const struct trapframe *tf, uaddr_t frame)
{
	return sigaltstack_holds(tf->rsp) && !sigaltstack_holds(frame);
}

static void
enter_handler(struct trapframe *tf, const struct sigaction *act, int signo,
    uaddr_t frame)
{
	tf->rdi = signo;
	tf->rsi = frame + offsetof(struct rt_sigframe, info);
	tf->rdx = frame + offsetof(struct rt_sigframe, uc);
	tf->rax = 0;
	tf->rip = (uint64_t)act->sa_handler;
	tf->rsp = frame;
	tf->cs = SEL_UCODE;
	tf->ss = SEL_UDATA;
	tf->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	tf->orig_rax = ~0ull;
}

int
sigframe_push(struct trapframe *tf, int signo, const siginfo_t *info,
    const struct sigaction *act, uint64_t mask)
{
	struct signal_state *ss = task_self()->signals;
	struct rt_sigframe f;
	uaddr_t fpstate, frame;
	int error;

	if ((act->sa_flags & SA_RESTORER) == 0 ||
	    (uint64_t)act->sa_handler >= USER_END)
		return -EFAULT;
	frame = place_frame(tf, act, &fpstate);
	if (overflows_altstack(tf, frame))
		return -EFAULT;
	error = fpu_push(fpstate);
	if (error != 0)
		return error;
	f.return_address = (uint64_t)act->sa_restorer;
	f.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
	    (has_xsave() ? UC_FP_XSTATE : 0);
	f.uc.uc_link = NULL;
	f.uc.uc_stack = altstack_now(ss);
	f.uc.uc_sigmask = mask;
	fill_sigcontext(&f.uc.uc_mcontext, tf, mask, fpstate);
	f.info = *info;
	if (copyout(frame, &f, sizeof(f)) != 0)
		return -EFAULT;
	if ((ss->altstack_flags & SS_AUTODISARM) != 0) {
		ss->altstack = ss->altstack_size = 0;
		ss->altstack_flags = SS_DISABLE;
	}
	fpu_drop(thread_self()); /* the handler begins with a fresh one */
	enter_handler(tf, act, signo, frame);
	return 0;
}

static void
restore_altstack(const stack_t *st)
{
	struct signal_state *ss = task_self()->signals;

	ss->altstack = (uaddr_t)st->ss_sp;
	ss->altstack_size = st->ss_size;
	ss->altstack_flags = st->ss_flags & (SS_DISABLE | SS_AUTODISARM);
}

long
sys_rt_sigreturn(void)
{
	struct trapframe *tf = tf_of_thread();
	uaddr_t frame = tf->rsp - sizeof(uint64_t);
	struct ucontext uc;

	if (copyin(&uc, frame + offsetof(struct rt_sigframe, uc), sizeof(uc)) !=
		0 ||
	    uc.uc_mcontext.rip >= USER_END ||
	    fpu_pop((uaddr_t)uc.uc_mcontext.fpstate) != 0) {
		log_info("%s[%d]: bad frame in rt_sigreturn, frame:%lx ip:%lx "
			 "sp:%lx",
		    task_self()->comm, task_self()->tid, frame, tf->rip,
		    tf->rsp);
		signal_force_self(SIGSEGV);
		return 0;
	}
	load_sigcontext(tf, &uc.uc_mcontext);
	signal_mask_set(uc.uc_sigmask);
	restore_altstack(&uc.uc_stack);
	return tf->rax;
}
