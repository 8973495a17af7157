/* SPDX-License-Identifier: ISC */
/* apply.h - does what a seed asks for. */
#ifndef CLOUD_APPLY_H
#define CLOUD_APPLY_H

#include "guest/cloud/seed.h"

/* In cloud-init's order.  What fails is told, and the rest is done. */
void apply(const struct seed *seed);

#endif
