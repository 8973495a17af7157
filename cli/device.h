/* SPDX-License-Identifier: ISC */
/* device.h - `remora device`: disks of a machine that runs come and go. */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/mem.h"

/* argv[0] is "device"; the exit status: 0, or 125 with a line of errors. */
int device_command(int argc, char **argv);

/* `s` as a string of JSON, with its quotes.  RFC 8259, 7; the caller frees. */
char *device_json(const char *s);

/* Where the next device goes on a board without room on its first bus. */
#define DEVICE_PORTS     4 /* "port0", ... */
#define DEVICE_PORT_NAME "port%u"

#endif
