/* SPDX-License-Identifier: ISC */
/*
 * vport.c - ports to the host: who of them is what, on the way from their
 * drivers to the floor above.
 */
#include "dev/vport.h"
#include "dev/console.h"
#include "dev/control.h"
#include "kern/spinlock.h"
#include "kern/string.h"

/*
 * A port that is a console for us alone: hosts let a slow reader hold back
 * what is sent to other ports, but drop what is sent to a console.
 */
#define CONSOLE_NAME "remora.console"

static const struct vport_consumer *consumer;
static uint32_t hvcs;    /* [a] a bit each: the number is taken */
static uint32_t sources; /* [a] */

void
vport_set_consumer(const struct vport_consumer *c)
{
	consumer = c;
}

void
vport_source(bool there)
{
	__atomic_add_fetch(&sources, there ? 1 : -1, __ATOMIC_ACQ_REL);
}

bool
vport_expected(void)
{
	return __atomic_load_n(&sources, __ATOMIC_ACQUIRE) != 0;
}

int
vport_arrive(struct vport *p)
{
	p->hvc = -1;
	p->line.refs = 1;
	return consumer != NULL ? consumer->arrive(p) : 0;
}

void
vport_named(struct vport *p, const char *name)
{
	strlcpy(p->name, name, sizeof(p->name));
	p->is_control = control_offer(&p->line, p->name);
	if (consumer != NULL)
		consumer->named(p);
	if (strcmp(p->name, CONSOLE_NAME) == 0)
		vport_is_console(p);
}

/* The lowest number that nobody has; -1: there are no more. */
static int
take_number(void)
{
	uint32_t taken = __atomic_load_n(&hvcs, __ATOMIC_RELAXED);
	int i;

	do {
		for (i = 0; i < VPORT_HVCS && (taken >> i & 1) != 0; i++)
			;
		if (i == VPORT_HVCS)
			return -1;
	} while (!__atomic_compare_exchange_n(&hvcs, &taken, taken | 1u << i,
	    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return i;
}

void
vport_is_console(struct vport *p)
{
	int number;

	if (p->hvc >= 0 || p->is_control)
		return;
	number = take_number();
	if (number < 0)
		return;
	snprintf(p->hvc_name, sizeof(p->hvc_name), "hvc%d", number);
	p->line.name = p->hvc_name;
	p->line.minor = number;
	p->hvc = number;
	/* First the terminal: whoever waits for the console opens it next. */
	if (consumer != NULL)
		consumer->console(p);
	console_offer(&p->line);
}

void
vport_changed(struct vport *p)
{
	if (consumer != NULL)
		consumer->changed(p);
}

void
vport_depart(struct vport *p)
{
	console_lost(&p->line);
	control_lost(&p->line);
	if (consumer != NULL)
		consumer->depart(p);
	if (p->hvc >= 0)
		__atomic_and_fetch(&hvcs, ~(1u << p->hvc), __ATOMIC_ACQ_REL);
	serial_put(&p->line);
}
