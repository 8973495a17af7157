/* SPDX-License-Identifier: ISC */
/*
 * printf.c - formatted text.  ISO C, 7.21.6.1: d i u x X o c s p %, flags
 * - 0 # + and space, width, precision, hh h l ll z j t.  No floating point.
 */
#include "kern/string.h"

struct out {
	char *buf;
	size_t size, len; /* len: as if there were room */
};

struct spec {
	bool left, zero, alt, upper;
	char sign;            /* '+', ' ' or 0 */
	int width, precision; /* precision -1: none */
	unsigned bytes;       /* of the integer */
};

static void
put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void
put_run(struct out *o, const char *s, size_t n)
{
	if (o->len + 1 < o->size)
		memcpy(o->buf + o->len, s, MIN(n, o->size - o->len - 1));
	o->len += n;
}

static void
pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void
put_text(struct out *o, const struct spec *sp, const char *s, size_t len)
{
	int fill = sp->width - (int)len;

	if (!sp->left)
		pad(o, ' ', fill);
	put_run(o, s, len);
	if (sp->left)
		pad(o, ' ', fill);
}

static void
put_number(struct out *o, const struct spec *sp, uint64_t v, unsigned base,
    const char *prefix)
{
	const char *digits = sp->upper ? "0123456789ABCDEF" :
					 "0123456789abcdef";
	char tmp[24];
	int n = 0, zeros, fill;

	if (v == 0 && sp->precision != 0)
		tmp[n++] = '0';
	for (; v != 0; v /= base)
		tmp[n++] = digits[v % base];
	zeros = sp->precision - n;
	if (zeros < 0)
		zeros = 0;
	fill = sp->width - n - zeros - (int)strlen(prefix);
	if (sp->zero && !sp->left && sp->precision < 0 && fill > 0) {
		zeros = fill;
		fill = 0;
	}
	if (!sp->left)
		pad(o, ' ', fill);
	put_run(o, prefix, strlen(prefix));
	pad(o, '0', zeros);
	while (n > 0)
		put(o, tmp[--n]);
	if (sp->left)
		pad(o, ' ', fill);
}

static const char *
parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		if (*f == '-')
			sp->left = true;
		else if (*f == '0')
			sp->zero = true;
		else if (*f == '#')
			sp->alt = true;
		else if (*f == '+')
			sp->sign = '+';
		else if (*f == ' ')
			sp->sign = sp->sign == '+' ? '+' : ' ';
		else
			return f;
	}
}

static const char *
parse_length(const char *f, struct spec *sp)
{
	sp->bytes = sizeof(int);
	for (;; f++) {
		if (*f == 'l' || *f == 'z' || *f == 'j' || *f == 't')
			sp->bytes = sizeof(long);
		else if (*f == 'h')
			sp->bytes = sp->bytes == 2 ? 1 : 2;
		else
			return f;
	}
}

static void
put_signed(struct out *o, const struct spec *sp, int64_t v)
{
	const char sign[2] = { sp->sign, '\0' };

	if (v < 0)
		put_number(o, sp, -(uint64_t)v, 10, "-");
	else
		put_number(o, sp, v, 10, sign);
}

static int64_t
narrow(int64_t v, unsigned bytes)
{
	if (bytes == 1)
		return (int8_t)v;
	if (bytes == 2)
		return (int16_t)v;
	return bytes == 4 ? (int32_t)v : v;
}

static uint64_t
mask(uint64_t v, unsigned bytes)
{
	return bytes == 8 ? v : v & ((1ull << bytes * 8) - 1);
}

/* One conversion; f is at its letter. */
static void
convert(struct out *o, struct spec *sp, char letter, va_list *ap)
{
	const char *s;
	int64_t v;
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		v = sp->bytes == 8 ? va_arg(*ap, int64_t) : va_arg(*ap, int);
		put_signed(o, sp, narrow(v, sp->bytes));
		return;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		v = sp->bytes == 8 ? va_arg(*ap, int64_t) : va_arg(*ap, int);
		v = mask(v, sp->bytes);
		sp->upper = letter == 'X';
		s = !sp->alt || v == 0 ? "" :
		    letter == 'o'      ? "0" :
		    letter == 'X'      ? "0X" :
		    letter == 'x'      ? "0x" :
					 "";
		put_number(o, sp, v,
		    letter == 'u'     ? 10 :
			letter == 'o' ? 8 :
					16,
		    s);
		return;
	case 'p': put_number(o, sp, va_arg(*ap, uint64_t), 16, "0x"); return;
	case 'c':
		c = va_arg(*ap, int);
		put_text(o, sp, &c, 1);
		return;
	case 's':
		s = va_arg(*ap, const char *);
		if (s == NULL)
			s = "(null)";
		put_text(o, sp, s,
		    sp->precision >= 0 ? strnlen(s, sp->precision) : strlen(s));
		return;
	default: put(o, letter);
	}
}

static const char *
parse_number(const char *f, int *n, va_list *ap)
{
	if (*f == '*') {
		*n = va_arg(*ap, int);
		return f + 1;
	}
	for (*n = 0; *f >= '0' && *f <= '9'; f++)
		*n = *n * 10 + (*f - '0');
	return f;
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = { buf, size, 0 };
	struct spec sp;
	const char *end;
	va_list ap;

	va_copy(ap, args);
	for (; *fmt != '\0'; fmt++) {
		for (end = fmt; *end != '\0' && *end != '%'; end++)
			;
		put_run(&o, fmt, end - fmt);
		fmt = end;
		if (*fmt == '\0')
			break;
		sp = (struct spec){ .precision = -1 };
		fmt = parse_flags(fmt + 1, &sp);
		fmt = parse_number(fmt, &sp.width, &ap);
		if (sp.width < 0) {
			sp.left = true;
			sp.width = -sp.width;
		}
		if (*fmt == '.')
			fmt = parse_number(fmt + 1, &sp.precision, &ap);
		fmt = parse_length(fmt, &sp);
		if (*fmt == '\0')
			break;
		convert(&o, &sp, *fmt, &ap);
	}
	va_end(ap);
	if (size > 0)
		buf[MIN(o.len, size - 1)] = '\0';
	return o.len;
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (size == 0)
		return 0;
	return MIN((size_t)n, size - 1);
}
