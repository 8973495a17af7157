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

static void
board_off(void)
{
	board->off();
}

static void
board_reset(void)
{
	board->reset();
}

/*
 * Where hypervisors have the register that ACPI would tell of: QEMU's boards
 * under their own firmware, older ones and Bochs, VirtualBox.
 */
static void
off_by_ports(void)
{
	static const struct {
		uint16_t port, value;
	} places[] = { { 0x604, 0x2000 }, { 0xb004, 0x2000 },
		{ 0x4004, 0x3400 } };
	unsigned i;

	for (i = 0; cpu_features()->hypervisor && i < ARRAY_SIZE(places); i++)
		outw(places[i].port, places[i].value);
}

/* In this order; reboot= names one by Linux's letter that goes first. */
static const struct way {
	char letter;
	bool off; /* not for a restart, nor after a panic */
	bool of_board;
	const char *name;
	void (*go)(void);
} ways[] = {
	{ 0, true, true, "off by ACPI", board_off },
	{ 0, true, false, "off by ports", off_by_ports },
	{ 'a', false, true, "reset by ACPI", board_reset },
	{ 'k', false, false, "reset by the keyboard controller",
	    reset_by_keyboard },
	{ 'p', false, false, "reset by port 0xcf9", reset_by_port },
	{ 't', false, false, "reset by a triple fault", reset_by_fault },
};

/* The host does it beside us: what is next is tried after a while. */
#define NEXT_NS 50000000ll

static void
try(const struct way *w, enum power_end how)
{
	int64_t until;

	if (w->off && (how == POWER_RESTART || how == POWER_PANIC))
		return;
	if (w->of_board &&
	    (board == NULL || how == POWER_PANIC || !board->can(w->off)))
		return;
	log_info("power: %s", w->name);
	if (control != NULL)
		control->drain();
	w->go();
	until = clock_mono_ns() + NEXT_NS;
	while (clock_mono_ns() < until)
		cpu_pause();
}

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

static void (*farewells[4])(void); /* atomic, each once set */

void
power_before_end(void (*farewell)(void))
{
	void (*none)(void) = NULL;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(farewells); i++, none = NULL)
		if (__atomic_compare_exchange_n(&farewells[i], &none, farewell,
			false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return;
}

static void
say_farewell(void)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(farewells) && farewells[i] != NULL; i++)
		farewells[i]();
}

void
power_end(enum power_end how, int code, const char *text)
{
	const struct bootargs *args = bootargs();
	unsigned i;

	if (how != POWER_PANIC)
		say_farewell();
	if (board != NULL && how != POWER_PANIC && args->exit_port == 0)
		board->prepare();
	irq_disable();
	smp_stop_others();
	report(how, code, text);
	if (how == POWER_PANIC)
		linger(args->panic_seconds);
	if (args->exit_port != 0)
		outb(args->exit_port, 0);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i].letter != 0 && ways[i].letter == args->reboot_how)
			try(&ways[i], how);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		try(&ways[i], how);
	log_line(LOG_EMERG, "power: nothing ends this machine");
	for (;;)
		__asm__ volatile("hlt");
}
