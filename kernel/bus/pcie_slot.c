/* SPDX-License-Identifier: ISC */
/*
 * pcie_slot.c - slots of PCIe ports: buttons, presence, power, indicators.
 *
 * The interrupt handler takes the events from the port, marks what is behind a
 * slot that is empty now as gone (so that nobody waits for it any more), and
 * wakes the slot's thread, which owns the state.  All arrivals and departures
 * end in the one look of bus/pci.c.
 *
 * Locking: a slot's spin lock (closed to interrupts) for events and the list of
 * those that want a thread.  References: the port's driver, the list, and the
 * slot's thread have one each; the slot has one on the port's node.
 */
#include "bus/pcie_slot.h"

#include "bus/acpi.h"
#include "bus/device.h"
#include "bus/pci.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <bsd/sys/queue.h>
#include <linux/errno.h>
#include <linux/pci_regs.h>

#define MS         1000000ll
#define OFF_NS     (1000 * MS) /* 6.7.1.8: power stays off so long */
#define LINK_NS    (1000 * MS) /* until the link must be there */
#define ANSWER_NS  (10 * MS)   /* between looks whether the card answers */
#define COMMAND_NS (1000 * MS) /* 6.7.3.2: a command's longest time */
#define ROUNDS_MAX 16          /* of one interrupt */

#define EVENTS                                                          \
	(PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_PDC | \
	    PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC)
#define EVENT_START 0x10000u /* make it ready */
#define CHANGES     (PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)
#define ENABLES                                                            \
	(PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PFDE | PCI_EXP_SLTCTL_PDCE | \
	    PCI_EXP_SLTCTL_CCIE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE)

enum slot_state { OFF, BLINK_ON, WAIT_LINK, ON, BLINK_OFF };

struct pcie_slot {
	uint32_t refs;                 /* atomic */
	struct device *port;           /* [I] referenced */
	const struct pci_space *space; /* [I] */
	uint16_t bdf;                  /* [I] */
	unsigned cap;                  /* [I] the PCIe capability */
	uint32_t can;                  /* [I] slot capabilities */
	bool tells_link;               /* [I] */
	unsigned number;               /* [I] */
	uint8_t bus;                   /* [I] behind */
	char name[24];                 /* [I] of the port, for the log */

	struct spinlock lock;
	unsigned events;             /* lock: PCI_EXP_SLTSTA_*, EVENT_* */
	bool command_done;           /* lock */
	bool closed, has_thread;     /* lock */
	bool queued;                 /* waiting's lock */
	TAILQ_ENTRY(pcie_slot) link; /* waiting's lock */
	struct waitq wq;

	/* The thread's: */
	enum slot_state state;
	int64_t deadline;  /* when the state ends by itself */
	int64_t give_up;   /* WAIT_LINK: then nothing has come */
	int64_t off_until; /* power may be switched on again */
};

/* Slots that want a thread. */
static struct {
	struct spinlock lock;
	TAILQ_HEAD(, pcie_slot) list; /* lock; each with a reference */
	struct waitq wq;
	bool has_thread; /* atomic */
} waiting = {
	.lock = SPINLOCK_INIT,
	.list = TAILQ_HEAD_INITIALIZER(waiting.list),
	.wq = WAITQ_INIT(waiting.wq),
};

/* ---- registers ---- */

static uint16_t
reg16(const struct pcie_slot *slot, unsigned at)
{
	return pci_cfg_read16(slot->space, slot->bdf, slot->cap + at);
}

static bool
is_present(const struct pcie_slot *slot)
{
	uint16_t status = reg16(slot, PCI_EXP_SLTSTA);

	return status != 0xffff && (status & PCI_EXP_SLTSTA_PDS) != 0;
}

static bool
has_link(const struct pcie_slot *slot)
{
	uint16_t status = reg16(slot, PCI_EXP_LNKSTA);

	return !slot->tells_link ||
	    (status != 0xffff && (status & PCI_EXP_LNKSTA_DLLLA) != 0);
}

/* One command is under way at a time.  6.7.3.2 */
static bool
command_is_done(struct pcie_slot *slot)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	bool done = slot->command_done;

	spin_unlock_irq(&slot->lock, state);
	if (!done && (reg16(slot, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_CC) != 0) {
		pci_cfg_write16(slot->space, slot->bdf,
		    slot->cap + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_CC);
		done = true;
	}
	return done;
}

static void
command(struct pcie_slot *slot, uint16_t mask, uint16_t bits)
{
	uint16_t was = reg16(slot, PCI_EXP_SLTCTL), now = (was & ~mask) | bits;
	uint64_t state;
	int error;

	if (was == 0xffff || was == now)
		return;
	state = spin_lock_irq(&slot->lock);
	slot->command_done = false;
	spin_unlock_irq(&slot->lock, state);
	pci_cfg_write16(slot->space, slot->bdf, slot->cap + PCI_EXP_SLTCTL,
	    now);
	if ((slot->can & PCI_EXP_SLTCAP_NCCS) != 0)
		return;
	error = wait_event_kind(&slot->wq, command_is_done(slot),
	    WAIT_UNINTERRUPTIBLE, clock_mono_ns() + COMMAND_NS);
	if (error != 0)
		log_warn("%s: slot %u: command 0x%04x was not completed",
		    slot->name, slot->number, now);
}

/* What the slot has of power, and of lamps; PCI_EXP_SLTCTL_PWR_IND_*. */
static void
set_power(struct pcie_slot *slot, bool on, uint16_t lamp, bool attention)
{
	uint16_t mask = 0, bits = 0;

	if ((slot->can & PCI_EXP_SLTCAP_PCP) != 0) {
		mask |= PCI_EXP_SLTCTL_PCC;
		bits |= on ? PCI_EXP_SLTCTL_PWR_ON : PCI_EXP_SLTCTL_PWR_OFF;
	}
	if ((slot->can & PCI_EXP_SLTCAP_PIP) != 0) {
		mask |= PCI_EXP_SLTCTL_PIC;
		bits |= lamp;
	}
	if ((slot->can & PCI_EXP_SLTCAP_AIP) != 0) {
		mask |= PCI_EXP_SLTCTL_AIC;
		bits |= attention ? PCI_EXP_SLTCTL_ATTN_IND_ON :
				    PCI_EXP_SLTCTL_ATTN_IND_OFF;
	}
	command(slot, mask, bits);
}

static bool
is_powered(const struct pcie_slot *slot)
{
	return (slot->can & PCI_EXP_SLTCAP_PCP) == 0 ||
	    (reg16(slot, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC) ==
	    PCI_EXP_SLTCTL_PWR_ON;
}

/* ---- references ---- */

static struct pcie_slot *
slot_get(struct pcie_slot *slot)
{
	__atomic_add_fetch(&slot->refs, 1, __ATOMIC_RELAXED);
	return slot;
}

static void
slot_put(struct pcie_slot *slot)
{
	if (__atomic_sub_fetch(&slot->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	device_put(slot->port);
	kfree(slot);
}

static bool
is_closed(struct pcie_slot *slot)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	bool closed = slot->closed;

	spin_unlock_irq(&slot->lock, state);
	return closed;
}

/* ---- events ---- */

/* Any context: the thread sees what has come, or one is made that does. */
static void
tell(struct pcie_slot *slot)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	bool has_thread = slot->has_thread;

	spin_unlock_irq(&slot->lock, state);
	waitq_wake_all(&slot->wq);
	if (has_thread)
		return;
	state = spin_lock_irq(&waiting.lock);
	if (!slot->queued) {
		slot->queued = true;
		slot_get(slot);
		TAILQ_INSERT_TAIL(&waiting.list, slot, link);
	}
	spin_unlock_irq(&waiting.lock, state);
	waitq_wake_all(&waiting.wq);
}

/*
 * Takes the events from the port.  Exactly the bits that are set are taken
 * back: others belong to the next.  Under the lock, so that who calls it knows
 * that none is on its way that happened before.
 */
static unsigned
collect(struct pcie_slot *slot)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	unsigned round, events = 0, now;
	uint16_t status;

	for (round = 0; round < ROUNDS_MAX; round++) {
		status = reg16(slot, PCI_EXP_SLTSTA);
		now = status == 0xffff ? 0 : status & EVENTS;
		if (now == 0)
			break;
		pci_cfg_write16(slot->space, slot->bdf,
		    slot->cap + PCI_EXP_SLTSTA, now);
		events |= now;
	}
	slot->events |= events;
	if ((events & PCI_EXP_SLTSTA_CC) != 0)
		slot->command_done = true;
	spin_unlock_irq(&slot->lock, state);
	return events;
}

static unsigned
take_events(struct pcie_slot *slot, unsigned mask)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	unsigned events = slot->events & mask;

	slot->events &= ~mask;
	spin_unlock_irq(&slot->lock, state);
	return events;
}

/* Nobody waits for what is not there any more.  Any context. */
static void
mark_gone(struct pcie_slot *slot)
{
	struct device *dev;
	uint64_t after = 0;

	while ((dev = device_child_after(slot->port, after)) != NULL) {
		after = device_serial(dev);
		device_report_gone(dev);
		device_put(dev);
	}
}

static bool
interrupt(void *arg)
{
	struct pcie_slot *slot = arg;
	unsigned events = collect(slot);

	if (events == 0)
		return false;
	if ((events & CHANGES) != 0 && (!is_present(slot) || !has_link(slot)))
		mark_gone(slot);
	tell(slot);
	return true;
}

/* ---- what happens in a slot; its thread ---- */

static void
enter(struct pcie_slot *slot, enum slot_state state, int64_t deadline)
{
	slot->state = state;
	slot->deadline = deadline;
}

static void
take_away(struct pcie_slot *slot, enum detach_kind kind)
{
	struct device *dev;
	uint64_t after = 0;

	while ((dev = device_child_after(slot->port, after)) != NULL) {
		after = device_serial(dev);
		device_remove(dev, kind);
		device_put(dev);
	}
}

/* What is behind is known again: who has come, who is forgotten. */
static void
look(struct pcie_slot *slot)
{
	int error = device_rescan(slot->port);

	if (error != 0 && error != -ENODEV && error != -EOPNOTSUPP)
		log_warn("%s: slot %u: rescan: error %d", slot->name,
		    slot->number, -error);
}

static void
switch_off(struct pcie_slot *slot, bool attention)
{
	set_power(slot, false, PCI_EXP_SLTCTL_PWR_IND_OFF, attention);
	if ((slot->can & PCI_EXP_SLTCAP_PCP) != 0)
		slot->off_until = clock_mono_ns() + OFF_NS;
	enter(slot, OFF, WAIT_FOREVER);
}

/* Its first function has a vendor: it can be asked for the rest. */
static bool
answers(const struct pcie_slot *slot)
{
	uint16_t vendor = pci_cfg_read16(slot->space, PCI_BDF(slot->bus, 0, 0),
	    PCI_VENDOR_ID);

	return vendor != 0xffff && vendor != 1; /* 1: not yet; 2.3.2 */
}

static void pulled(struct pcie_slot *slot);

static void
wait_for_card(struct pcie_slot *slot)
{
	int64_t now = clock_mono_ns();

	if (has_link(slot) && answers(slot)) {
		/* These tell of its coming; a button pressed since is news. */
		take_events(slot, CHANGES);
		enter(slot, ON, WAIT_FOREVER);
		set_power(slot, true, PCI_EXP_SLTCTL_PWR_IND_ON, false);
		look(slot);
		if (!is_present(slot) || !has_link(slot))
			pulled(slot); /* among the events of its coming */
	} else if (now >= slot->give_up) {
		log_warn("%s: slot %u: %s, switched off", slot->name,
		    slot->number,
		    has_link(slot) ? "nothing answers" : "no link");
		switch_off(slot, true);
	} else { /* a lamp that blinks: hosts refuse what is asked then */
		set_power(slot, true, PCI_EXP_SLTCTL_PWR_IND_BLINK, false);
		enter(slot, WAIT_LINK, now + ANSWER_NS);
	}
}

/*
 * Hosts press the button for a card that comes, too.  That is told apart from
 * a card that is asked for by the power: what happened before it was there
 * belongs to the coming.
 */
static void
bring_up(struct pcie_slot *slot)
{
	int64_t now = clock_mono_ns();

	if (now < slot->off_until) { /* lest the card remembers */
		enter(slot, BLINK_ON, slot->off_until);
		return;
	}
	(void)collect(slot);
	take_events(slot, CHANGES | PCI_EXP_SLTSTA_ABP);
	if (!is_present(slot)) {
		switch_off(slot, false);
		return;
	}
	set_power(slot, true, PCI_EXP_SLTCTL_PWR_IND_ON, false);
	slot->give_up = clock_mono_ns() + LINK_NS;
	wait_for_card(slot);
}

static int
off_in_order(void *arg)
{
	switch_off(arg, false);
	return 0;
}

/* Asked for: in good order, and the power goes in one step with the lamp. */
static void
take_out(struct pcie_slot *slot)
{
	int error = pci_eject(slot->port, 0, off_in_order, slot);

	if (error < 0 && error != -ENODEV)
		log_warn("%s: slot %u: taken out, error %d", slot->name,
		    slot->number, -error);
}

/* It has been pulled, or exchanged for another one. */
static void
pulled(struct pcie_slot *slot)
{
	log_info("%s: slot %u: pulled out", slot->name, slot->number);
	take_away(slot, DETACH_GONE);
	switch_off(slot, false);
	if (is_present(slot))
		bring_up(slot);
	else
		look(slot);
}

static void
blink(struct pcie_slot *slot, enum slot_state state, const char *what)
{
	unsigned seconds = bootargs()->pci_button_s;

	log_info("%s: slot %u: button, %s in %u s", slot->name, slot->number,
	    what, seconds);
	if (seconds > 0 && (slot->can & PCI_EXP_SLTCAP_PIP) != 0)
		command(slot, PCI_EXP_SLTCTL_PIC, PCI_EXP_SLTCTL_PWR_IND_BLINK);
	enter(slot, state, clock_mono_ns() + seconds * NSEC_PER_SEC);
}

/* 6.7.1.5: pressed again within five seconds, it is called off. */
static void
button(struct pcie_slot *slot)
{
	bool on = slot->state == BLINK_OFF;

	switch (slot->state) {
	case ON: blink(slot, BLINK_OFF, "switched off"); break;
	case OFF:
		if (is_present(slot))
			blink(slot, BLINK_ON, "switched on");
		break;
	case BLINK_ON:
	case BLINK_OFF:
		log_info("%s: slot %u: button, called off", slot->name,
		    slot->number);
		command(slot, PCI_EXP_SLTCTL_PIC,
		    on ? PCI_EXP_SLTCTL_PWR_IND_ON :
			 PCI_EXP_SLTCTL_PWR_IND_OFF);
		enter(slot, on ? ON : OFF, WAIT_FOREVER);
		break;
	case WAIT_LINK: break; /* too early for a change of mind */
	}
}

/* Presence or link changed. */
static void
changed(struct pcie_slot *slot)
{
	switch (slot->state) {
	case ON:
	case BLINK_OFF: pulled(slot); break;
	case OFF:
	case BLINK_ON:
		if (is_present(slot))
			bring_up(slot);
		else
			switch_off(slot, false);
		break;
	case WAIT_LINK:
		if (is_present(slot))
			wait_for_card(slot);
		else
			switch_off(slot, false);
		break;
	}
}

static void
time_is_up(struct pcie_slot *slot)
{
	switch (slot->state) {
	case BLINK_ON: bring_up(slot); break;
	case BLINK_OFF: take_out(slot); break;
	case WAIT_LINK: wait_for_card(slot); break;
	case OFF:
	case ON: break; /* they do not end by themselves */
	}
}

static void
step(struct pcie_slot *slot, unsigned events)
{
	if ((events & PCI_EXP_SLTSTA_PFD) != 0) {
		log_warn("%s: slot %u: power fault", slot->name, slot->number);
		take_away(slot, DETACH_GONE);
		switch_off(slot, true);
		look(slot);
	}
	/* Hosts press it for a card that comes, too. */
	if ((events & PCI_EXP_SLTSTA_ABP) != 0 &&
	    (slot->state != OFF || (events & PCI_EXP_SLTSTA_PDC) == 0))
		button(slot);
	if ((events & CHANGES) != 0)
		changed(slot);
	if (clock_mono_ns() >= slot->deadline)
		time_is_up(slot);
}

/* ---- beginning ---- */

static int
intr_start(struct pcie_slot *slot)
{
	unsigned i = (reg16(slot, PCI_EXP_FLAGS) & PCI_EXP_FLAGS_IRQ) >> 9, got;
	int error = pci_intr_setup(slot->port, i + 1, &got);

	if (error != 0)
		return error;
	if (i >= got)
		i = 0; /* all come by one */
	error = pci_intr_establish(slot->port, i, interrupt, slot);
	if (error != 0)
		pci_intr_end(slot->port);
	return error;
}

static bool
has_nodes(struct device *port)
{
	struct device *dev = device_child_after(port, 0);

	device_put(dev);
	return dev != NULL;
}

/*
 * What happened before is of no interest: a button that was pressed for a card
 * that firmware or the bus has found must not take it out again.
 */
static int
make_ready(struct device *port, void *arg)
{
	struct pcie_slot *slot = arg;
	uint16_t status;
	int error;

	if (is_closed(slot))
		return -ENODEV;
	status = reg16(slot, PCI_EXP_SLTSTA);
	if (status == 0xffff)
		return -ENODEV;
	pci_cfg_write16(slot->space, slot->bdf, slot->cap + PCI_EXP_SLTSTA,
	    status & EVENTS);
	error = intr_start(slot);
	if (error != 0) {
		log_warn("%s: slot %u: no interrupt, error %d: not watched",
		    slot->name, slot->number, -error);
		return error;
	}
	slot->state = has_nodes(port) ? ON : OFF;
	command(slot, ENABLES, ENABLES);
	return 0;
}

/* The card that is there and that nobody has switched on. */
static void
start(struct pcie_slot *slot)
{
	if (!acpi_pcie_hotplug_is_ours()) {
		log_info("%s: slot %u: left to the firmware", slot->name,
		    slot->number);
		return;
	}
	if (device_call(slot->port, make_ready, slot) != 0)
		return;
	if (slot->state == OFF && is_present(slot))
		bring_up(slot);
	else if (slot->state == ON && is_powered(slot))
		set_power(slot, true, PCI_EXP_SLTCTL_PWR_IND_ON, false);
}

static void
slot_thread(void *arg)
{
	struct pcie_slot *slot = arg;
	unsigned events = 0;

	for (;;) {
		(void)wait_event_kind(&slot->wq,
		    (events = take_events(slot, ~0u)) != 0 || is_closed(slot),
		    WAIT_UNINTERRUPTIBLE, slot->deadline);
		if (is_closed(slot))
			break;
		if ((events & EVENT_START) != 0)
			start(slot);
		step(slot, events & ~EVENT_START);
		events = 0;
	}
	slot_put(slot);
}

static struct pcie_slot *
take_waiting(void)
{
	uint64_t state = spin_lock_irq(&waiting.lock);
	struct pcie_slot *slot = TAILQ_FIRST(&waiting.list);

	if (slot != NULL) {
		TAILQ_REMOVE(&waiting.list, slot, link);
		slot->queued = false;
	}
	spin_unlock_irq(&waiting.lock, state);
	return slot;
}

/* The list's reference becomes the thread's. */
static void
give_thread(struct pcie_slot *slot)
{
	uint64_t state = spin_lock_irq(&slot->lock);
	bool has_thread = slot->has_thread || slot->closed;
	struct thread *t;

	slot->has_thread = true;
	spin_unlock_irq(&slot->lock, state);
	if (has_thread) {
		slot_put(slot);
		return;
	}
	if (thread_create("pcie-slot", slot_thread, slot, &t) == 0) {
		thread_start(t);
		return;
	}
	log_warn("%s: slot %u: no memory, not watched", slot->name,
	    slot->number);
	slot_put(slot);
}

static void
threads(void *arg)
{
	struct pcie_slot *slot;

	(void)arg;
	for (;;) {
		wait_event(&waiting.wq, (slot = take_waiting()) != NULL);
		give_thread(slot);
	}
}

static int
threads_start(void)
{
	struct thread *t;
	int error;

	if (__atomic_exchange_n(&waiting.has_thread, true, __ATOMIC_ACQ_REL))
		return 0;
	error = thread_create("pcie-slots", threads, NULL, &t);
	if (error == 0)
		thread_start(t);
	else
		__atomic_store_n(&waiting.has_thread, false, __ATOMIC_RELEASE);
	return error;
}

/* ---- for the port's driver ---- */

/* Where the capability is, if there is a slot with hot-plug; 0: none. */
static unsigned
slot_cap(const struct pci_dev *pd)
{
	unsigned at = pci_cap_find(&pd->caps, PCI_CAP_ID_EXP), type;
	uint16_t flags;

	if (at == 0 || at > 256 - 0x1c)
		return 0;
	flags = pci_cfg_read16(pd->space, pd->bdf, at + PCI_EXP_FLAGS);
	type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	if (flags == 0xffff || (flags & PCI_EXP_FLAGS_SLOT) == 0 ||
	    (type != PCI_EXP_TYPE_ROOT_PORT && type != PCI_EXP_TYPE_DOWNSTREAM))
		return 0;
	return (pci_cfg_read32(pd->space, pd->bdf, at + PCI_EXP_SLTCAP) &
		   PCI_EXP_SLTCAP_HPC) != 0 ?
	    at :
	    0;
}

bool
pcie_slot_is_there(struct device *port, unsigned *number)
{
	const struct pci_dev *pd = pci_dev_of(port);
	unsigned at = slot_cap(pd);

	if (at != 0)
		*number = pci_cfg_read32(pd->space, pd->bdf,
			      at + PCI_EXP_SLTCAP) >>
		    19;
	return at != 0;
}

struct pcie_slot *
pcie_slot_begin(struct device *port, uint8_t bus)
{
	const struct pci_dev *pd = pci_dev_of(port);
	struct pcie_slot *slot = kzalloc(sizeof(*slot));

	if (slot == NULL || threads_start() != 0) {
		log_warn("%s: no memory, its slot is not watched",
		    device_name(port));
		kfree(slot);
		return NULL;
	}
	slot->refs = 1;
	slot->port = device_get(port);
	slot->space = pd->space;
	slot->bdf = pd->bdf;
	slot->cap = slot_cap(pd);
	slot->can = pci_cfg_read32(pd->space, pd->bdf,
	    slot->cap + PCI_EXP_SLTCAP);
	slot->tells_link = (pci_cfg_read32(pd->space, pd->bdf,
				slot->cap + PCI_EXP_LNKCAP) &
			       PCI_EXP_LNKCAP_DLLLARC) != 0;
	slot->number = slot->can >> 19;
	slot->bus = bus;
	device_copy_name(port, slot->name, sizeof(slot->name));
	spin_init(&slot->lock);
	waitq_init(&slot->wq);
	slot->deadline = WAIT_FOREVER;
	slot->events = EVENT_START;
	tell(slot);
	return slot;
}

void
pcie_slot_end(struct pcie_slot *slot)
{
	uint64_t state;

	if (slot == NULL)
		return;
	state = spin_lock_irq(&slot->lock);
	slot->closed = true;
	spin_unlock_irq(&slot->lock, state);
	if (reg16(slot, PCI_EXP_SLTCTL) != 0xffff)
		pci_cfg_write16(slot->space, slot->bdf,
		    slot->cap + PCI_EXP_SLTCTL,
		    reg16(slot, PCI_EXP_SLTCTL) & ~ENABLES);
	pci_intr_end(slot->port);
	waitq_wake_all(&slot->wq);
	slot_put(slot);
}
