/* SPDX-License-Identifier: ISC */
/*
 * cpio.c - reads "newc" archives, pushed in pieces of any size.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 *
 *   state    next     when                            function
 *   BETWEEN  HEADER   a byte '0'                      cpio_between_feed
 *   HEADER   NAME     110 bytes are there             header_parse
 *   NAME     BETWEEN  it is the trailer               name_parse
 *            TARGET   a symbolic link                 name_parse
 *            DATA     a regular file with data        name_parse
 *            HEADER   anything else                   name_parse
 *   TARGET   PAD      the target is whole             target_parse
 *   DATA     PAD      the last byte was passed on     cpio_data_feed
 *   PAD      HEADER   the padding is skipped          cpio_pad_feed
 *   any      FAILED   a defect, or a callback's error cpio_fail
 */
#include "fs/cpio.h"

#include "kern/string.h"
#include <linux/errno.h>

/* Types of files in a mode. */
#define MODE_TYPE   0170000
#define MODE_SOCKET 0140000
#define MODE_LINK   0120000
#define MODE_FILE   0100000
#define MODE_BLOCK  0060000
#define MODE_DIR    0040000
#define MODE_CHAR   0020000
#define MODE_FIFO   0010000

/* The header's fields behind the magic: 8 hexadecimal digits each. */
enum cpio_field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_SIZE,
	FIELD_DEV_MAJOR,
	FIELD_DEV_MINOR,
	FIELD_RDEV_MAJOR,
	FIELD_RDEV_MINOR,
	FIELD_NAME_SIZE,
	FIELD_SUM,
	NFIELDS,
};
#define MAGIC_SIZE 6
_Static_assert(MAGIC_SIZE + 8 * NFIELDS == CPIO_HEADER_SIZE, "newc");

void
cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx)
{
	memset(c, 0, offsetof(struct cpio, header));
	c->ops = ops;
	c->ctx = ctx;
	c->state = CPIO_BETWEEN;
}

static int
cpio_fail(struct cpio *c, uint64_t offset, int error, const char *defect)
{
	c->state = CPIO_FAILED;
	c->offset = offset;
	c->error = error;
	c->defect = defect;
	return error;
}

static uint64_t
load64(const char *s)
{
	uint64_t word;

	__builtin_memcpy(&word, s, sizeof(word));
	return word;
}

/* The value of 8 hexadecimal digits; false if one is none. */
static bool
hex8(const char *digits, uint32_t *value)
{
	unsigned i;
	char c;

	*value = 0;
	if (load64(digits) == 0x3030303030303030) /* most fields are 0 */
		return true;
	for (i = 0; i < 8; i++) {
		c = digits[i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return false;
		*value = *value << 4 | (uint32_t)c;
	}
	return true;
}

static bool
mode_has_type(uint32_t mode)
{
	switch (mode & MODE_TYPE) {
	case MODE_FILE:
	case MODE_DIR:
	case MODE_LINK:
	case MODE_CHAR:
	case MODE_BLOCK:
	case MODE_FIFO:
	case MODE_SOCKET: return true;
	default: return false;
	}
}

static bool
is_type(const struct cpio *c, uint32_t type)
{
	return (c->entry.mode & MODE_TYPE) == type;
}

static void
header_take(struct cpio *c, const uint32_t *field)
{
	struct cpio_entry *e = &c->entry;

	e->ino = field[FIELD_INO];
	e->mode = field[FIELD_MODE];
	e->uid = field[FIELD_UID];
	e->gid = field[FIELD_GID];
	e->nlink = field[FIELD_NLINK];
	e->mtime = field[FIELD_MTIME];
	e->size = field[FIELD_SIZE];
	e->dev_major = field[FIELD_DEV_MAJOR];
	e->dev_minor = field[FIELD_DEV_MINOR];
	e->rdev_major = field[FIELD_RDEV_MAJOR];
	e->rdev_minor = field[FIELD_RDEV_MINOR];
	e->name = NULL;
	e->target = NULL;
	c->name_size = field[FIELD_NAME_SIZE];
	c->want_sum = field[FIELD_SUM];
	c->left = field[FIELD_SIZE];
	c->sum = 0;
}

static int
header_parse(struct cpio *c)
{
	uint64_t start = c->offset - CPIO_HEADER_SIZE;
	uint32_t field[NFIELDS];
	unsigned i;

	if (memcmp(c->header, "070701", MAGIC_SIZE) == 0)
		c->checked = false;
	else if (memcmp(c->header, "070702", MAGIC_SIZE) == 0)
		c->checked = true;
	else if (memcmp(c->header, "070707", MAGIC_SIZE) == 0)
		return cpio_fail(c, start, -EINVAL,
		    "old portable format, want newc");
	else
		return cpio_fail(c, start, -EINVAL, "no entry's magic number");
	for (i = 0; i < NFIELDS; i++)
		if (!hex8(c->header + MAGIC_SIZE + 8 * i, &field[i]))
			return cpio_fail(c, start + MAGIC_SIZE + 8 * i, -EINVAL,
			    "not a number");

	c->entry.offset = start;
	header_take(c, field);
	if (c->name_size < 2)
		return cpio_fail(c, start, -EINVAL, "entry without a name");
	if (c->name_size > CPIO_NAME_MAX)
		return cpio_fail(c, start, -ENAMETOOLONG, "name is too long");
	c->have = 0;
	c->state = CPIO_NAME;
	return 0;
}

/* How much name and padding there is: a multiple of 4 with the header. */
static uint32_t
padded_name_size(const struct cpio *c)
{
	return ROUND_UP(CPIO_HEADER_SIZE + c->name_size, 4) - CPIO_HEADER_SIZE;
}

static bool
has_dotdot(const char *name)
{
	const char *s;

	for (s = name; (s = strchr(s, '.')) != NULL; s++)
		if ((s == name || s[-1] == '/') && s[1] == '.' &&
		    (s[2] == '/' || s[2] == '\0'))
			return true;
	return false;
}

/* Without what does not count at either end: "/", "./", and "." alone. */
static char *
name_trim(char *name)
{
	size_t len;

	while (*name == '/' ||
	    (*name == '.' && (name[1] == '/' || name[1] == '\0')))
		name++;
	len = strlen(name);
	while (len > 0 && name[len - 1] == '/')
		name[--len] = '\0';
	return name;
}

/* Names may be filled up to a page with NULs: four words at a time. */
static bool
all_zero(const char *s, size_t len)
{
	for (; len >= 32; s += 32, len -= 32)
		if ((load64(s) | load64(s + 8) | load64(s + 16) |
			load64(s + 24)) != 0)
			return false;
	for (; len > 0; s++, len--)
		if (*s != '\0')
			return false;
	return true;
}

/* What is wrong with the name, or NULL.  NULs may fill it up at its end. */
static const char *
name_defect(const struct cpio *c)
{
	size_t len = strnlen(c->name, c->name_size);

	if (len == c->name_size)
		return "name without a NUL";
	if (len == 0)
		return "entry without a name";
	if (!all_zero(c->name + len, c->name_size - len))
		return "name with a NUL inside";
	if (has_dotdot(c->name))
		return "name with a \"..\" in it";
	return NULL;
}

/* What is wrong with mode and size, or NULL. */
static const char *
entry_defect(const struct cpio_entry *e)
{
	uint32_t type = e->mode & MODE_TYPE;

	if (!mode_has_type(e->mode))
		return "mode without a type of file";
	if (type == MODE_LINK && e->size == 0)
		return "symbolic link without a target";
	if (type != MODE_LINK && type != MODE_FILE && e->size != 0)
		return "data in what is not a regular file";
	return NULL;
}

static int
trailer_take(struct cpio *c)
{
	int error;

	if (c->entry.size != 0)
		return cpio_fail(c, c->entry.offset, -EINVAL,
		    "trailer with data");
	c->state = CPIO_BETWEEN;
	if (c->ops->archive_end == NULL)
		return 0;
	error = c->ops->archive_end(c->ctx);
	if (error != 0)
		return cpio_fail(c, c->entry.offset, error,
		    "end of the archive refused");
	return 0;
}

/* The entry is known whole; its data, if any, follows. */
static int
entry_begin(struct cpio *c)
{
	int error;

	error = c->ops->begin(c->ctx, &c->entry);
	if (error != 0)
		return cpio_fail(c, c->entry.offset, error, "entry refused");
	return 0;
}

static int
entry_end(struct cpio *c)
{
	int error;

	if (c->checked && is_type(c, MODE_FILE) && c->sum != c->want_sum)
		return cpio_fail(c, c->entry.offset, -EINVAL,
		    "data does not match its sum");
	error = c->ops->end(c->ctx);
	if (error != 0)
		return cpio_fail(c, c->entry.offset, error, "entry refused");
	c->left = -c->entry.size & 3;
	c->have = 0;
	c->state = c->left != 0 ? CPIO_PAD : CPIO_HEADER;
	return 0;
}

static int
name_parse(struct cpio *c)
{
	struct cpio_entry *e = &c->entry;
	const char *defect;
	int error;

	defect = name_defect(c);
	if (defect != NULL)
		return cpio_fail(c, e->offset + CPIO_HEADER_SIZE, -EINVAL,
		    defect);
	if (strcmp(c->name, "TRAILER!!!") == 0)
		return trailer_take(c);
	defect = entry_defect(e);
	if (defect != NULL)
		return cpio_fail(c, e->offset, -EINVAL, defect);
	e->name = name_trim(c->name);
	c->have = 0;
	if (is_type(c, MODE_LINK)) {
		if (e->size >= CPIO_NAME_MAX)
			return cpio_fail(c, e->offset, -ENAMETOOLONG,
			    "symbolic link's target is too long");
		c->state = CPIO_TARGET;
		return 0;
	}
	error = entry_begin(c);
	if (error == 0 && e->size == 0)
		return entry_end(c);
	c->state = error == 0 ? CPIO_DATA : CPIO_FAILED;
	return error;
}

static int
target_parse(struct cpio *c)
{
	uint32_t size = c->entry.size;
	int error;

	c->target[size] = '\0';
	if (strlen(c->target) != size)
		return cpio_fail(c, c->offset - size, -EINVAL,
		    "symbolic link's target with a NUL inside");
	c->entry.target = c->target;
	c->entry.size = 0;
	error = entry_begin(c);
	c->entry.size = size; /* of the padding */
	return error == 0 ? entry_end(c) : error;
}

/*
 * Collects up to `want` bytes in `to`; *len becomes what was taken of `bytes`.
 * True once all are there.
 */
static bool
collect(struct cpio *c, char *to, uint32_t want, const void *bytes, size_t *len)
{
	*len = MIN(*len, want - c->have);
	memcpy(to + c->have, bytes, *len);
	c->have += *len;
	c->offset += *len;
	return c->have == want;
}

/* A name that is there whole is copied without what fills it up. */
static bool
collect_name(struct cpio *c, const void *bytes, size_t *len)
{
	uint32_t want = padded_name_size(c), n;

	if (c->have != 0 || *len < want)
		return collect(c, c->name, want, bytes, len);
	n = strnlen(bytes, c->name_size);
	if (n < c->name_size &&
	    all_zero((const char *)bytes + n, c->name_size - n))
		c->name_size = n + 1;
	memcpy(c->name, bytes, c->name_size);
	c->offset += want;
	*len = want;
	return true;
}

/* Skips zeros; stops before what begins no archive. */
static int
between_feed(struct cpio *c, const char *bytes, size_t *len)
{
	size_t n = 0;

	while (n < *len && bytes[n] == '\0')
		n++;
	if (n < *len && bytes[n] == '0') {
		c->have = 0;
		c->state = CPIO_HEADER;
	}
	c->offset += n;
	*len = n;
	return 0;
}

static int
data_feed(struct cpio *c, const char *bytes, size_t *len)
{
	size_t i;
	int error;

	*len = MIN(*len, c->left);
	if (c->checked)
		for (i = 0; i < *len; i++)
			c->sum += (uint8_t)bytes[i];
	error = c->ops->data(c->ctx, bytes, *len, c->in_place);
	if (error != 0)
		return cpio_fail(c, c->offset, error, "data refused");
	c->offset += *len;
	c->left -= *len;
	return c->left == 0 ? entry_end(c) : 0;
}

static void
pad_feed(struct cpio *c, size_t *len)
{
	*len = MIN(*len, c->left);
	c->offset += *len;
	c->left -= *len;
	if (c->left == 0)
		c->state = CPIO_HEADER;
}

/* One step; *len becomes what it took of the bytes. */
static int
cpio_step(struct cpio *c, const char *bytes, size_t *len)
{
	switch (c->state) {
	case CPIO_BETWEEN: return between_feed(c, bytes, len);
	case CPIO_HEADER:
		if (collect(c, c->header, CPIO_HEADER_SIZE, bytes, len))
			return header_parse(c);
		return 0;
	case CPIO_NAME:
		if (collect_name(c, bytes, len))
			return name_parse(c);
		return 0;
	case CPIO_TARGET:
		if (collect(c, c->target, c->entry.size, bytes, len))
			return target_parse(c);
		return 0;
	case CPIO_DATA: return data_feed(c, bytes, len);
	case CPIO_PAD: pad_feed(c, len); return 0;
	case CPIO_FAILED: return c->error;
	}
	return -EINVAL;
}

int64_t
cpio_feed(struct cpio *c, const void *bytes, size_t len)
{
	const char *from = bytes;
	size_t done = 0, step;
	int error;

	while (done < len) {
		step = len - done;
		error = cpio_step(c, from + done, &step);
		if (error != 0)
			return error;
		done += step;
		if (step == 0 && c->state == CPIO_BETWEEN)
			break; /* not an archive */
	}
	return (int64_t)done;
}

bool
cpio_between(const struct cpio *c)
{
	return c->state == CPIO_BETWEEN;
}

int
cpio_finish(struct cpio *c)
{
	const char *defect;

	if (c->state == CPIO_FAILED)
		return c->error;
	if (c->state == CPIO_BETWEEN)
		return 0;
	if (c->state == CPIO_HEADER && c->have == 0)
		defect = "archive ends without its trailer";
	else if (c->state == CPIO_DATA)
		defect = "archive ends inside a file's data";
	else
		defect = "archive ends inside an entry";
	return cpio_fail(c, c->offset, -EINVAL, defect);
}
