/* SPDX-License-Identifier: ISC */
/*
 * sock_option.h - options of SOL_SOCKET that socket.c does not know itself.
 * Context: threads; no lock is held.
 */
#ifndef NET_SOCK_OPTION_H
#define NET_SOCK_OPTION_H

#include "net/socket.h"

/* A number is set.  -ENOPROTOOPT: not one of these; -EPERM, -EACCES, -EINVAL */
int sock_option_set(struct socket *s, int name, int n);
/* As struct socket_ops' get_option, of SOL_SOCKET.  -ENOPROTOOPT, -EINVAL */
int sock_option_get(struct socket *s, int name, void *value, unsigned *len);
/* What SO_MEMINFO tells, by linux/sock_diag.h's SK_MEMINFO_* (all of them). */
void sock_memory(struct socket *s, uint32_t *v);
/* SO_RXQ_OVFL: how many messages had no room so far, if any. */
void sock_put_drops(const struct socket *s, struct sock_msg *m);

#endif
