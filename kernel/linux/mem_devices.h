/* SPDX-License-Identifier: ISC */
/* mem_devices.h - /dev/null, zero, full, random, urandom.  null(4), random(4) */
#ifndef LINUX_MEM_DEVICES_H
#define LINUX_MEM_DEVICES_H

#include "kern/types.h"

struct boot_info;

/* Boot step: announces the nodes.  -EBUSY */
int mem_devices_init(const struct boot_info *bi);

#endif
