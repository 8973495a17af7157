/* SPDX-License-Identifier: ISC */
/*
 * oom.h - no memory is left for a program that touches some: one is chosen
 * and killed, and the others go on.
 */
#ifndef LINUX_OOM_H
#define LINUX_OOM_H

#include "kern/types.h"

struct process;

/*
 * user_ops.out_of_memory: true: some came free, or will; the access may be
 * tried again.  false: the caller shall end.  May sleep, `for_long` only while
 * it holds no lock.
 */
bool oom_handle(bool for_long);
/*
 * For a call of the current task that got -ENOMEM and has undone all of it:
 * true, it may be tried again.  Sleeps; no lock is held.
 */
bool oom_make_room(void);
/* How much p would give back, in pages, its oom_score_adj in it; >= 0. */
int64_t oom_points(uint64_t resident, int adj);
/* That process gave its memory back. */
void oom_memory_came_free(int32_t pid);

/* How many were killed since boot. */
uint64_t oom_kills(void);

#endif
