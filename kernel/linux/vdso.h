/* SPDX-License-Identifier: ISC */
/*
 * vdso.h - the vDSO's bytes in the kernel's image, whole pages.
 */
#ifndef LINUX_VDSO_H
#define LINUX_VDSO_H

#include "kern/types.h"

extern const char vdso_image[], vdso_image_end[];

#endif
