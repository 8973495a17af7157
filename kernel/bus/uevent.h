/* SPDX-License-Identifier: ISC */
/*
 * uevent.h - what programs are told when devices come, go and change.  Linux,
 * Documentation/ABI/testing/sysfs-uevent; udev(7).
 *
 * A message is "ACTION@DEVPATH", then "KEY=value" strings, each with its NUL.
 * It goes to the one sink that an upper floor registers (sockets of netlink);
 * while nobody listens there, an event costs a number only.
 * Context: threads; may sleep for memory.  What has no memory is lost, which
 * the numbers and the log show.
 */
#ifndef BUS_UEVENT_H
#define BUS_UEVENT_H

#include "kern/types.h"

struct classdev;
struct device;
struct sbuf;

#define UEVENT_MAX 2048 /* bytes of a message; longer ones are lost */

/*
 * Tells all who listen.  devpath: "/devices/..."; env: more lines "KEY=value\n",
 * or NULL.
 */
void uevent_send(const char *action, const char *devpath, const char *subsystem,
    const char *env);
/* The same about a node of the tree, with all that is known of it. */
void uevent_device(struct device *dev, const char *action, const char *env);

/* The lines that a device's messages and its file "uevent" have. */
void uevent_print_device(struct device *dev, struct sbuf *env);
void uevent_print_classdev(struct classdev *cd, struct sbuf *env);

/*
 * A program asks for an event to be sent again: "add", or "change UUID A=b".
 * *action gets the word (static), env the lines that belong to it.
 *   -EINVAL
 */
int uevent_parse_asked(const char *text, const char **action, struct sbuf *env);

/* The number of the last message. */
uint64_t uevent_seqnum(void);

/* Who delivers; once.  `listening(true)` before the first, false after the
 * last listener: until then, nothing is composed. */
void uevent_set_sink(void (*sink)(const char *msg, size_t len));
void uevent_listening(bool on);

#endif
