/* SPDX-License-Identifier: ISC */
/* keys.c - ~/.ssh/authorized_keys.  sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/cloud/accounts.h"
#include "guest/cloud/files.h"
#include "guest/cloud/say.h"

#define KEYS_MAX 1048576 /* bytes of the file */

/* The key itself, which begins with its type's length in base64. */
static size_t
key_blob(const char *line, const char **blob)
{
	const char *end = line + strcspn(line, "\r\n"), *s;

	for (s = line; s != NULL && s < end; s = strpbrk(s, " \t")) {
		s += strspn(s, " \t");
		if (strncmp(s, "AAAA", 4) == 0 && s < end) {
			*blob = s;
			return strcspn(s, " \t\r\n");
		}
	}
	*blob = line;
	return (size_t)(end - line);
}

static bool
key_is_there(const char *text, const char *key)
{
	const char *a, *b;
	size_t n = key_blob(key, &a);

	while (*text != '\0') {
		if (text[0] != '#' && key_blob(text, &b) == n &&
		    memcmp(a, b, n) == 0)
			return true;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return false;
}

static int
keys_write(const char *folder, const struct account *a, const struct buf *text)
{
	char *path = mem_format("%s/authorized_keys", folder);
	int error = file_replace(path, buf_text(text), text->len, 0600);

	if (error == 0 && lchown(path, a->uid, a->gid) < 0)
		error = -errno;
	free(path);
	return error;
}

static int
keys_folder(const char *folder, const struct account *a)
{
	int error = file_make_folder(folder, 0700);
	struct stat st;

	/* Not through a link to somewhere else. */
	if (error == 0 && (lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode)))
		error = -ENOTDIR;
	if (error == 0 &&
	    (lchown(folder, a->uid, a->gid) < 0 || chmod(folder, 0700) < 0))
		error = -errno;
	return error;
}

int
keys_add(const char *root, const char *user, const struct strings *keys,
    const char *prefix)
{
	struct buf text = { 0 };
	struct account a;
	char *folder = NULL, *path = NULL;
	int error = keys->count == 0 ? 0 : account_find(root, user, &a);

	if (keys->count == 0)
		return 0;
	if (error == 0) {
		folder = mem_format("%s%s/.ssh", root, a.home);
		path = mem_format("%s/authorized_keys", folder);
		error = keys_folder(folder, &a);
	}
	if (error == 0) {
		error = file_read(path, KEYS_MAX, &text);
		error = error == -ENOENT ? 0 : error;
	}
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		buf_add(&text, "\n", 1);
	for (size_t i = 0; i < keys->count; i++)
		if (!key_is_there(buf_text(&text), keys->item[i]))
			buf_format(&text, "%s%s\n", prefix, keys->item[i]);
	if (error == 0)
		error = keys_write(folder, &a, &text);
	if (error != 0)
		say_error("keys of %s: %s", user, strerror(-error));
	account_fini(&a);
	buf_fini(&text);
	free(folder);
	free(path);
	return error;
}
