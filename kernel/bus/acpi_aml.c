/* SPDX-License-Identifier: ISC */
/*
 * acpi_aml.c - whether byte code is well-formed.  ACPI 6.4, 20.2.
 *
 * An opcode's operands are written as letters:
 *
 *	B W D Q  a number of 1, 2, 4, 8 bytes	N  a name, not empty
 *	Z        a string, with its NUL		n  the same, behind terms
 *	T        a term: an opcode, a name
 *	P        a package's length: what follows ends with it
 *	L R E F  up to its end: terms, raw bytes, elements, fields
 *	V        a value: a constant, a buffer, a package, a name
 *	S        a size: outside of methods a constant that makes sense
 *	M        a Match's operator
 *
 * Where a name or an operator has to follow terms, one of those may have been
 * a call, whose arguments then stand in between and are passed over.
 *
 * What is under way is kept on a stack of the parser's own, not the kernel's.
 */
#include "bus/acpi_aml.h"

#include "kern/kmem.h"
#include <linux/errno.h>

#define DEPTH 256 /* opcodes in opcodes */
#define EXT   0x5b

static const char *const opcode[256] = {
	[0x00] = "",
	[0x01] = "",
	[0x06] = "NN",
	[0x08] = "NV",
	[0x0a] = "B",
	[0x0b] = "W",
	[0x0c] = "D",
	[0x0d] = "Z",
	[0x0e] = "Q",
	[0x10] = "PNL",
	[0x11] = "PSR",
	[0x12] = "PBE",
	[0x13] = "PSE",
	[0x14] = "PNBL",
	[0x15] = "NBB",
	[0x60 ... 0x6e] = "",
	[0x70] = "TT",
	[0x71] = "T",
	[0x72 ... 0x74] = "TTT",
	[0x75 ... 0x76] = "T",
	[0x77] = "TTT",
	[0x78] = "TTTT",
	[0x79 ... 0x7f] = "TTT",
	[0x80 ... 0x82] = "TT",
	[0x83] = "T",
	[0x84 ... 0x85] = "TTT",
	[0x86] = "TT",
	[0x87] = "T",
	[0x88] = "TTT",
	[0x89] = "TMTMTT",
	[0x8a ... 0x8d] = "TTn",
	[0x8e] = "T",
	[0x8f] = "TTn",
	[0x90 ... 0x91] = "TT",
	[0x92] = "T",
	[0x93 ... 0x95] = "TT",
	[0x96 ... 0x99] = "TT",
	[0x9c] = "TTT",
	[0x9d] = "TT",
	[0x9e] = "TTTT",
	[0x9f] = "",
	[0xa0] = "PTL",
	[0xa1] = "PL",
	[0xa2] = "PTL",
	[0xa3] = "",
	[0xa4] = "T",
	[0xa5] = "",
	[0xcc] = "",
	[0xff] = "",
};

/* Behind EXT. */
static const char *const extended[256] = {
	[0x01] = "NB",
	[0x02] = "N",
	[0x12] = "TT",
	[0x13] = "TTTn",
	[0x1f] = "TTTTTT",
	[0x20] = "NT",
	[0x21 ... 0x22] = "T",
	[0x23] = "TW",
	[0x24] = "T",
	[0x25] = "TT",
	[0x26 ... 0x27] = "T",
	[0x28 ... 0x29] = "TT",
	[0x30] = "",
	[0x31] = "",
	[0x32] = "BDT",
	[0x33] = "",
	[0x80] = "NBTT",
	[0x81] = "PNBF",
	[0x82] = "PNL",
	[0x83] = "PNBDBL",
	[0x84] = "PNBWL",
	[0x85] = "PNL",
	[0x86] = "PNNBF",
	[0x87] = "PNNTBF",
	[0x88] = "NTTT",
};

#define METHOD   0x14
#define WHILE    0xa2
#define CONTINUE 0x9f
#define BREAK    0xa5
#define REVISION 0x30 /* behind EXT */

#define SIZE_MAX_LOAD 0x10000

struct frame {
	const char *left; /* operands that are still to come */
	uint32_t end;     /* the byte behind what they may use */
	uint8_t code;     /* the opcode, 0 for those behind EXT */
};

struct parser {
	const uint8_t *aml;
	uint32_t at;
	unsigned depth;
	struct frame frame[DEPTH];
};

/* Takes n bytes below `end`; false: there are not so many. */
static bool
skip(struct parser *p, uint32_t end, uint32_t n)
{
	if (n > end - p->at)
		return false;
	p->at += n;
	return true;
}

static bool
is_lead(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
segments(struct parser *p, uint32_t end, unsigned n)
{
	const uint8_t *s;
	unsigned i;

	for (; n > 0; n--) {
		s = p->aml + p->at;
		if (!skip(p, end, 4) || !is_lead(s[0]))
			return false;
		for (i = 1; i < 4; i++)
			if (!is_lead(s[i]) && (s[i] < '0' || s[i] > '9'))
				return false;
	}
	return true;
}

/* 20.2.2; the root alone is a name too. */
static bool
name(struct parser *p, uint32_t end)
{
	const uint8_t *aml = p->aml;
	bool prefixed = false;

	while (p->at < end && (aml[p->at] == '\\' || aml[p->at] == '^')) {
		prefixed = true;
		p->at++;
	}
	if (p->at >= end)
		return false;
	switch (aml[p->at]) {
	case 0x00: p->at++; return prefixed;
	case 0x2e: p->at++; return segments(p, end, 2);
	case 0x2f:
		if (end - p->at < 2 || aml[p->at + 1] == 0)
			return false;
		p->at += 2;
		return segments(p, end, aml[p->at - 1]);
	default: return segments(p, end, 1);
	}
}

/* 20.2.4: up to four bytes; *v is what they say. */
static bool
length(struct parser *p, uint32_t end, uint32_t *v)
{
	const uint8_t *b = p->aml + p->at;
	unsigned more, i;

	if (p->at >= end)
		return false;
	more = b[0] >> 6;
	*v = more == 0 ? b[0] & 0x3f : b[0] & 0x0f;
	if (!skip(p, end, 1 + more) || (more > 0 && (b[0] & 0x30) != 0))
		return false;
	for (i = 0; i < more; i++)
		*v |= (uint32_t)b[1 + i] << (4 + 8 * i);
	return true;
}

/* The length counts itself. */
static bool
package(struct parser *p, struct frame *f)
{
	uint32_t begin = p->at, n;

	if (!length(p, f->end, &n) || n < p->at - begin || n > f->end - begin)
		return false;
	f->end = begin + n;
	return true;
}

static bool
string(struct parser *p, uint32_t end)
{
	while (p->at < end && p->aml[p->at] != 0)
		if (p->aml[p->at++] >= 0x80)
			return false;
	return skip(p, end, 1);
}

/* A connection is a name, or a buffer whose contents are numbers only. */
static bool
connection(struct parser *p, uint32_t end)
{
	struct frame f = { NULL, end, 0 };

	if (p->at >= end || p->aml[p->at] != 0x11)
		return name(p, end);
	p->at++;
	if (!package(p, &f))
		return false;
	p->at = f.end;
	return true;
}

/* 20.2.5.2 */
static bool
fields(struct parser *p, uint32_t end)
{
	uint32_t bits;
	bool good = true;

	while (good && p->at < end)
		switch (p->aml[p->at]) {
		case 0x00:
			p->at++;
			good = length(p, end, &bits);
			break;
		case 0x01: good = skip(p, end, 3); break;
		case 0x02:
			p->at++;
			good = connection(p, end);
			break;
		case 0x03: good = skip(p, end, 4); break;
		default:
			good = segments(p, end, 1) && length(p, end, &bits);
			break;
		}
	return good;
}

static bool
push(struct parser *p, const char *operands, uint32_t end, uint8_t code)
{
	if (p->depth == DEPTH)
		return false;
	p->frame[p->depth++] = (struct frame){ operands, end, code };
	return true;
}

static bool
in_method(const struct parser *p)
{
	unsigned i;

	for (i = 0; i < p->depth; i++)
		if (p->frame[i].code == METHOD)
			return true;
	return false;
}

/* The interpreter looks for the loop that it leaves without asking. */
static bool
in_loop(const struct parser *p)
{
	unsigned i;

	for (i = p->depth; i > 0 && p->frame[i - 1].code != METHOD; i--)
		if (p->frame[i - 1].code == WHILE)
			return true;
	return false;
}

static bool
is_name(const struct parser *p, uint32_t end)
{
	uint8_t c = p->at < end ? p->aml[p->at] : 0;

	return is_lead(c) || c == '\\' || c == '^' || c == 0x2e || c == 0x2f;
}

static bool
term(struct parser *p, uint32_t end)
{
	const char *operands;
	uint8_t c;

	if (p->at >= end)
		return false;
	c = p->aml[p->at];
	if (is_name(p, end))
		return name(p, end);
	p->at++;
	if ((c == BREAK || c == CONTINUE) && !in_loop(p))
		return false;
	if (c != EXT) {
		operands = opcode[c];
	} else {
		c = 0;
		if (p->at >= end)
			return false;
		operands = extended[p->aml[p->at++]];
	}
	return operands != NULL && push(p, operands, end, c);
}

static bool
value(struct parser *p, uint32_t end)
{
	uint8_t c = p->at < end ? p->aml[p->at] : BREAK;

	if (c == EXT)
		return end - p->at > 1 && p->aml[p->at + 1] == REVISION &&
		    term(p, end);
	return (is_name(p, end) || c <= 0x01 || (c >= 0x0a && c <= 0x0e) ||
		   (c >= 0x11 && c <= 0x13) || c == 0xff) &&
	    term(p, end);
}

/* What is made when a table is loaded has to be there in one go. */
static bool
size(struct parser *p, uint32_t end)
{
	static const uint8_t width[] = { [0x0a] = 1, [0x0b] = 2, [0x0c] = 4 };
	uint64_t v = 0;
	uint8_t c;
	unsigned i;

	if (in_method(p))
		return term(p, end);
	if (p->at >= end)
		return false;
	c = p->aml[p->at++];
	if (c <= 0x01)
		return true;
	if (c >= sizeof(width) || width[c] == 0 || end - p->at < width[c])
		return false;
	for (i = 0; i < width[c]; i++)
		v |= (uint64_t)p->aml[p->at++] << 8 * i;
	return v <= SIZE_MAX_LOAD;
}

/* One more term or element, if there is room; then the same again. */
static bool
more(struct parser *p, struct frame *f, const char *again)
{
	if (p->at == f->end)
		return true;
	f->left = again;
	return *again == 'E' ? value(p, f->end) : term(p, f->end);
}

static bool
name_behind(struct parser *p, struct frame *f)
{
	if (is_name(p, f->end))
		return name(p, f->end);
	f->left--;
	return term(p, f->end);
}

static bool
match_behind(struct parser *p, struct frame *f)
{
	if (p->at < f->end && p->aml[p->at] <= 5)
		return skip(p, f->end, 1);
	f->left--;
	return term(p, f->end);
}

static bool
operand(struct parser *p, struct frame *f)
{
	switch (*f->left++) {
	case 'B': return skip(p, f->end, 1);
	case 'W': return skip(p, f->end, 2);
	case 'D': return skip(p, f->end, 4);
	case 'Q': return skip(p, f->end, 8);
	case 'Z': return string(p, f->end);
	case 'N': return name(p, f->end);
	case 'n': return name_behind(p, f);
	case 'M': return match_behind(p, f);
	case 'T': return term(p, f->end);
	case 'P': return package(p, f);
	case 'R': p->at = f->end; return true;
	case 'F': return fields(p, f->end);
	case 'V': return value(p, f->end);
	case 'S': return size(p, f->end);
	default: return more(p, f, f->left - 1);
	}
}

static int
check(struct parser *p, uint32_t len)
{
	struct frame *f;

	if (!push(p, "L", len, 0))
		return -EINVAL;
	while (p->depth > 0) {
		f = &p->frame[p->depth - 1];
		if (*f->left == '\0')
			p->depth--;
		else if (!operand(p, f))
			return -EINVAL;
	}
	return 0;
}

int
acpi_aml_check(const uint8_t *aml, size_t len, size_t *at)
{
	struct parser *p = kzalloc(sizeof(*p));
	int error;

	if (p == NULL)
		return -ENOMEM;
	p->aml = aml;
	error = len > UINT32_MAX / 2 ? -EINVAL : check(p, len);
	*at = p->at;
	kfree(p);
	return error;
}
