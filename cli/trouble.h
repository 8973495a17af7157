/* SPDX-License-Identifier: ISC */
/*
 * trouble.h - what went wrong, in words, and the exit status that says so.
 * Functions that may fail for a reason the user must hear of take a
 * struct trouble, fill it once, and return a negative value.
 */
#ifndef CLI_TROUBLE_H
#define CLI_TROUBLE_H

/* The command's own exit statuses; those of the program pass unchanged. */
enum {
	STATUS_RESTART = 122,  /* the program asked for a restart */
	STATUS_PANIC = 123,    /* the kernel panicked */
	STATUS_TIMEOUT = 124,  /* --timeout ran out */
	STATUS_MACHINE = 125,  /* bad usage, no machine, or no status */
	STATUS_NOEXEC = 126,   /* the program cannot be executed */
	STATUS_NOTFOUND = 127, /* there is no such program */
	STATUS_SIGNAL = 128    /* plus the signal's number */
};

struct trouble {
	int status;      /* one of the above; 0: none yet */
	char text[2048]; /* one or more lines, no newline at the end */
};

/* Fills *t, replacing what it held.  Always returns -EINVAL. */
int trouble_set(struct trouble *t, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints "remora: " and *t's text to standard error; returns t->status. */
int trouble_report(const struct trouble *t);

/* Prints one line that begins with "remora: " to standard error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
