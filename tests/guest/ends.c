/* SPDX-License-Identifier: ISC */
/*
 * ends.c - ends the machine by reboot(2), in the way its argument names.
 * Ends with status 3 if it comes back; never run on a host.
 */
#include "check.h"

#include <linux/reboot.h>
#include <sys/syscall.h>

static long
reboot_call(unsigned magic, unsigned magic2, unsigned cmd, const void *arg)
{
	return syscall(SYS_reboot, magic, magic2, cmd, arg);
}

static void
check_refusals(void)
{
	CHECK_ERR(reboot_call(1, LINUX_REBOOT_MAGIC2,
		      LINUX_REBOOT_CMD_POWER_OFF, NULL),
	    EINVAL);
	CHECK_ERR(reboot_call(LINUX_REBOOT_MAGIC1, 2,
		      LINUX_REBOOT_CMD_POWER_OFF, NULL),
	    EINVAL);
	CHECK_ERR(reboot_call(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, 0x12345,
		      NULL),
	    EINVAL);
	CHECK_ERR(reboot_call(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		      LINUX_REBOOT_CMD_RESTART2, (void *)8),
	    EFAULT);
	CHECK_RET(reboot_call(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		      LINUX_REBOOT_CMD_CAD_OFF, NULL),
	    0);
	CHECK_RET(reboot_call(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2A,
		      LINUX_REBOOT_CMD_CAD_ON, NULL),
	    0);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned cmd;
		const char *arg;
	} ways[] = {
		{ "poweroff", LINUX_REBOOT_CMD_POWER_OFF, NULL },
		{ "halt", LINUX_REBOOT_CMD_HALT, NULL },
		{ "restart", LINUX_REBOOT_CMD_RESTART, NULL },
		{ "restart2", LINUX_REBOOT_CMD_RESTART2, "some words" },
	};

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "refusals") == 0) {
		check_refusals();
		return check_done();
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			reboot_call(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			    ways[i].cmd, ways[i].arg);
	return 3;
}
