/* SPDX-License-Identifier: ISC */
/* seed.c - what a cloud tells an instance about itself. */
#include "guest/cloud/seed.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEED_ID_MAX   128 /* bytes of an instance's name */
#define SEED_HOST_MAX 253 /* bytes of a host's; RFC 1035, 2.3.4 */

void
seed_fini(struct seed *s)
{
	free(s->instance_id);
	free(s->hostname);
	strings_fini(&s->keys);
	buf_fini(&s->user_data);
	buf_fini(&s->network);
}

/* Without white space at both ends. */
static char *
seed_trimmed(const char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	return mem_bytes(text, n);
}

int
seed_set_instance_id(struct seed *s, const char *text)
{
	char *id = seed_trimmed(text);

	if (strlen(id) > SEED_ID_MAX)
		id[SEED_ID_MAX] = '\0';
	for (char *p = id; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) &&
		    (strchr("-_.", *p) == NULL || (p == id && *p == '.')))
			*p = '_';
	if (id[0] == '\0') {
		free(id);
		return -EINVAL;
	}
	free(s->instance_id);
	s->instance_id = id;
	return 0;
}

void
seed_add_keys(struct strings *keys, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\r\n");
		char *line = mem_bytes(text, n), *key = seed_trimmed(line);

		free(line);
		if (key[0] == '\0' || key[0] == '#')
			free(key);
		else
			strings_add(keys, key);
		text += n + strspn(text + n, "\r\n");
	}
}

char *
seed_hostname(const char *text)
{
	char *name = seed_trimmed(text);
	size_t n = strlen(name);

	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
			n = 0;
	if (n > 0 && n <= SEED_HOST_MAX && name[0] != '.' && name[0] != '-')
		return name;
	free(name);
	return NULL;
}
