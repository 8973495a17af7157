/* SPDX-License-Identifier: ISC */
/*
 * nvme_fake_use.h - short words for tests with the controller in software,
 * each of which ends the test where it fails.  Includes cmocka.
 */
#ifndef DEV_NVME_NVME_FAKE_USE_H
#define DEV_NVME_NVME_FAKE_USE_H

#include "dev/nvme/nvme_fake_ctrl.h"
#include <setjmp.h>

#include <cmocka.h>

static inline bool
settled(void *arg)
{
	(void)arg;
	return fake_unsettled == 0;
}

static inline bool
all_ended(void *arg)
{
	(void)arg;
	return fake_under_way() == 0;
}

static inline void
attach(void)
{
	assert_int_equal(fake_attach(), 0);
	fake_until(settled, NULL, "the first disks");
}

static inline void
detach(bool asked)
{
	fake_detach_end(fake_detach_begin(asked));
	fake_check_clean();
}

static inline void
run_all(void)
{
	fake_until(all_ended, NULL, "requests");
}

static inline struct fake_disk *
disk(const char *name)
{
	struct fake_disk *d = fake_disk_named(name);

	assert_non_null(d);
	return d;
}

/* What a program asks, in a thread of its own. */
struct asked {
	struct nvme_passthru p;
	struct nvme_handle *h;
	bool io, ended;
	int answer;
};

static inline void
ask_thread(void *arg)
{
	struct asked *a = arg;

	a->answer = nvme_handle_command(a->h, a->io, &a->p);
	a->ended = true;
}

static inline void
ask(struct asked *a)
{
	struct thread *t;

	a->ended = false;
	assert_int_equal(thread_create("ask", ask_thread, a, &t), 0);
	thread_start(t);
}

#endif
