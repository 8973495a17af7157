/* SPDX-License-Identifier: ISC */
/*
 * version.h - what uname(2) and /proc/version answer.  The release is that of
 * the Linux whose system calls are offered, so that C libraries' checks of it
 * ("kernel too old") pass.
 */
#ifndef LINUX_VERSION_H
#define LINUX_VERSION_H

#define LINUX_SYSNAME "Linux"
#define LINUX_RELEASE "6.1.0-remora"
#define LINUX_VERSION "#1 SMP Remora " REMORA_VERSION
#define LINUX_MACHINE "x86_64"

#endif
