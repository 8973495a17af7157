/* SPDX-License-Identifier: ISC */
/*
 * aclinux.h - Remora's settings for ACPICA, in the place of Linux's: what its
 * <acpi/platform/acenv.h> includes where __linux__ is defined, as compilers
 * here do.  The operating system's services themselves are bus/acpi_osl*.c.
 */
#ifndef REMORA_ACLINUX_H
#define REMORA_ACLINUX_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ACPI_MACHINE_WIDTH        64
#define COMPILER_DEPENDENT_INT64  long
#define COMPILER_DEPENDENT_UINT64 unsigned long
#define ACPI_USE_SYSTEM_CLIBRARY
#define ACPI_USE_DO_WHILE_0
#define ACPI_USE_NATIVE_DIVIDE
#define ACPI_USE_NATIVE_MATH64
#define ACPI_PCI_CONFIGURED
#define USE_NATIVE_ALLOCATE_ZEROED

/* A table whose sum is wrong is no table. */
#define ACPI_CHECKSUM_ABORT TRUE
/* Some hosts' packages name what is not there; those entries are dropped. */
#define ACPI_IGNORE_PACKAGE_RESOLUTION_ERRORS
/* What went wrong is said once, by an exception handler (bus/acpi.c). */
#define ACPI_NO_ERROR_MESSAGES

#define ACPI_STRUCT_INIT(field, value) .field = value

#define acpi_cache_t   struct acpi_objects
#define acpi_spinlock  struct acpi_lock *
#define acpi_semaphore struct acpi_sem *
#define acpi_cpu_flags uint64_t
#define acpi_uintptr_t uintptr_t
struct acpi_objects;
struct acpi_lock;
struct acpi_sem;

#define __init
#define __iomem
#define __cdecl

#endif
