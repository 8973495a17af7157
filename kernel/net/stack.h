/* SPDX-License-Identifier: ISC */
/*
 * stack.h - the network as a whole: lwIP's life, its one lock, its thread.
 *
 * Nothing of it exists until somebody needs it: a socket of the Internet
 * families, a card when the first program runs, or ip= on the command line.
 *
 * The network lock is a sleep lock; whoever calls lwIP, or touches what hangs
 * on it, holds it.  It is innermost of the sleep locks: no copy to or from a
 * program happens under it.  Unlocking sends what was put together meanwhile
 * and lets packets to this machine arrive.
 */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "kern/types.h"

struct boot_info;

/* Boot step: who is told of cards. */
int net_init(const struct boot_info *bi);
/*
 * The first program is about to run.  What has to be there before it (ip=) is
 * waited for, within limits; the rest is done behind its back.
 */
void net_begin(void);
/* Returns when the network works; again is cheap.  May sleep.  -ENOMEM */
int net_up(void);
bool net_is_up(void);

/* ioctls on interfaces and routes, which any socket answers.  May sleep. */
long net_ioctl(unsigned cmd, uint64_t arg);

/* May sleep. */
void net_lock(void);
void net_unlock(void);
bool net_locked(void); /* by the caller; for KASSERT */

/* The network's thread has something to do.  Any context. */
void net_kick(void);

#endif
