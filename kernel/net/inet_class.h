/* SPDX-License-Identifier: ISC */
/* inet_class.h - /sys/class/net. */
#ifndef NET_INET_CLASS_H
#define NET_INET_CLASS_H

struct classdev;
struct device;

/*
 * An interface is there, until classdev_depart(); network lock not held in
 * either.  dev: the card's node, NULL: none.  May sleep.
 */
void inet_class_arrive(struct classdev *cd, const char *name, unsigned index,
    struct device *dev);
/* The loopback, for ever. */
void inet_class_loopback(void);

#endif
