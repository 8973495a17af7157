/* SPDX-License-Identifier: ISC */
/*
 * seccomp_notify.h - another program decides about a call: what becomes of it
 * while filters answer SECCOMP_RET_USER_NOTIF.  seccomp_unotify(2)
 *
 * A listener stands between one filter and one open file, its supervisor's.
 * Each holds it until it goes: the filter with the last task that has it, the
 * file with its last descriptor.
 */
#ifndef LINUX_SECCOMP_NOTIFY_H
#define LINUX_SECCOMP_NOTIFY_H

#include "kern/types.h"

struct file;
struct seccomp_data;
struct seccomp_listener;

/*
 * A listener for a new filter, and its file.  `killable`: once a call has been
 * received, only a deadly signal takes it back.  Both are the caller's, who
 * gives them up by seccomp_listener_abandon() and file_put().  May sleep.
 *   -ENOMEM
 */
int seccomp_listener_create(bool killable, struct seccomp_listener **l,
    struct file **file);
/* Is the file still open? */
bool seccomp_listener_is_open(struct seccomp_listener *l);
/* The filter goes: nobody will ask any more.  NULL is harmless. */
void seccomp_listener_abandon(struct seccomp_listener *l);

/*
 * Asks the supervisor about the calling task's call, and waits for the answer;
 * does not return before.  True: the call shall be carried out; false: *value
 * is its result, -ERESTARTSYS if a signal came, -ENOSYS if nobody listens.
 */
bool seccomp_listener_ask(struct seccomp_listener *l,
    const struct seccomp_data *data, int64_t *value);

#endif
