/* SPDX-License-Identifier: ISC */
/*
 * devctl.h - /dev/devctl, by which devctl(8) speaks with the device tree.
 *
 * Reading it from the start gives the tree, a line a node, parents first:
 *	DEPTH ADDRESS NAME STATE FLAGS
 * with "-" for a name where there is no driver, and flags of "d" (disabled),
 * "b" (a bus that can be looked at anew) or "-".  One ioctl does all the rest.
 */
#ifndef ABI_DEVCTL_H
#define ABI_DEVCTL_H

#include <stdint.h>

enum devctl_op {
	DEVCTL_RESCAN = 1,
	DEVCTL_ATTACH,
	DEVCTL_DETACH,
	DEVCTL_ENABLE,
	DEVCTL_DISABLE,
	DEVCTL_SET_DRIVER, /* name: the driver; force: detach another */
	DEVCTL_CLEAR_DRIVER,
	DEVCTL_RESET,
	DEVCTL_DELETE, /* take the node away, until the next look */
};

struct devctl_req {
	uint32_t op;
	uint32_t force;
	char device[64]; /* by name or address, NUL-terminated */
	char name[32];
};

#define DEVCTL_MAJOR 10
#define DEVCTL_MINOR 240 /* for local use */
/* _IOW('R', 1, struct devctl_req) */
#define DEVCTL_IOC_DO 0x40685201u

#endif
