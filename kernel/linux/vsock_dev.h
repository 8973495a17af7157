/* SPDX-License-Identifier: ISC */
/* vsock_dev.h - /dev/vsock. */
#ifndef LINUX_VSOCK_DEV_H
#define LINUX_VSOCK_DEV_H

/* At boot: sockets to the host wait for their carrier, and have a node. */
void vsock_device_init(void);

#endif
