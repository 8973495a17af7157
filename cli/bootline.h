/* SPDX-License-Identifier: ISC */
/*
 * bootline.h - the kernel's command line, and the file that carries what a
 * command line cannot.  Quoting: Linux, lib/cmdline.c, next_arg().
 */
#ifndef CLI_BOOTLINE_H
#define CLI_BOOTLINE_H

#include <stdbool.h>

#include "cli/mem.h"
#include "cli/tree.h"
#include "cli/trouble.h"

#define BOOT_CONTROL_PORT 0x2f8 /* the control channel's 16550 */
#define BOOT_CONTROL_IRQ  3
#define BOOT_EXIT_PORT    0x501 /* QEMU's isa-debug-exit */
#define BOOT_ARGS_FILE    "/.remora/args"

#define BOOT_LINE_MAX         2000 /* bytes; Linux takes 2047 */
#define BOOT_LINE_MAX_FOREIGN 2047
#define BOOT_WORDS_MAX        31 /* Linux: MAX_INIT_ARGS - 1 */

struct net_option;
struct share_option;

enum boot_stream { BOOT_TTY, BOOT_PIPE, BOOT_NULL };

struct boot_line {
	bool foreign, verbose;
	enum boot_stream in, out;
	unsigned rows, columns;           /* of the terminal; 0: not known */
	const char *program;              /* its name in the machine */
	char **argv;                      /* its arguments, without argv[0] */
	const struct strings *env;        /* NAME=VALUE */
	const char *append;               /* verbatim, or NULL */
	const char *cloud;                /* remora.cloud=, or NULL */
	const struct share_option *share; /* folders to mount */
	size_t nshares;
	const struct net_option *net; /* cards, with ip= for some */
	size_t nnets;
	unsigned mmio_slots; /* of microvm in use: virtio_mmio.device= */
	bool vsock;          /* --vsock: the slot before the last */
	bool virtio_console; /* instead of serial ports; the last slot */
	bool microvm;
};

/*
 * Writes the command line to *line; what it cannot express goes into a file
 * of the tree.  Returns 0, or fills *t with status 125.
 */
int boot_line_make(const struct boot_line *b, struct tree *tree,
    struct text *line, struct trouble *t);

/* Whether a word reaches init unchanged by way of a command line. */
bool boot_word_fits(const char *word, bool foreign);

#endif
