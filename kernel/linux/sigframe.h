/* SPDX-License-Identifier: ISC */
/*
 * sigframe.h - what a handler finds on its stack, and the way back from it.
 */
#ifndef LINUX_SIGFRAME_H
#define LINUX_SIGFRAME_H

#include "linux/signal.h"

/*
 * Builds the frame for one signal and aims tf at the handler.  `mask` is the
 * one that rt_sigreturn(2) brings back.
 *   -EFAULT  the stack cannot hold it;  -ENOMEM
 */
int sigframe_push(struct trapframe *tf, int signo, const siginfo_t *info,
    const struct sigaction *act, uint64_t mask);

/* rflags with what a program may set taken from `wanted`. */
uint64_t sigframe_rflags(uint64_t rflags, uint64_t wanted);
/*
 * Makes an FPU area that a program wrote one that can be loaded; `extended`:
 * all of it was given, not only the first 512 bytes.  -EINVAL
 */
int sigframe_check_fpu(uint8_t *area, bool extended);

/* True if sp lies on the calling task's alternate stack. */
bool sigaltstack_holds(uaddr_t sp);

long sys_rt_sigreturn(void);

#endif
