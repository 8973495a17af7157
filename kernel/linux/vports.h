/* SPDX-License-Identifier: ISC */
/*
 * vports.h - /dev/vportNpM and /dev/virtio-ports/NAME: ports of virtio
 * consoles for programs.
 */
#ifndef LINUX_VPORTS_H
#define LINUX_VPORTS_H

/* At boot: waits for ports to arrive (dev/vport.h). */
void vports_init(void);

#endif
