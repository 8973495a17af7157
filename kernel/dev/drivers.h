/* SPDX-License-Identifier: ISC */
/* drivers.h - the table of all drivers, for the device tree. */
#ifndef DEV_DRIVERS_H
#define DEV_DRIVERS_H

#include "bus/device.h"

/* Ends with NULL. */
extern const struct driver *const drivers[];

extern const struct driver vtblk_driver, vtrng_driver, vt9p_driver;
extern const struct driver nvme_driver;
extern const struct driver vtnet_driver;
extern const struct driver vtcon_driver, vtscsi_driver, sd_driver;
extern const struct driver vtballoon_driver, vtvsock_driver;

#endif
