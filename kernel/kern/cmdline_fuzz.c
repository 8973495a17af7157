/* SPDX-License-Identifier: ISC */
/*
 * cmdline_fuzz.c - any line: every string stays inside the promised store,
 * and the strings follow each other in it.
 */
/* unit: kernel/kern/cmdline.c */
#include "kern/cmdline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct span {
	const char *start, *end;
};

static int
check(void *ctx, const char *string)
{
	struct span *left = ctx;

	if (string == NULL)
		return 0;
	if (string < left->start || string + strlen(string) >= left->end)
		abort();
	left->start = string;
	return 0;
}

static int
check_env(void *ctx, const char *string, size_t name_len)
{
	if (name_len == 0 || string[name_len] != '=')
		abort();
	return check(ctx, string);
}

static void
check_ignored(void *ctx, const char *string)
{
	check(ctx, string);
	if (strchr(string, '.') == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cmdline_known known[] = {
		{ "quiet", check, false },
		{ "init", check, true },
		{ "a.b", check, false },
	};
	static const struct cmdline_sink sink = {
		check,
		check_env,
		check_ignored,
		NULL,
	};
	char *line = malloc(size + 1), *store, value[8];
	const char *at = line;
	struct span left;

	memcpy(line, data, size);
	line[size] = '\0';
	store = malloc(strlen(line) + 1);
	left.start = store;
	left.end = store + strlen(line) + 1;
	cmdline_parse(line, store, known, ARRAY_SIZE(known), &sink, &left);
	while (cmdline_next_value(&at, "a.b", value, sizeof(value)) != -2)
		;
	free(store);
	free(line);
	return 0;
}
