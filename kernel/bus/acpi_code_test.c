/* SPDX-License-Identifier: ISC */
/*
 * acpi_code_test.c - byte code as a board's DSDT, right and with each of its
 * bits wrong, on a board whose registers answer anything, with memory that may
 * run out: loaded, initialized, and asked for all that the kernel asks.
 *
 * The services of acpi_osl.c are played here, by one thread and without time;
 * those of acpi_osl_io.c are the kernel's, with memory and ports played.  Each
 * piece of code gets a process of its own, as ACPICA starts only once.
 */
/* unit: kernel/bus/acpi_osl_io.c kernel/bus/acpi_access.c kernel/bus/acpi_eval.c kernel/bus/acpi_load.c kernel/bus/acpi_aml.c kernel/bus/acpi_devices.c kernel/bus/acpi_pci.c kernel/bus/acpi_route.c kernel/bus/acpi_resource.c kernel/bus/platform.c acpica */
#include "bus/acpi_access.h"
#include "bus/acpi_aml.h"
#include "bus/acpi_impl.h"
#include "bus/device.h"
#include "bus/firmware.h"
#include "bus/intr.h"
#include "bus/pci.h"
#include "bus/virtio_mmio.h"
#include "kern/boot.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "x86/io.h"
#include "x86/layout.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const char *__asan_default_options(void);

#define FIRMWARE      0x3f00000ul /* where its tables are */
#define FIRMWARE_SIZE 0x10000ul
#define AML_MAX       0x4000ul
#define H_SIZE        36
#define FADT_SIZE     276
#define REGISTERS     4096
#define JOBS_MAX      64
#define CORPUS        "tests/corpus/acpi"
#define HEAD          6 /* bytes before the code in its files */
#define ALLOCATIONS   1500

/* ACPICA forgets a block here and there when a table makes no sense. */
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static uint8_t *firmware; /* FIRMWARE_SIZE bytes, then nothing */
static const uint8_t *answers;
static size_t nanswers, next_answer;
static unsigned allocations, fail_at;
static uint64_t now;
static const char *stack_base;

/* ---- the kernel below ---- */

static uint8_t
answer(void)
{
	return nanswers == 0 ? 0 : answers[next_answer++ % nanswers];
}

uint32_t
host_port_read(uint16_t port, unsigned width)
{
	if (!acpi_ports_allowed(port, width))
		abort();
	return answer() * 0x01010101u;
}

void
host_port_write(uint16_t port, unsigned width, uint32_t value)
{
	(void)value;
	if (!acpi_ports_allowed(port, width))
		abort();
}

static const struct boot_info info = {
	.range = { { 0x1000, 0x9e000, BOOT_MEM_RAM },
	    { 0x100000, FIRMWARE - 0x100000, BOOT_MEM_RAM },
	    { FIRMWARE, FIRMWARE_SIZE, BOOT_MEM_RESERVED } },
	.nranges = 3,
};

const struct boot_info *
boot_info(void)
{
	return &info;
}

/* One page of registers stands for all; what crosses its end finds none. */
volatile void *
mmio_map(paddr_t pa, size_t size)
{
	static uint8_t page[REGISTERS];
	size_t at = pa & (REGISTERS - 1);

	memset(page, answer(), sizeof(page));
	return size <= sizeof(page) - at ? page + at : NULL;
}

paddr_t
firmware_acpi_root(void)
{
	return FIRMWARE;
}

static uint32_t
config_read(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width)
{
	(void)space;
	(void)bdf;
	if (reg + width > 4096 || reg % width != 0)
		abort();
	return answer();
}

static void
config_write(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	(void)v;
	(void)config_read(space, bdf, reg, width);
}

const struct pci_space *
pci_host_space(void)
{
	static const struct pci_cfg_ops ops = { config_read, config_write };
	static const struct pci_space space = { .ops = &ops,
		.size = 4096,
		.last_bus = 255 };

	return &space;
}

/* From the fail_at-th on there is none. */
static bool
memory_is_out(void)
{
	return ++allocations >= fail_at && fail_at != 0;
}

void *
kmalloc(size_t size)
{
	return memory_is_out() || size > 1 << 24 ? NULL : malloc(size);
}

void *
kzalloc(size_t size)
{
	return memory_is_out() || size > 1 << 24 ? NULL : calloc(1, size);
}

void
kfree(void *p)
{
	free(p);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	return (size_t)snprintf(dst, size, "%s", src);
}

/* ---- the kernel beside ---- */

void
acpi_complain(const char *fmt, ...)
{
	(void)fmt;
}

int
acpi_need(void)
{
	return 0;
}

void
acpi_event_source(void (*again)(void *arg), void *arg)
{
	(void)again;
	(void)arg;
}

struct device {
	struct device *parent;
	struct pci_dev pci;
};
static struct device bus, function = { .parent = &bus };

struct device *
device_parent(const struct device *dev)
{
	return dev->parent;
}

bool
pci_is_function(const struct device *dev)
{
	return dev->parent != NULL;
}

struct pci_dev *
pci_dev_of(const struct device *dev)
{
	return (struct pci_dev *)&dev->pci;
}

int
virtio_mmio_add(const struct virtio_mmio_place *place, unsigned flags)
{
	if (place->size == 0 || flags > (INTR_LEVEL | INTR_LOW))
		abort();
	return -ENODEV;
}

int
intr_gsi_get(unsigned gsi, unsigned flags, struct intr_source **out)
{
	(void)gsi;
	(void)flags;
	*out = NULL;
	return -ENODEV;
}

int
intr_establish(struct intr_source *src, bool (*fn)(void *), void *arg,
    const char *name, struct intr_handler **out)
{
	(void)src;
	(void)fn;
	(void)arg;
	(void)name;
	(void)out;
	return -ENODEV;
}

void
intr_put(struct intr_source *src)
{
	(void)src;
}

void
intr_mask(struct intr_source *src)
{
	(void)src;
}

void
intr_unmask(struct intr_source *src)
{
	(void)src;
}

/* ---- ACPICA's services, by one thread ---- */

acpi_status
acpi_os_initialize(void)
{
	return AE_OK;
}

acpi_status
acpi_os_terminate(void)
{
	return AE_OK;
}

/* There was no time before. */
u32
acpi_events_to_clear(acpi_io_address port, u32 value, u32 width)
{
	(void)port;
	(void)width;
	return value;
}

bool
acpi_stack_is_short(void)
{
	return stack_base - (const char *)__builtin_frame_address(0) > 0x100000;
}

struct acpi_objects {
	size_t size;
};

acpi_status
acpi_os_create_cache(char *name, u16 size, u16 depth, acpi_cache_t **out)
{
	(void)name;
	(void)depth;
	*out = acpi_os_allocate(sizeof(**out));
	if (*out == NULL)
		return AE_NO_MEMORY;
	(*out)->size = size;
	return AE_OK;
}

acpi_status
acpi_os_delete_cache(acpi_cache_t *cache)
{
	acpi_os_free(cache);
	return AE_OK;
}

acpi_status
acpi_os_purge_cache(acpi_cache_t *cache)
{
	(void)cache;
	return AE_OK;
}

void *
acpi_os_acquire_object(acpi_cache_t *cache)
{
	return acpi_os_allocate_zeroed(cache->size);
}

acpi_status
acpi_os_release_object(acpi_cache_t *cache, void *object)
{
	(void)cache;
	acpi_os_free(object);
	return AE_OK;
}

struct acpi_lock {
	bool held;
};

acpi_status
acpi_os_create_lock(acpi_spinlock *out)
{
	*out = acpi_os_allocate_zeroed(sizeof(**out));
	return *out == NULL ? AE_NO_MEMORY : AE_OK;
}

void
acpi_os_delete_lock(acpi_spinlock lock)
{
	acpi_os_free(lock);
}

acpi_cpu_flags
acpi_os_acquire_lock(acpi_spinlock lock)
{
	if (lock->held)
		abort();
	lock->held = true;
	return 0;
}

void
acpi_os_release_lock(acpi_spinlock lock, acpi_cpu_flags flags)
{
	(void)flags;
	lock->held = false;
}

struct acpi_sem {
	uint32_t units;
};

acpi_status
acpi_os_create_semaphore(u32 max, u32 units, acpi_semaphore *out)
{
	(void)max;
	*out = acpi_os_allocate_zeroed(sizeof(**out));
	if (*out == NULL)
		return AE_NO_MEMORY;
	(*out)->units = units;
	return AE_OK;
}

acpi_status
acpi_os_delete_semaphore(acpi_semaphore s)
{
	acpi_os_free(s);
	return AE_OK;
}

/* Nobody else could signal it: whoever would wait has waited too long. */
acpi_status
acpi_os_wait_semaphore(acpi_semaphore s, u32 units, u16 timeout)
{
	(void)timeout;
	if (s == NULL)
		return AE_BAD_PARAMETER;
	if (s->units < units)
		return AE_TIME;
	s->units -= units;
	return AE_OK;
}

acpi_status
acpi_os_signal_semaphore(acpi_semaphore s, u32 units)
{
	if (s == NULL)
		return AE_BAD_PARAMETER;
	s->units += units;
	return AE_OK;
}

acpi_thread_id
acpi_os_get_thread_id(void)
{
	return 1;
}

static struct {
	acpi_osd_exec_callback fn;
	void *context;
} jobs[JOBS_MAX];
static unsigned njobs;

acpi_status
acpi_os_execute(acpi_execute_type type, acpi_osd_exec_callback fn,
    void *context)
{
	(void)type;
	if (njobs == JOBS_MAX || acpi_has_starved())
		return AE_NO_MEMORY;
	jobs[njobs].fn = fn;
	jobs[njobs++].context = context;
	return AE_OK;
}

void
acpi_os_wait_events_complete(void)
{
	unsigned i, done = 0;

	for (i = 0; i < njobs && done < 4 * JOBS_MAX && !acpi_has_starved();
	     i++, done++)
		jobs[i].fn(jobs[i].context);
	njobs = 0;
}

void
acpi_os_sleep(u64 ms)
{
	now += ms * 10000;
}

void
acpi_os_stall(u32 us)
{
	now += us * 10;
}

u64
acpi_os_get_timer(void)
{
	return now += 100000; /* 10 ms: loops end after 100 rounds */
}

acpi_status
acpi_os_install_interrupt_handler(u32 number, acpi_osd_handler fn,
    void *context)
{
	(void)number;
	(void)fn;
	(void)context;
	return AE_OK;
}

acpi_status
acpi_os_remove_interrupt_handler(u32 number, acpi_osd_handler fn)
{
	(void)number;
	(void)fn;
	return AE_OK;
}

void ACPI_INTERNAL_VAR_XFACE
acpi_os_printf(const char *fmt, ...)
{
	(void)fmt;
}

acpi_status
acpi_os_signal(u32 what, void *context)
{
	(void)what;
	(void)context;
	return AE_OK;
}

acpi_status
acpi_os_enter_sleep(u8 state, u32 a, u32 b)
{
	(void)state;
	(void)a;
	(void)b;
	return AE_OK;
}

/* ---- a board ---- */

static void
put(uint8_t *at, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		*at++ = v;
}

static void
finish(uint8_t *t, const char *signature, uint32_t length)
{
	uint8_t sum = 0;
	uint32_t i;

	memcpy(t, signature, 4);
	put(t + 4, length, 4);
	t[8] = 6;
	t[9] = 0;
	for (i = 0; i < length; i++)
		sum += t[i];
	t[9] = -sum;
}

/* The DSDT ends where memory does. */
static void
make_tables(const uint8_t *aml, size_t n, bool reduced)
{
	uint8_t *rsdp = firmware, *xsdt = firmware + 64, *fadt = firmware + 128,
		*facs = firmware + 512, sum = 0;
	uint32_t length = H_SIZE + n;
	uint64_t dsdt = FIRMWARE_SIZE - length;
	unsigned i;

	memset(firmware, 0, FIRMWARE_SIZE);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	put(rsdp + 20, 36, 4);
	put(rsdp + 24, FIRMWARE + 64, 8);
	for (i = 0; i < 20; i++)
		sum += rsdp[i];
	rsdp[8] = -sum;
	for (sum = 0, i = 0; i < 36; i++)
		sum += rsdp[i];
	rsdp[32] = -sum;
	put(xsdt + H_SIZE, FIRMWARE + 128, 8);
	finish(xsdt, "XSDT", H_SIZE + 8);
	memcpy(facs, "FACS", 4);
	put(facs + 4, 64, 4);
	put(fadt + 36, FIRMWARE + 512, 4);
	put(fadt + 40, FIRMWARE + dsdt, 4);
	put(fadt + 46, 9, 2);
	put(fadt + 56, 0x600, 4); /* PM1 events, control, timer, GPE0 */
	put(fadt + 64, 0x604, 4);
	put(fadt + 76, 0x608, 4);
	put(fadt + 80, 0x620, 4);
	fadt[88] = 4;
	fadt[89] = 2;
	fadt[91] = 4;
	fadt[92] = 16;
	put(fadt + 112, reduced ? ACPI_FADT_HW_REDUCED : 0, 4);
	finish(fadt, "FACP", FADT_SIZE);
	memcpy(firmware + dsdt + H_SIZE, aml, n);
	finish(firmware + dsdt, "DSDT", length);
}

static acpi_status
method_failed(acpi_status status, acpi_name name, u16 op, u32 offset,
    void *context)
{
	(void)name;
	(void)op;
	(void)offset;
	(void)context;
	acpi_note_failure(status);
	return status;
}

/* As bus/acpi.c does it, up to where it takes nothing back. */
static acpi_status
load(void)
{
	acpi_status status = acpi_initialize_tables(NULL, 16, TRUE);

	if (ACPI_SUCCESS(status))
		status = acpi_initialize_subsystem();
	if (ACPI_SUCCESS(status))
		status = acpi_install_exception_handler(method_failed);
	if (ACPI_SUCCESS(status))
		status = acpi_load_tables();
	return acpi_load_has_failed() ? AE_BAD_DATA : status;
}

static acpi_status
enable(void)
{
	acpi_status status = acpi_enable_subsystem(ACPI_FULL_INITIALIZATION);

	if (ACPI_SUCCESS(status))
		status = acpi_initialize_objects(ACPI_FULL_INITIALIZATION);
	return status;
}

static void
ask_all(void)
{
	unsigned slot, pin, gsi, flags;
	const uint64_t apic = 1;
	uint8_t a, b;

	(void)acpi_devices_look();
	(void)acpi_eval_run(ACPI_ROOT_OBJECT, "_PIC", 1, &apic);
	if (!acpi_has_starved())
		(void)acpi_update_all_gpes();
	acpi_events_open();
	acpi_devices_add();
	for (slot = 0; slot < 32; slot += 7)
		for (pin = 0; pin < 4; pin++) {
			function.pci.bdf = PCI_BDF(0, slot, 0);
			if (acpi_pci_route(&function, pin, &gsi, &flags) == 0 &&
			    flags > (INTR_LEVEL | INTR_LOW))
				abort();
		}
	(void)acpi_pcie_hotplug_is_ours();
	if (!acpi_has_starved())
		(void)acpi_get_sleep_type_data(ACPI_STATE_S5, &a, &b);
	if (!acpi_has_starved())
		(void)acpi_enter_sleep_state_prep(ACPI_STATE_S5);
	acpi_os_wait_events_complete();
}

/* Two bytes: which allocation fails; one: the board; then answers and code. */
static void
run(const uint8_t *data, size_t size)
{
	firmware = mmap((void *)(KVA_DIRECT + FIRMWARE), FIRMWARE_SIZE,
	    PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (firmware == MAP_FAILED)
		abort();
	stack_base = __builtin_frame_address(0);
	fail_at = data[0] | data[1] << 8;
	nanswers = MIN((size_t)(data[2] >> 1), size - 3);
	answers = data + 3;
	make_tables(data + 3 + nanswers, size - 3 - nanswers, data[2] & 1);
	acpi_gbl_max_loop_iterations = 1;
	if (acpi_reserve_make() == 0 && ACPI_SUCCESS(load())) {
		if (ACPI_SUCCESS(enable()))
			ask_all();
		acpi_devices_forget();
		if (!acpi_has_starved())
			(void)acpi_terminate();
	}
}

/* What a fault did before cmocka came. */
static struct sigaction sanitizers;

/* In a process of its own; it must come to its end. */
static void
try(const char *name, const uint8_t *data, size_t size, unsigned what)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		sigaction(SIGSEGV, &sanitizers, NULL);
		run(data, size);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s, %u: status 0x%x", name, what, status);
}

static void
for_each(void (*fn)(const char *name, uint8_t *data, size_t size))
{
	static uint8_t data[AML_MAX];
	char path[300];
	struct dirent *e;
	unsigned files = 0;
	size_t size;
	FILE *f;
	DIR *d = opendir(CORPUS);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", CORPUS, e->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		size = fread(data, 1, sizeof(data), f);
		fclose(f);
		assert_true(size > HEAD);
		fn(e->d_name, data, size);
		files++;
	}
	closedir(d);
	assert_true(files > 3);
}

static void
as_it_is(const char *name, uint8_t *data, size_t size)
{
	size_t at;

	try(name, data, size, 0);
	assert_int_equal(acpi_aml_check(data + HEAD, size - HEAD, &at), 0);
}

/* Of each byte two. */
static void
with_each_bit_wrong(const char *name, uint8_t *data, size_t size)
{
	size_t at;
	unsigned bit;

	for (at = HEAD; at < size; at++)
		for (bit = at % 4; bit < 8; bit += 4) {
			data[at] ^= 1 << bit;
			try(name, data, size, at);
			data[at] ^= 1 << bit;
		}
}

static void
cut_short(const char *name, uint8_t *data, size_t size)
{
	size_t n;

	for (n = HEAD; n < size; n += 3)
		try(name, data, n, n);
}

/* Each allocation of a start fails once, up to where the start is done. */
static void
without_memory(const char *name, uint8_t *data, size_t size)
{
	unsigned i;

	for (i = 1; i < ALLOCATIONS; i += 19) {
		data[0] = i;
		data[1] = i >> 8;
		try(name, data, size, i);
	}
}

static void
good_code_is_taken(void **state)
{
	(void)state;
	for_each(as_it_is);
}

static void
a_wrong_bit_does_no_harm(void **state)
{
	(void)state;
	for_each(with_each_bit_wrong);
}

static void
a_short_table_does_no_harm(void **state)
{
	(void)state;
	for_each(cut_short);
}

static void
missing_memory_does_no_harm(void **state)
{
	(void)state;
	for_each(without_memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_code_is_taken),
		cmocka_unit_test(a_wrong_bit_does_no_harm),
		cmocka_unit_test(a_short_table_does_no_harm),
		cmocka_unit_test(missing_memory_does_no_harm),
	};

	sigaction(SIGSEGV, NULL, &sanitizers);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
