/* SPDX-License-Identifier: ISC */
/* hwrng.h - /dev/hwrng. */
#ifndef LINUX_HWRNG_H
#define LINUX_HWRNG_H

/* At boot, before drivers attach: the node comes with the first source. */
void hwrng_device_init(void);

#endif
