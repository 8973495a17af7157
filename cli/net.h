/* SPDX-License-Identifier: ISC */
/*
 * net.h - the network cards of a machine: what --net and --mac say, and how
 * QEMU and the kernel are told.
 */
#ifndef CLI_NET_H
#define CLI_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/mem.h"
#include "cli/tree.h"
#include "cli/trouble.h"

enum machine_type;

/* What stands behind a card. */
enum net_kind {
	NET_USER,   /* QEMU's own stack: no rights needed */
	NET_TAP,    /* an interface of the host */
	NET_SOCKET, /* whoever listens on a UNIX socket: passt, a switch */
	NET_PASST,  /* passt, started for this machine */
};

struct net_option {
	enum net_kind kind;
	char *name;    /* of the tap, or the socket; owned, or NULL */
	char *forward; /* of NET_USER: ",hostfwd=..." for QEMU, or NULL */
	char *mac;     /* or NULL: QEMU's */
};

/*
 * Reads none | user[,hostfwd=PROTOCOL:[ADDRESS:]PORT:GUESTPORT]... |
 * tap=NAME | socket=PATH | passt.  1: none, and *n was not filled; 0; or *t
 * with status 125.  net_option_fini() is due in any case.
 */
int
net_option_parse(struct net_option *n, const char *value, struct trouble *t);
/* --mac: the address of the card before it. */
int net_mac_parse(struct net_option *n, const char *value, struct trouble *t);
void net_option_fini(struct net_option *n);

/* Whether the board has room beside `slots` other devices. */
int nets_check(const struct net_option *nets, size_t n, size_t slots,
    enum machine_type machine, struct trouble *t);

/* QEMU's options for all of them; on microvm they follow `slots` others. */
void nets_qemu(const struct net_option *nets, size_t n, size_t slots,
    enum machine_type machine, struct strings *argv);

/*
 * The kernel's argument for the i-th, ip=..., or NULL: QEMU's own stack has
 * known addresses, passt answers DHCP; what is behind others is not known.
 */
char *net_boot_argument(const struct net_option *n, size_t i);

/*
 * /etc/resolv.conf and /etc/hosts, where the files to be packed have none:
 * the names that QEMU's own stack serves, and this machine's.
 */
void nets_add_files(const struct net_option *nets, size_t n, struct tree *tree);

/*
 * Looks whether what others must have made is there, and starts what must run
 * beside QEMU; 0, or *t with status 125.
 */
int nets_start(struct net_option *nets, size_t n, struct trouble *t);
/* And takes away what that left. */
void nets_stop(const struct net_option *nets, size_t n);

#endif
