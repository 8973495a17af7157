/* SPDX-License-Identifier: ISC */
/*
 * vtcon_test.c - the virtio console's driver: bytes both ways with a client
 * and a host that are slow, ports that come and go, a device that lies.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtcon_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1    VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define MULTI (V1 | VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT))

static struct fake_device f;
static uint8_t sent[1 << 14];

static void
come(uint64_t offers)
{
	fake_init(&f, offers, 64);
	f.config[0] = 80;
	f.config[2] = 25;
	f.config[4] = 31;
	assert_int_equal(fake_attach(&f), 0);
}

/* The next message that the driver sent. */
static void
told(uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control m;
	struct fake_chain c;

	assert_true(fake_next(&f, 3, &c));
	assert_int_equal(c.seg[0].len, sizeof(m));
	memcpy(&m, (void *)(uintptr_t)c.seg[0].addr, sizeof(m));
	fake_answer(&f, 3, c.id, 0, c.places);
	assert_int_equal(m.id, id);
	assert_int_equal(m.event, event);
	assert_int_equal(m.value, value);
}

static void
tell_text(uint32_t id, uint16_t event, uint16_t value, const char *text,
    size_t n)
{
	struct virtio_console_control m = { .id = id,
		.event = event,
		.value = value };
	uint8_t message[CTL_SIZE] = { 0 };

	memcpy(message, &m, sizeof(m));
	memcpy(message + sizeof(m), text, n);
	assert_true(fake_give(&f, 2, message, sizeof(message), sizeof(m) + n));
	fake_interrupt(&f);
}

static void
tell(uint32_t id, uint16_t event, uint16_t value)
{
	tell_text(id, event, value, "", 0);
}

static void
one_port(void **state)
{
	struct serial *line;

	(void)state;
	come(V1 | VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	assert_non_null(fake_port[0]);
	assert_int_equal(fake_port[0]->hvc, 0);
	assert_int_equal(fake_port[0]->size, 25 << 16 | 80);
	assert_true(fake_port[0]->host_open);
	line = &fake_port[0]->line;
	assert_int_equal(line->ops->write(line, (const void *)"hello", 5), 5);
	line->ops->write_polled(line, (const void *)" there", 6);
	assert_int_equal(line->ops->queued(line), 11);
	assert_int_equal(fake_take_output(&f, 1, sent, sizeof(sent)), 11);
	assert_memory_equal(sent, "hello there", 11);
	line->ops->drain(line);
	assert_int_equal(line->ops->queued(line), 0);
	fake_detach(true, DETACH_ASKED);
}

static void
slow_reader(void **state)
{
	static uint8_t bytes[1000];
	struct serial *line;
	unsigned i;

	(void)state;
	come(V1);
	line = &fake_port[0]->line;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;
	/* Nobody listens yet: it stays with the device. */
	assert_true(fake_give(&f, 0, bytes, 1000, 1000));
	fake_interrupt(&f);
	assert_int_equal(fake_ngot, 0);
	line->rx_room = 300;
	assert_int_equal(line->ops->open(line), 0);
	assert_int_equal(fake_ngot, 300);
	assert_int_equal(line->rx_stopped, 1);
	serial_set_room(line, 600);
	serial_resume(line);
	assert_int_equal(fake_ngot, 900);
	for (i = 1; i < VTCON_NRX; i++)
		assert_true(fake_give(&f, 0, bytes, 1000, 1000));
	assert_false(fake_give(&f, 0, bytes, 1000, 1000));
	fake_interrupt(&f);
	assert_int_equal(fake_ngot, 900);
	serial_set_room(line, 8192);
	serial_resume(line);
	assert_int_equal(fake_ngot, 1000 * VTCON_NRX);
	for (i = 0; i < VTCON_NRX; i++)
		assert_memory_equal(fake_got + i * 1000, bytes, 1000);
	assert_true(fake_give(&f, 0, bytes, 10, 10));
	fake_detach(true, DETACH_ASKED);
}

static void
slow_host(void **state)
{
	static uint8_t bytes[VTCON_NTX * VTCON_TX_SIZE + 100];
	struct serial *line;

	(void)state;
	come(V1);
	line = &fake_port[0]->line;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(line->ops->room(line), sizeof(bytes) - 100);
	assert_int_equal(line->ops->write(line, bytes, sizeof(bytes)),
	    sizeof(bytes) - 100);
	assert_int_equal(line->ops->room(line), 0);
	fake_rooms = 0;
	assert_int_equal(fake_take_output(&f, 1, sent, sizeof(sent)),
	    sizeof(bytes) - 100);
	assert_true(fake_wants_interrupt(&f, 1));
	fake_interrupt(&f);
	assert_int_equal(fake_rooms, 1);
	assert_int_equal(line->ops->write(line, bytes, 100), 100);
	/* The log comes behind what was queued, and is not lost. */
	f.ring[1].news = 0;
	line->ops->write_polled(line, (const void *)"log", 3);
	assert_int_equal(fake_take_output(&f, 1, sent, sizeof(sent)), 103);
	assert_memory_equal(sent + 100, "log", 3);
	fake_detach(true, DETACH_GONE);
}

static struct serial *log_line_to;

static void
log_there(const char *text)
{
	log_line_to->ops->write_polled(log_line_to, (const void *)text,
	    strlen(text));
}

/* A log line that comes out of the driver itself waits for no lock. */
static void
log_from_inside(void **state)
{
	(void)state;
	come(V1);
	log_line_to = &fake_port[0]->line;
	log_line_to->rx_room = 100;
	log_line_to->ops->open(log_line_to);
	fake_on_log = log_there;
	assert_true(fake_give(&f, 0, "ab", 2, 2000)); /* cut, and logged */
	fake_interrupt(&f);
	fake_on_log = NULL;
	assert_true(fake_take_output(&f, 1, sent, sizeof(sent)) > 10);
	fake_answer(&f, 1, 99, 0, 1);
	fake_on_log = log_there;
	assert_int_equal(log_line_to->ops->write(log_line_to, (const void *)"x",
			     1),
	    0);
	fake_on_log = NULL;
	assert_true(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_GONE);
}

static void
several_ports(void **state)
{
	struct vport *p;

	(void)state;
	come(MULTI);
	assert_int_equal(fake_sources, 1);
	told(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	tell(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	told(0, VIRTIO_CONSOLE_PORT_READY, 1);
	tell(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	told(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(fake_port[0]->hvc, 0);
	tell(5, VIRTIO_CONSOLE_PORT_ADD, 1);
	told(5, VIRTIO_CONSOLE_PORT_READY, 1);
	tell_text(5, VIRTIO_CONSOLE_PORT_NAME, 1, "org.fish.0", 10);
	p = fake_port[5];
	assert_string_equal(p->name, "org.fish.0");
	assert_false(p->host_open);
	tell(5, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_true(p->host_open);
	tell_text(5, VIRTIO_CONSOLE_RESIZE, 0, "\x50\0\x19\0", 4);
	assert_int_equal(p->size, 25 << 16 | 80);
	p->line.rx_room = 100;
	p->line.ops->open(&p->line);
	told(5, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_true(fake_give(&f, 12, "in", 2, 2));
	fake_interrupt(&f);
	assert_int_equal(fake_ngot, 2);
	p->line.ops->write(&p->line, (const void *)"out", 3);
	assert_int_equal(fake_take_output(&f, 13, sent, sizeof(sent)), 3);
	p->ops->set_open(p, false);
	told(5, VIRTIO_CONSOLE_PORT_OPEN, 0);
	fake_detach(true, DETACH_ASKED);
}

/* A port goes while somebody holds it, and another comes in its place. */
static void
port_leaves(void **state)
{
	struct vport *p;
	unsigned i;

	(void)state;
	come(MULTI);
	tell(1, VIRTIO_CONSOLE_PORT_ADD, 1);
	p = fake_port[1];
	serial_get(&p->line);
	p->line.rx_room = 100;
	p->line.ops->open(&p->line);
	p->line.ops->write(&p->line, (const void *)"lost", 4);
	tell(1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
	assert_null(fake_port[1]);
	assert_true(serial_is_gone(&p->line));
	assert_int_equal(p->line.ops->write(&p->line, (const void *)"x", 1), 0);
	assert_int_equal(p->line.ops->room(&p->line), 0);
	p->line.ops->drain(&p->line);
	p->ops->set_open(p, false);
	assert_true(fake_give(&f, 4, "nobody", 6, 6));
	fake_interrupt(&f);
	for (i = 0; i < 5; i++) {
		tell(1, VIRTIO_CONSOLE_PORT_ADD, 1);
		assert_non_null(fake_port[1]);
		tell(1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
		fake_take_output(&f, 3, NULL, 0);
	}
	assert_int_equal(fake_ngot, 0);
	serial_put(&p->line);
	fake_detach(true, DETACH_ASKED);
}

static void
liars(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "a b",
		"\x01", "\xff" };
	char long_name[100];
	unsigned i;

	(void)state;
	come(MULTI);
	tell(8, VIRTIO_CONSOLE_PORT_ADD, 1);
	tell(UINT32_MAX, VIRTIO_CONSOLE_PORT_ADD, 1);
	tell(1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
	tell(1, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	tell(1, 0xffff, 1);
	assert_true(fake_give(&f, 2, "abc", 3, 3)); /* half a head */
	fake_interrupt(&f);
	assert_true(fake_give(&f, 2, "abc", 3, 0));
	fake_interrupt(&f);
	tell(2, VIRTIO_CONSOLE_PORT_ADD, 1);
	tell(2, VIRTIO_CONSOLE_PORT_ADD, 1);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		tell_text(2, VIRTIO_CONSOLE_PORT_NAME, 1, names[i],
		    strlen(names[i]));
		assert_string_equal(fake_port[2]->name, "");
	}
	memset(long_name, 'n', sizeof(long_name));
	tell_text(2, VIRTIO_CONSOLE_PORT_NAME, 1, long_name, 100);
	assert_string_equal(fake_port[2]->name, "");
	tell_text(2, VIRTIO_CONSOLE_RESIZE, 1, "\x50", 1);
	assert_int_equal(fake_port[2]->size, 0);
	assert_false(virtio_is_broken(&f.vd));
	assert_true(fake_give(&f, 6, "", 0, 0)); /* input of no bytes */
	fake_port[2]->line.rx_room = 10;
	fake_port[2]->line.ops->open(&fake_port[2]->line);
	assert_true(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_GONE);
}

static void
emergency(void **state)
{
	(void)state;
	come(MULTI | VIRTIO_BIT(VIRTIO_CONSOLE_F_EMERG_WRITE));
	assert_non_null(fake_emergency);
	fake_emergency(fake_emergency_arg, '!');
	assert_int_equal(f.config[8], '!');
	fake_detach(true, DETACH_ASKED);
	assert_null(fake_emergency);
}

/* The host takes no message for as long as the driver has buffers. */
static void
deaf_host(void **state)
{
	unsigned i;

	(void)state;
	come(MULTI);
	for (i = 0; i < 3 * NCTL_TX; i++)
		tell(i % NPORT, VIRTIO_CONSOLE_PORT_ADD, 1);
	assert_false(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_ASKED);
}

static void
strange_devices(void **state)
{
	unsigned size;

	(void)state;
	for (size = 0; size < 8; size++) { /* queues too small, or none */
		fake_init(&f, MULTI, size);
		f.config[4] = 4;
		assert_true(fake_attach(&f) < 0);
		fake_detach(false, DETACH_ASKED);
	}
	fake_init(&f, MULTI, 64); /* no ports at all */
	assert_int_equal(fake_attach(&f), -EINVAL);
	fake_detach(false, DETACH_ASKED);
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		fake_init(&f, n % 2 == 0 ? V1 : MULTI, 64);
		f.config[4] = 2;
		fake_budget = n;
		error = fake_attach(&f);
		fake_budget = -1;
		fake_detach(error == 0, DETACH_ASKED);
	}
	assert_true(n > 5);
	come(MULTI);
	fake_refuse = true;
	tell(1, VIRTIO_CONSOLE_PORT_ADD, 1);
	fake_refuse = false;
	told(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	told(1, VIRTIO_CONSOLE_PORT_READY, 0);
	fake_detach(true, DETACH_ASKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port),
		cmocka_unit_test(slow_reader),
		cmocka_unit_test(slow_host),
		cmocka_unit_test(log_from_inside),
		cmocka_unit_test(several_ports),
		cmocka_unit_test(port_leaves),
		cmocka_unit_test(liars),
		cmocka_unit_test(emergency),
		cmocka_unit_test(deaf_host),
		cmocka_unit_test(strange_devices),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
