/* SPDX-License-Identifier: ISC */
/*
 * tty.h - terminals: a line discipline, the line below it, and the sessions
 * and groups of processes that it serves.  termios(3), tty_ioctl(2), and the
 * job control of credentials(7).
 *
 * Locking: tty->lock (spin, interrupts off) guards the line discipline and all
 * fields marked [t]; the line's own locks are taken inside it, and so are those
 * of sending signals: process_list_lock, which guards the fields marked [L]
 * and the processes' ctty.
 */
#ifndef LINUX_TTY_H
#define LINUX_TTY_H

#include "fs/file.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include "kern/waitq.h"
#include "linux/ldisc.h"
#include "linux/turn.h"
#include <asm/termios.h>

struct process;
struct tty;

/*
 * The line below: a serial port, or the master of a pseudo-terminal.
 * Called with tty->lock held unless said otherwise; nothing sleeps.
 */
struct tty_line_ops {
	int (*open)(struct tty *t); /* without the lock; may sleep */
	size_t (*room)(struct tty *t);
	/* n <= room() */
	void (*out)(struct tty *t, const uint8_t *bytes, size_t n);
	size_t (*queued)(struct tty *t); /* not yet sent */
	void (*discard)(struct tty *t);
	void (*pause)(struct tty *t, bool on);
	void (*send_now)(struct tty *t, uint8_t byte);
	/* There is room for so many typed bytes; resume: without the lock. */
	void (*set_room)(struct tty *t, size_t room);
	void (*resume)(struct tty *t);
	/* c_cflag and speeds were set.  Without the lock. */
	void (*set_line)(struct tty *t, const struct termios2 *tio);
	/*
	 * The settings changed; what was typed is dropped.  NULL: the line
	 * does not care.
	 */
	void (*changed)(struct tty *t, const struct termios2 *old);
	void (*input_flushed)(struct tty *t);
	/* TIOCM_* bits; NULL: the line has none. */
	unsigned (*modem)(struct tty *t);
	void (*set_modem)(struct tty *t, unsigned set, unsigned clear);
	/* No open file is left; NULL: nobody asks. */
	void (*closed)(struct tty *t);
	/* The last reference is gone: frees t, in any context.  NULL: static */
	void (*gone)(struct tty *t);
};

struct tty {
	uint32_t refs;    /* [a] files and processes' ctty; unused if static */
	bool pty;         /* [I] outlives its session's leader */
	const char *name; /* [I] "ttyS0" */
	uint64_t rdev;    /* [I] */
	const struct tty_line_ops *lops; /* [I] */
	void *line;                      /* [I] lops' own */
	struct spinlock lock;
	struct ldisc ldisc;     /* [t] */
	struct ldisc_buf *buf;  /* [t] NULL until first opened */
	struct winsize winsize; /* [t] */
	struct waitq read_wq, write_wq;
	struct turn reading, writing;
	bool held;      /* [t] TCOOFF stopped output */
	bool exclusive; /* [t] TIOCEXCL */
	/*
	 * [L] Whose terminal it is: 0 nobody's.  `lent`: process 1 has it
	 * without having asked, and any session may take it over.
	 */
	int32_t session, pgrp;
	bool lent;
	unsigned opens;      /* [t] */
	bool was_open;       /* [t] since its beginning */
	bool line_gone;      /* for ever: its console's files are dead too */
	uint32_t generation; /* [t] counts hang-ups */
};

/* tty.c: the file's side. */

/* A terminal over a line; zeroed, name, rdev, lops and line are set. */
void tty_setup(struct tty *t);
/* Gives it its buffer, so that input may come before the first open. -ENOMEM */
int tty_prepare(struct tty *t);
void tty_get(struct tty *t);
void tty_put(struct tty *t); /* any context */
/* An open file becomes this terminal's; `console` as /dev/console. */
int tty_attach_file(struct tty *t, struct file *file, bool console);
/* A terminal's open file stays usable when that hangs up, as the console's. */
void tty_outlast_hang_ups(struct file *file);
struct tty *tty_of_file(struct file *file, bool *hung_up);
extern const struct file_ops tty_file_ops;
/* The line's side; any context.  n <= the room that was set. */
void tty_input(struct tty *t, const uint8_t *bytes, size_t n);
/* The same, of as many as there is room for; how many. */
size_t tty_input_some(struct tty *t, const uint8_t *bytes, size_t n);
/* Room for typed bytes, now. */
size_t tty_input_room(struct tty *t);
void tty_output_room(struct tty *t);
/* Tells the line how many bytes may be typed now.  tty->lock not held. */
void tty_update_room(struct tty *t);
/* Waits until output is sent.  -ERESTARTSYS */
int tty_wait_sent(struct tty *t);
/* The window's size; tells the foreground if it changed.  Any context. */
void tty_set_winsize(struct tty *t, const struct winsize *ws);
/* All open files become dead, sessions and groups are told. */
void tty_hang_up(struct tty *t);

/* tty_ioctl.c */
long tty_ioctl(struct file *file, unsigned cmd, uint64_t arg);
/* The same on a terminal whose file is not looked at: a master's other end. */
long tty_ioctl_of(struct tty *t, struct file *file, unsigned cmd, uint64_t arg);
/* vhangup(2) */
long sys_vhangup(void);

/* tty_job.c: sessions and groups. */

/*
 * May the caller use its controlling terminal as `signo` (SIGTTIN, SIGTTOU)
 * asks?  0, -EIO, or -ERESTARTSYS with the signal sent to its group.
 */
int tty_job_control(struct tty *t, int signo);
/* At an open without O_NOCTTY: takes the terminal if nobody has it. */
void tty_open_session(struct tty *t, bool readable);
long
tty_job_ioctl(struct tty *t, struct file *file, unsigned cmd, uint64_t arg);
/* Process 1 gets the terminal until a session asks for it. */
void tty_lend(struct tty *t, struct process *init);
/* A session's leader ends: its terminal hangs up.  May sleep. */
void tty_session_end(struct process *leader);
/* The caller's controlling terminal, referenced, or NULL. */
struct tty *tty_current(void);
/* A child of fork gets its parent's terminal; the list's lock held. */
void tty_inherit_locked(struct process *child, struct process *parent);
/* p has no controlling terminal any more (setsid, exit). */
void tty_drop(struct process *p);
/* The line hung up: its session loses it, the leader is told. */
void tty_hang_up_session(struct tty *t);
/* For /proc/PID/stat: device number and foreground group, 0 and -1. */
void tty_of_process(struct process *p, uint64_t *rdev, int32_t *pgrp);
/* At an open: the terminal as a file, and by its flags as the session's. */
int tty_open(struct tty *t, struct file *file, bool console);
/* A signal for the foreground; any context, tty->lock may be held. */
void tty_signal(struct tty *t, int signo);

/* tty_serial.c: the console's serial line as a terminal. */

/* A reference, or NULL: the machine has no console.  Any context. */
struct tty *tty_console(void);
/*
 * Boot step, after the console's: announces /dev/console, /dev/tty and
 * /dev/ttySn.  Opens nothing.
 */
struct boot_info;
int tty_init(const struct boot_info *bi);

/* pty.c: announces /dev/ptmx and the type devpts.  Makes nothing. */
int pty_init(void);

#endif
