/* SPDX-License-Identifier: ISC */
/*
 * accel.h - whether KVM works here, found out by using it.
 */
#ifndef CLI_ACCEL_H
#define CLI_ACCEL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs a tiny guest with KVM in a child process, at most for a moment, and
 * checks that it did what it should and at the speed of a processor.
 * `why` gets one line of explanation.  The result is kept for as long as
 * this system runs, in a file that only its owner can change.
 */
bool accel_kvm_works(char *why, size_t size);

/* The same without the file. */
bool accel_probe_kvm(char *why, size_t size);

#endif
