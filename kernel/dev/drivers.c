/* SPDX-License-Identifier: ISC */
/*
 * drivers.c - all drivers, in sight.  Where two fit a device equally well, the
 * upper one gets it.
 */
#include "dev/drivers.h"

const struct driver *const drivers[] = {
	NULL,
};
