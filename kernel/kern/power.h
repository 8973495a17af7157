/* SPDX-License-Identifier: ISC */
/*
 * power.h - the machine's end, told to the host and then made to happen.
 */
#ifndef KERN_POWER_H
#define KERN_POWER_H

#include "kern/types.h"

enum power_end {
	POWER_EXIT,    /* the first program ended: code is its status */
	POWER_SIGNAL,  /* it died of signal `code` */
	POWER_OFF,     /* reboot(2): power off */
	POWER_HALT,    /* reboot(2): halt */
	POWER_RESTART, /* reboot(2): restart */
	POWER_PANIC,   /* the kernel's own bug; text says which */
};

/*
 * Reports the end on the control channel, drains the consoles, and ends the
 * machine by what the host has, tried in order: isa-debug-exit where
 * remora.exit= names it, the way of reboot=, off as the board's tables (ACPI) or
 * known ports have it, reset as the board's tables, keyboard controller, reset
 * port, triple fault; a line in the log each.  POWER_PANIC: any context,
 * without off and the board's; the others: a thread.  Does not return.
 */
void power_end(enum power_end how, int code, const char *text) __noreturn;

/*
 * The control channel (a driver's): sends one line, polled, any context.
 */
struct power_control {
	void (*send)(const char *line);
	void (*drain)(void); /* all output of the consoles is out */
};
void power_set_control(const struct power_control *pc);

/*
 * The board's own ways (firmware's tables).  prepare() is called by a thread,
 * may sleep, and finds out; off() and reset() only write registers, with
 * interrupts off, and return when it was no use.
 */
struct power_board {
	void (*prepare)(void);
	bool (*can)(bool off); /* as prepare() found; else: reset */
	void (*off)(void);
	void (*reset)(void);
};
void power_set_board(const struct power_board *board);

/*
 * What a driver has to say to its devices before power goes: called by a thread
 * that may sleep, not for a panic.  Once for each driver; up to 4 of them.
 */
void power_before_end(void (*farewell)(void));

/*
 * Somebody pressed the machine's power button: calls what the personality has
 * set.  A thread that may sleep.
 */
void power_button_pressed(void);
void power_set_button(void (*pressed)(void));

#endif
