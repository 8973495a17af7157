/* SPDX-License-Identifier: ISC */
/*
 * log.h - the kernel's log: a ring of lines, and the console that shows them.
 * Context: any, interrupts and traps included; nothing here sleeps.
 *
 * Lines read as OpenBSD's: "nvme0 at pci0 dev 4 function 0: ...".  Each call
 * is one line; the newline is added here.  No trailing full stop, no "!".
 */
#ifndef KERN_LOG_H
#define KERN_LOG_H

#include "kern/types.h"

enum log_level { /* syslog(2) */
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

/* Appends one line, and shows it where its level is below the console's. */
void log_line(enum log_level level, const char *fmt, ...) __printflike(2, 3);

#define log_err(...)  log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)

/*
 * The console's threshold: lines of a level below it are shown (syslog(2),
 * action 8).  Linux's default 7; 4 after "quiet".
 */
void log_set_console_level(int level);
int log_console_level(void);

/*
 * What the console is: polled output of bytes, interrupts off, may be called
 * from a panic.  Registered by the console's driver; lines logged before are
 * written to it then.
 */
struct log_sink {
	void (*write)(const char *bytes, size_t len);
};
void log_set_sink(const struct log_sink *sink);

/*
 * Reads the ring for dmesg, /proc/kmsg and /dev/kmsg.  Formats records from
 * sequence *seq on as "<L>[    0.000123] text\n" into buf, as many whole lines
 * as fit; advances *seq.  Returns bytes; 0 when nothing (more) is there.
 * Records that the ring has lost are skipped.
 */
size_t log_read(uint64_t *seq, char *buf, size_t size);
uint64_t log_first_seq(void); /* the oldest record still held */
uint64_t log_next_seq(void);  /* the one that the next line will get */
/* For a panic: takes the lock away from whoever died with it. */
void log_bust(void);
void log_clear(void); /* syslog action 5: dmesg starts here */
uint64_t log_clear_seq(void);
size_t log_size(void); /* of the ring, in bytes */
/* Woken after each line. */
struct waitq;
struct waitq *log_waitq(void);

#endif
