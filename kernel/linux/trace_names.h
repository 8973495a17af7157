/* SPDX-License-Identifier: ISC */
/* trace_names.h - flags and choices by name, for trace.c.  Name NULL ends. */
#ifndef LINUX_TRACE_NAMES_H
#define LINUX_TRACE_NAMES_H

#include "kern/types.h"

struct trace_name {
	uint64_t value;
	const char *name;
};

extern const struct trace_name trace_open_flags[], trace_prot_flags[],
    trace_map_flags[], trace_at_flags[], trace_access_flags[], trace_sa_flags[],
    trace_sigmask_hows[], trace_whences[], trace_fcntls[], trace_ioctls[],
    trace_clocks[], trace_resources[], trace_itimers[], trace_futex_ops[],
    trace_arch_prctls[];

/* "SEGV_MAPERR", "SI_USER"; a number where there is no name. */
const char *trace_si_code(int signo, int code);

#endif
