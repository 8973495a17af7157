/* SPDX-License-Identifier: ISC */
/*
 * cmdline.c - the grammar of Linux's boot arguments.
 * Linux, Documentation/admin-guide/kernel-parameters.rst.
 */
#include "kern/cmdline.h"

#include "kern/string.h"
#include <linux/errno.h>

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Finds the '=' (never the first character; 0: none) and the end. */
static size_t
arg_scan(const char *s, bool in_quote, size_t *equals)
{
	size_t i;

	*equals = 0;
	for (i = 0; s[i] != '\0' && (in_quote || !is_space(s[i])); i++) {
		if (s[i] == '=' && *equals == 0)
			*equals = i;
		if (s[i] == '"')
			in_quote = !in_quote;
	}
	return i;
}

bool
cmdline_next(const char **line, struct cmdline_arg *arg)
{
	const char *s = *line, *end;
	size_t equals, len;
	bool quoted;

	while (is_space(*s))
		s++;
	if (*s == '\0') {
		*line = s;
		return false;
	}
	quoted = *s == '"';
	if (quoted)
		s++;
	len = arg_scan(s, quoted, &equals);
	end = s + len;
	*line = end;

	arg->name = s;
	arg->value = equals != 0 ? s + equals + 1 : NULL;
	if (arg->value != NULL && arg->value < end && *arg->value == '"') {
		arg->value++;
		quoted = true;
	}
	if (quoted && len > 0 && end[-1] == '"')
		end--;
	arg->name_len = equals != 0 ? equals : (size_t)(end - s);
	arg->value_len = 0;
	if (arg->value != NULL && end > arg->value)
		arg->value_len = end - arg->value;
	return true;
}

bool
cmdline_named(const struct cmdline_arg *arg, const char *name)
{
	size_t i;
	char a, b;

	for (i = 0; i < arg->name_len; i++) {
		a = arg->name[i] == '-' ? '_' : arg->name[i];
		b = name[i] == '-' ? '_' : name[i];
		if (a != b)
			return false;
	}
	return name[i] == '\0';
}

static bool
is_dashes(const struct cmdline_arg *arg)
{
	return arg->value == NULL && arg->name_len == 2 &&
	    memcmp(arg->name, "--", 2) == 0;
}

int
cmdline_next_value(const char **line, const char *name, char *value,
    size_t size)
{
	struct cmdline_arg arg;

	while (cmdline_next(line, &arg)) {
		if (is_dashes(&arg)) {
			*line += strlen(*line);
			break;
		}
		if (arg.value == NULL || !cmdline_named(&arg, name))
			continue;
		if (arg.value_len >= size)
			return -E2BIG;
		memcpy(value, arg.value, arg.value_len);
		value[arg.value_len] = '\0';
		return (int)arg.value_len;
	}
	return -ENOENT;
}

/*
 * Writes "name" or "name=value" and a NUL to *store, which it moves on.  That
 * is never more than the argument took in the line, with the white space or
 * NUL behind it.
 */
static char *
arg_store(const struct cmdline_arg *arg, char **store)
{
	char *string = *store, *to = string;

	memcpy(to, arg->name, arg->name_len);
	to += arg->name_len;
	if (arg->value != NULL) {
		*to++ = '=';
		memcpy(to, arg->value, arg->value_len);
		to += arg->value_len;
	}
	*to++ = '\0';
	*store = to;
	return string;
}

static const char *
stored_value(const struct cmdline_arg *arg, const char *string)
{
	return arg->value != NULL ? string + arg->name_len + 1 : NULL;
}

static int
arg_unknown(const struct cmdline_arg *arg, const char *string,
    const struct cmdline_sink *sink, void *ctx)
{
	if (memchr(arg->name, '.', arg->name_len) != NULL) {
		if (sink->ignored != NULL)
			sink->ignored(ctx, string);
		return 0;
	}
	if (arg->value != NULL && sink->env != NULL)
		return sink->env(ctx, string, arg->name_len);
	if (arg->value == NULL && sink->word != NULL)
		return sink->word(ctx, string);
	return 0;
}

static const struct cmdline_known *
find_known(const struct cmdline_arg *arg, const struct cmdline_known *known,
    size_t nknown)
{
	size_t i;

	for (i = 0; i < nknown; i++)
		if (cmdline_named(arg, known[i].name) &&
		    (arg->value != NULL || !known[i].needs_value))
			return &known[i];
	return NULL;
}

void
cmdline_parse(const char *line, char *store, const struct cmdline_known *known,
    size_t nknown, const struct cmdline_sink *sink, void *ctx)
{
	const struct cmdline_known *row;
	struct cmdline_arg arg;
	bool for_init = false;
	char *string;
	int error;

	while (cmdline_next(&line, &arg)) {
		if (!for_init && is_dashes(&arg)) {
			for_init = true;
			continue;
		}
		string = arg_store(&arg, &store);
		row = for_init ? NULL : find_known(&arg, known, nknown);
		if (row != NULL)
			error = row->set(ctx, stored_value(&arg, string));
		else if (!for_init)
			error = arg_unknown(&arg, string, sink, ctx);
		else
			error = sink->word == NULL ? 0 :
						     sink->word(ctx, string);
		if (error != 0 && sink->bad != NULL)
			sink->bad(ctx, string, error);
	}
}
