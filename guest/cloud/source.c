/* SPDX-License-Identifier: ISC */
/* source.c - where to look for what a cloud tells. */
#include "guest/cloud/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/fetch.h"
#include "guest/cloud/imds.h"

#define SOURCE_WAIT_MAX 3600

static const char *const source_names[] = { "ec2", "nocloud", "auto" };

static int
source_wait(struct source *s, const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 4 || text[n] != '\0' || atoi(text) > SOURCE_WAIT_MAX)
		return -EINVAL;
	s->wait_s = atoi(text);
	return 0;
}

static int
source_url(struct source *s, const char *text)
{
	struct fetch_service at;

	free(s->url);
	s->url = mem_string(text);
	return fetch_parse(&at, text);
}

static int
source_option(struct source *s, const char *text)
{
	if (strncmp(text, "wait=", 5) == 0)
		return source_wait(s, text + 5);
	if (strncmp(text, "url=", 4) == 0)
		return source_url(s, text + 4);
	return -EINVAL;
}

int
source_parse(struct source *s, const char *text)
{
	char *copy = mem_string(text), *rest = copy, *word = strsep(&rest, ",");
	int error = -EINVAL;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(word, source_names[i]) == 0) {
			s->kind = (enum source_kind)i;
			error = 0;
		}
	s->wait_s = s->kind == SOURCE_AUTO ? IMDS_AUTO_S : IMDS_WAIT_S;
	s->url = mem_string(IMDS_URL);
	while (error == 0 && (word = strsep(&rest, ",")) != NULL)
		error = source_option(s, word);
	free(copy);
	return error;
}

void
source_fini(struct source *s)
{
	free(s->url);
	s->url = NULL;
}
