/* SPDX-License-Identifier: ISC */
/*
 * sys_socket.h - the system calls on sockets.  Arguments, values and errors
 * are those of the manual page of the name.  All may sleep.
 */
#ifndef LINUX_SYS_SOCKET_H
#define LINUX_SYS_SOCKET_H

#include "kern/types.h"
#include "linux/fdtable.h"
#include "net/socket.h"

/* sys_socket.c */
long sys_socket(int family, int type, int protocol);
long sys_socketpair(int family, int type, int protocol, uaddr_t fds);
long sys_bind(int fd, uaddr_t addr, int len);
long sys_listen(int fd, int backlog);
long sys_accept(int fd, uaddr_t addr, uaddr_t len);
long sys_accept4(int fd, uaddr_t addr, uaddr_t len, unsigned flags);
long sys_connect(int fd, uaddr_t addr, int len);
long sys_getsockname(int fd, uaddr_t addr, uaddr_t len);
long sys_getpeername(int fd, uaddr_t addr, uaddr_t len);
long sys_shutdown(int fd, int how);
long sys_setsockopt(int fd, int level, int name, uaddr_t value, int len);
long sys_getsockopt(int fd, int level, int name, uaddr_t value, uaddr_t len);
/* Boot: what the sockets' floor asks of this one. */
void sys_socket_init(void);

/* sys_socket_msg.c */
long sys_sendto(int fd, uaddr_t buf, uint64_t len, unsigned flags, uaddr_t addr,
    int addr_len);
long sys_recvfrom(int fd, uaddr_t buf, uint64_t len, unsigned flags,
    uaddr_t addr, uaddr_t addr_len);
long sys_sendmsg(int fd, uaddr_t msg, unsigned flags);
long sys_recvmsg(int fd, uaddr_t msg, unsigned flags);
long sys_sendmmsg(int fd, uaddr_t vec, unsigned n, unsigned flags);
long
sys_recvmmsg(int fd, uaddr_t vec, unsigned n, unsigned flags, uaddr_t timeout);

/* For both: */

/* The socket behind a descriptor.  -EBADF, -ENOTSOCK; ref is for fd_put(). */
int socket_get(int fd, struct fdref *ref, struct socket **out);
/* -EINVAL, -EFAULT */
int socket_addr_get(struct sock_addr *addr, uaddr_t from, int len);
/* Copies out what fits, and the true length.  -EINVAL, -EFAULT */
int socket_addr_put(const struct sock_addr *addr, uaddr_t to, uaddr_t len);

#endif
