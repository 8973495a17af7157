/* SPDX-License-Identifier: ISC */
/* userdata.c - what user data are.  cloud-init, "User data formats". */
#include "guest/cloud/userdata.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "guest/cloud/codec.h"
#include "guest/cloud/mime.h"
#include "guest/cloud/say.h"

#define USERDATA_DEPTH_MAX 3 /* packed in a message that is packed */

struct userdata_run {
	void (
	    *each)(void *arg, enum userdata_kind kind, const struct buf *data);
	void *arg;
	unsigned depth;
};

static const struct {
	const char *begin;
	enum userdata_kind kind;
} userdata_begins[] = {
	{ "#!", USERDATA_SCRIPT },
	{ "#cloud-config\n", USERDATA_CONFIG },
	{ "#cloud-config\r", USERDATA_CONFIG },
	{ "#cloud-config ", USERDATA_CONFIG },
	{ "#cloud-boothook", USERDATA_BOOTHOOK },
};

/* Those of cloud-init that are not done here. */
static const char *const userdata_others[] = { "#include", "#part-handler",
	"#upstart-job", "#cloud-config-archive", "#cloud-config-jsonp",
	"## template:" };

static void userdata_piece(struct userdata_run *run, const char *type,
    const char *data, size_t n);

static bool
userdata_begins_with(const char *data, size_t n, const char *begin)
{
	return n >= strlen(begin) && memcmp(data, begin, strlen(begin)) == 0;
}

static void
userdata_give(struct userdata_run *run, enum userdata_kind kind,
    const char *data, size_t n)
{
	struct buf copy = { 0 };

	buf_add(&copy, data, n);
	run->each(run->arg, kind, &copy);
	buf_fini(&copy);
}

static void
userdata_unpack(struct userdata_run *run, const char *type, const char *data,
    size_t n)
{
	struct buf out = { 0 };
	int error = gzip_decode(data, n, USERDATA_MAX, &out);

	if (error == 0)
		userdata_piece(run, type, out.data, out.len);
	else
		say_error("user data: gzip: %s",
		    error == -EBADMSG ? "damaged" : strerror(-error));
	buf_fini(&out);
}

static int
userdata_part(void *arg, const char *type, const char *name,
    const struct buf *body)
{
	(void)name;
	userdata_piece(arg, type, buf_text(body), body->len);
	return 0;
}

static void
userdata_message(struct userdata_run *run, const char *data, size_t n)
{
	int error = mime_parts(data, n, userdata_part, run);

	if (error != 0)
		say_error("user data: the MIME message %s",
		    error == -E2BIG ? "has too many parts" : "is damaged");
}

static void
userdata_by_begin(struct userdata_run *run, const char *data, size_t n)
{
	for (size_t i = 0;
	     i < sizeof(userdata_begins) / sizeof(userdata_begins[0]); i++)
		if (userdata_begins_with(data, n, userdata_begins[i].begin)) {
			userdata_give(run, userdata_begins[i].kind, data, n);
			return;
		}
	for (size_t i = 0;
	     i < sizeof(userdata_others) / sizeof(userdata_others[0]); i++)
		if (userdata_begins_with(data, n, userdata_others[i])) {
			say_warning("user data: %s is not done here",
			    userdata_others[i]);
			return;
		}
	if (n == strlen("#cloud-config") &&
	    userdata_begins_with(data, n, "#cloud-config"))
		return; /* an empty one */
	say_warning("user data: begin neither with #! nor with "
		    "#cloud-config, left out");
}

/* `type` is what a message calls it, or "". */
static void
userdata_piece(struct userdata_run *run, const char *type, const char *data,
    size_t n)
{
	if (n == 0)
		return;
	if (run->depth == USERDATA_DEPTH_MAX) {
		say_error("user data: nested too deep");
		return;
	}
	run->depth++;
	if (gzip_is(data, n))
		userdata_unpack(run, type, data, n);
	else if (strcmp(type, "text/cloud-config") == 0)
		userdata_give(run, USERDATA_CONFIG, data, n);
	else if (strcmp(type, "text/cloud-boothook") == 0)
		userdata_give(run, USERDATA_BOOTHOOK, data, n);
	else if (mime_is(data, n))
		userdata_message(run, data, n);
	else
		userdata_by_begin(run, data, n);
	run->depth--;
}

void
userdata_split(const char *data, size_t n,
    void (*each)(void *arg, enum userdata_kind kind, const struct buf *data),
    void *arg)
{
	struct userdata_run run = { .each = each, .arg = arg };

	userdata_piece(&run, "", data, n);
}
