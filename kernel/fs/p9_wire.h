/* SPDX-License-Identifier: ISC */
/*
 * p9_wire.h - 9P2000.L messages as bytes: numbers are little endian, strings
 * have a length of two bytes in front.  Linux, Documentation/filesystems/9p;
 * diod, protocol.md.  Pure: nothing is allocated, no state is kept.
 *
 * Both directions go by a format, a letter a field.  A field that does not fit
 * or is not there makes the whole message bad; fields got from there on are
 * zero.
 */
#ifndef FS_P9_WIRE_H
#define FS_P9_WIRE_H

#include "kern/types.h"
#include <stdarg.h>

/* Message types: the answer's is one higher. */
enum p9_type {
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TATTACH = 104,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
};

#define P9_NOFID 0xffffffffu

/* What the server calls a file: path is unique, version changes with it. */
struct p9_qid {
	uint8_t type; /* P9_QT* */
	uint32_t version;
	uint64_t path;
};
#define P9_QTDIR  0x80
#define P9_QTLINK 0x02

struct p9_str { /* in the message itself: no NUL ends it */
	const char *s;
	unsigned len;
};

struct p9_wire {
	uint8_t *at, *end;
	bool bad;
};

/*
 * Appends fields: b, w, d, q are numbers of 8, 16, 32 and 64 bits; s a string
 * that ends with NUL.
 */
void p9_putv(struct p9_wire *w, const char *fmt, va_list ap);
void p9_put(struct p9_wire *w, const char *fmt, ...);

/*
 * Takes fields, into pointers: b, w, d, q as above; s a struct p9_str, Q a
 * struct p9_qid.  False if the message is bad.
 */
bool p9_get(struct p9_wire *w, const char *fmt, ...);

/* What Rgetattr tells, as far as it is of use. */
struct p9_attr {
	uint64_t valid; /* P9_STATS_* */
	struct p9_qid qid;
	uint32_t mode, uid, gid;
	uint64_t nlink, rdev, size, blksize, blocks;
	int64_t atime_ns, mtime_ns, ctime_ns; /* since 1970 */
};
#define P9_STATS_BASIC 0x7ffull

/* Takes them; false if the message is bad. */
bool p9_get_attr(struct p9_wire *w, struct p9_attr *a);

/* One entry of a directory. */
struct p9_entry {
	struct p9_qid qid;
	uint64_t next; /* where to go on behind it */
	uint8_t type;  /* DT_* */
	struct p9_str name;
};
/* False at the end, and where the message is bad: an impossible name is. */
bool p9_get_entry(struct p9_wire *w, struct p9_entry *e);

#endif
