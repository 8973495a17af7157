/* SPDX-License-Identifier: ISC */
/*
 * unknown_call.c - calls that no kernel of ours has: ENOSYS each time, logged
 * by name once.  Not for a host, where they exist.
 */
#include "check.h"

#include <sys/syscall.h>

int
main(void)
{
	CHECK_ERR(syscall(SYS_kexec_load, 0, 0, 0, 0), ENOSYS);
	CHECK_ERR(syscall(SYS_kexec_load, 0, 0, 0, 0), ENOSYS);
	CHECK_ERR(syscall(100000), ENOSYS);
	CHECK_ERR(syscall(-1L), ENOSYS);
	CHECK_ERR(syscall(0x7fffffffffffffffL), ENOSYS);
	CHECK_ERR(syscall(0x40000000L | SYS_getpid), ENOSYS);
	return check_done();
}
