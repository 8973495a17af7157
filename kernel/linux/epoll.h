/* SPDX-License-Identifier: ISC */
/*
 * epoll.h - what the rest of the kernel must tell epoll(7).
 */
#ifndef LINUX_EPOLL_H
#define LINUX_EPOLL_H

struct file;

/* The last reference of a file with file->polls set is gone. */
void epoll_file_gone(struct file *file);

#endif
