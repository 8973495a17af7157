/* SPDX-License-Identifier: ISC */
/* kmemleak.h - ACPICA's copy tells Linux's leak detector of what it keeps. */
#ifndef THIRD_KMEMLEAK_H
#define THIRD_KMEMLEAK_H

#define kmemleak_not_leak(p) ((void)(p))

#endif
