/* SPDX-License-Identifier: ISC */
/* devctl.h - /dev/devctl. */
#ifndef LINUX_DEVCTL_H
#define LINUX_DEVCTL_H

/* Boot: the node.  As chrdev_register(). */
int devctl_init(void);

#endif
