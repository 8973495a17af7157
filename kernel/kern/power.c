/* SPDX-License-Identifier: ISC */
/* power.c - the ways out, in order of what they tell the host. */
#include "kern/power.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/string.h"
#include "x86/cpu.h"
#include "x86/io.h"
#include "x86/smp.h"

#define KBD_COMMAND   0x64
#define KBD_RESET     0xfe
#define RESET_CONTROL 0xcf9

static const struct power_control *control;
static const struct power_board *board;

void
power_set_control(const struct power_control *pc)
{
	control = pc;
}

void
power_set_board(const struct power_board *pb)
{
	board = pb;
}

static void (*button)(void);

void
power_set_button(void (*pressed)(void))
{
	button = pressed;
}

void
power_button_pressed(void)
{
	if (button != NULL)
		button();
}

static void
board_end(enum power_end how)
{
	if (board == NULL || how == POWER_PANIC)
		return;
	if (how != POWER_RESTART)
		board->off();
	board->reset();
}

static void
report(enum power_end how, int code, const char *text)
{
	char line[192];

	switch (how) {
	case POWER_EXIT: snprintf(line, sizeof(line), "exit %d", code); break;
	case POWER_SIGNAL:
		snprintf(line, sizeof(line), "signal %d", code);
		break;
	case POWER_OFF: strlcpy(line, "poweroff", sizeof(line)); break;
	case POWER_HALT: strlcpy(line, "halt", sizeof(line)); break;
	case POWER_RESTART: strlcpy(line, "restart", sizeof(line)); break;
	case POWER_PANIC: snprintf(line, sizeof(line), "panic %s", text); break;
	}
	if (control == NULL)
		return;
	control->drain();
	control->send(line);
	control->drain();
}

static void
reset_by_keyboard(void)
{
	outb(KBD_COMMAND, KBD_RESET);
}

static void
reset_by_port(void)
{
	outb(RESET_CONTROL, 0x02);
	outb(RESET_CONTROL, 0x06);
}

/* An interrupt without a table to look it up in. */
static void
reset_by_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none;

	__asm__ volatile("lidt %0; int3" ::"m"(none));
}

/* reboot=: the way that the letter names goes first; Linux's letters. */
static const struct {
	char letter;
	void (*reset)(void);
} resets[] = {
	{ 'k', reset_by_keyboard },
	{ 'p', reset_by_port },
	{ 't', reset_by_fault },
};

/* panic=SECONDS: so that somebody can read the screen; 0 is for ever. */
static void
linger(int seconds)
{
	int64_t until = clock_mono_ns() + seconds * NSEC_PER_SEC;

	while (seconds == 0)
		__asm__ volatile("hlt");
	while (clock_mono_ns() < until)
		cpu_pause();
}

void
power_end(enum power_end how, int code, const char *text)
{
	const struct bootargs *args = bootargs();
	unsigned i;

	if (board != NULL && how != POWER_PANIC && args->exit_port == 0)
		board->prepare();
	irq_disable();
	smp_stop_others();
	report(how, code, text);
	if (how == POWER_PANIC)
		linger(args->panic_seconds);
	if (args->exit_port != 0)
		outb(args->exit_port, 0);
	for (i = 0; i < ARRAY_SIZE(resets); i++)
		if (resets[i].letter == args->reboot_how)
			resets[i].reset();
	board_end(how);
	for (i = 0; i < ARRAY_SIZE(resets); i++)
		resets[i].reset();
	for (;;)
		__asm__ volatile("hlt");
}
