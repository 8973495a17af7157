/* SPDX-License-Identifier: ISC */
/* rescan.h - looks at buses that programs ask for, no more than are useful. */
#ifndef LINUX_RESCAN_H
#define LINUX_RESCAN_H

struct device;

/*
 * device_rescan(), for a program: one such look at a time, and from the end of
 * one to the next a pause, so that a program that asks without end leaves the
 * bus to those who answer to the host.  Sleeps.
 *   -ERESTARTSYS  a signal came before it began;  or what device_rescan() says
 */
int rescan_for_program(struct device *bus);

#endif
