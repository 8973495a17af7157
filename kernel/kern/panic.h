/* SPDX-License-Identifier: ISC */
/*
 * panic.h - assertions and the end of everything.  Only for the kernel's own
 * bugs: what a host, disk, packet or program wrote is checked and answered.
 */
#ifndef KERN_PANIC_H
#define KERN_PANIC_H

#include "kern/types.h"

/* Prints cause, registers and a symbolised backtrace, reports to the host. */
void panic(const char *fmt, ...) __printflike(1, 2) __noreturn;
/* The same, caused by a trap: shows its registers. */
struct trapframe;
void panic_trap(const struct trapframe *tf, const char *fmt, ...)
    __printflike(2, 3) __noreturn;
/* The same; before the end every other processor tells where it is. */
void panic_all(const char *fmt, ...) __printflike(1, 2) __noreturn;

#define KASSERT(e) ((e) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #e))

#endif
