/* SPDX-License-Identifier: ISC */
/*
 * ldisc_echo.c - the way out of a terminal: what programs write (OPOST) and
 * the echo of what is typed, with the column that both leave the cursor in.
 *
 * Echoes are queued as what they mean and turned into bytes when there is room
 * for them, for how wide a tab is depends on the column at that time.
 */
#include "linux/ldisc.h"

#define OUT_SIZE 128 /* bytes handed to the line at once */
#define OUT_MOST 8   /* bytes that one character may become */

enum echo_kind {
	ECHO_RAW,       /* the byte, changed like output */
	ECHO_LITERAL,   /* the byte, unchanged */
	ECHO_CONTROL,   /* ^X */
	ECHO_BACK,      /* the cursor counts as one column to the left */
	ECHO_BEGIN,     /* input begins in this column */
	ECHO_ERASE_TAB, /* byte: columns since a tab (bit 7) or the beginning */
};

/* Bytes on their way; room is what the line will still take. */
struct out {
	struct ldisc *l;
	size_t room;
	unsigned n;
	uint8_t bytes[OUT_SIZE];
};

static void
out_begin(struct out *o, struct ldisc *l)
{
	o->l = l;
	o->room = l->ops->room(l->arg);
	o->n = 0;
}

static void
out_end(struct out *o)
{
	if (o->n == 0)
		return;
	o->l->ops->out(o->l->arg, o->bytes, o->n);
	o->n = 0;
}

/* Takes n <= OUT_MOST bytes, or none and answers false. */
static bool
out_put(struct out *o, const char *bytes, unsigned n)
{
	unsigned i;

	if (o->room < n)
		return false;
	if (o->n + n > OUT_SIZE)
		out_end(o);
	o->room -= n;
	for (i = 0; i < n; i++)
		o->bytes[o->n++] = bytes[i];
	return true;
}

static bool
out_byte(struct out *o, uint8_t c)
{
	char byte = c;

	return out_put(o, &byte, 1);
}

static bool
post_newline(struct out *o)
{
	struct ldisc *l = o->l;
	bool crnl = (l->t.c_oflag & ONLCR) != 0;

	if (!out_put(o, crnl ? "\r\n" : "\n", crnl ? 2 : 1))
		return false;
	if (crnl || (l->t.c_oflag & ONLRET) != 0)
		l->column = 0;
	l->canon_column = l->column;
	return true;
}

static bool
post_return(struct out *o)
{
	struct ldisc *l = o->l;

	if ((l->t.c_oflag & ONOCR) != 0 && l->column == 0)
		return true;
	if ((l->t.c_oflag & OCRNL) != 0) {
		if (!out_byte(o, '\n'))
			return false;
		if ((l->t.c_oflag & ONLRET) != 0)
			l->canon_column = l->column = 0;
		return true;
	}
	if (!out_byte(o, '\r'))
		return false;
	l->canon_column = l->column = 0;
	return true;
}

static bool
post_tab(struct out *o)
{
	struct ldisc *l = o->l;
	unsigned spaces = 8 - (l->column & 7);
	bool done;

	if ((l->t.c_oflag & TABDLY) == XTABS)
		done = out_put(o, "        ", spaces);
	else
		done = out_byte(o, '\t');
	if (done)
		l->column += spaces;
	return done;
}

static uint8_t
post_upper(uint8_t c)
{
	bool lower = (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);

	return lower ? c - 32 : c;
}

/* One character as OPOST sends it; false, and nothing done: no room. */
static bool
post_char(struct out *o, uint8_t c)
{
	struct ldisc *l = o->l;

	if (c == '\n')
		return post_newline(o);
	if (c == '\r')
		return post_return(o);
	if (c == '\t')
		return post_tab(o);
	if (!ldisc_is_control(c) && (l->t.c_oflag & OLCUC) != 0)
		c = post_upper(c);
	if (!out_byte(o, c))
		return false;
	if (c == '\b')
		l->column -= l->column > 0;
	else if (!ldisc_is_control(c) && !ldisc_is_tail_byte(l, c))
		l->column++;
	return true;
}

size_t
ldisc_output(struct ldisc *l, const uint8_t *bytes, size_t n)
{
	struct out o;
	size_t i;

	ldisc_echo(l);
	if ((l->t.c_oflag & OPOST) == 0) {
		n = MIN(n, l->ops->room(l->arg));
		if (n > 0)
			l->ops->out(l->arg, bytes, n);
		return n;
	}
	out_begin(&o, l);
	for (i = 0; i < n; i++)
		if (!post_char(&o, bytes[i]))
			break;
	out_end(&o);
	return i;
}

/* -------------------------------------------------------------- echo -- */

/* With no room for it, the oldest echo is given up. */
static void
echo_add(struct ldisc *l, enum echo_kind kind, uint8_t c)
{
	if (l->echo_head - l->echo_tail == LDISC_ECHO)
		l->echo_tail++;
	l->buf->echo[l->echo_head++ % LDISC_ECHO] = (uint16_t)(kind << 8 | c);
}

void
ldisc_echo_char(struct ldisc *l, uint8_t c)
{
	if (c == 0xff)
		echo_add(l, ECHO_LITERAL, c);
	else if ((l->t.c_lflag & ECHOCTL) != 0 && ldisc_is_control(c) &&
	    c != '\t')
		echo_add(l, ECHO_CONTROL, c);
	else
		echo_add(l, ECHO_RAW, c);
}

void
ldisc_echo_raw(struct ldisc *l, uint8_t c)
{
	echo_add(l, c == 0xff ? ECHO_LITERAL : ECHO_RAW, c);
}

void
ldisc_echo_back(struct ldisc *l)
{
	echo_add(l, ECHO_BACK, 0);
}

void
ldisc_echo_begin(struct ldisc *l)
{
	echo_add(l, ECHO_BEGIN, 0);
}

void
ldisc_echo_erase_tab(struct ldisc *l, unsigned columns, bool after_tab)
{
	echo_add(l, ECHO_ERASE_TAB, (columns & 7) | (after_tab ? 0x80 : 0));
}

void
ldisc_echo_forget(struct ldisc *l)
{
	l->echo_tail = l->echo_head;
}

/* As far back as the tab went: to a tab stop, or to where input began. */
static bool
echo_erase_tab(struct out *o, uint8_t columns)
{
	struct ldisc *l = o->l;
	unsigned back;

	if ((columns & 0x80) == 0)
		columns += l->canon_column;
	back = 8 - (columns & 7);
	if (!out_put(o, "\b\b\b\b\b\b\b\b", back))
		return false;
	l->column -= MIN(l->column, back);
	return true;
}

static bool
echo_control(struct out *o, uint8_t c)
{
	char pair[2] = { '^', c ^ 0x40 };

	if (!out_put(o, pair, 2))
		return false;
	o->l->column += 2;
	return true;
}

static bool
echo_one(struct out *o, enum echo_kind kind, uint8_t c)
{
	struct ldisc *l = o->l;

	switch (kind) {
	case ECHO_RAW:
		if ((l->t.c_oflag & OPOST) != 0)
			return post_char(o, c);
		return out_byte(o, c);
	case ECHO_LITERAL:
		if (!out_byte(o, c))
			return false;
		l->column++;
		return true;
	case ECHO_CONTROL: return echo_control(o, c);
	case ECHO_BACK: l->column -= l->column > 0; return true;
	case ECHO_BEGIN: l->canon_column = l->column; return true;
	case ECHO_ERASE_TAB: return echo_erase_tab(o, c);
	}
	return true;
}

void
ldisc_echo(struct ldisc *l)
{
	struct out o;
	uint16_t op;

	if (l->echo_tail == l->echo_head)
		return;
	out_begin(&o, l);
	while (l->echo_tail != l->echo_head) {
		op = l->buf->echo[l->echo_tail % LDISC_ECHO];
		if (!echo_one(&o, op >> 8, op & 0xff))
			break;
		l->echo_tail++;
	}
	out_end(&o);
}
