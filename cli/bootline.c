/* SPDX-License-Identifier: ISC */
/* bootline.c - the kernel's command line.  Linux, kernel-parameters.rst. */
#include "cli/bootline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/disk.h"
#include "cli/net.h"
#include "cli/share.h"

bool
boot_word_fits(const char *word, bool foreign)
{
	/* A second "--" ends the words for init, and quotes are taken away. */
	if (strcmp(word, "--") == 0 || strchr(word, '"') != NULL)
		return false;
	for (const unsigned char *p = (const void *)word; *p != '\0'; p++)
		if (!foreign && (*p < ' ' || *p > '~'))
			return false;
	return true;
}

/*
 * Whether NAME=VALUE reaches init's environment.  Kernels take names in small
 * letters for their own arguments, and names with a dot for a module's.
 */
static bool
boot_env_fits(const char *env, bool foreign)
{
	size_t n = strcspn(env, "=");

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)env[i];

		if (!isupper(c) && c != '_' && (i == 0 || !isdigit(c)) &&
		    !(foreign && islower(c)))
			return false;
	}
	return boot_word_fits(env + n + 1, foreign);
}

static bool
boot_fits(const struct boot_line *b)
{
	size_t n;

	for (n = 0; b->argv[n] != NULL; n++)
		if (!boot_word_fits(b->argv[n], b->foreign))
			return false;
	if (n > BOOT_WORDS_MAX || b->env->count > BOOT_WORDS_MAX - 2)
		return false;
	for (size_t i = 0; i < b->env->count; i++)
		if (!boot_env_fits(b->env->item[i], b->foreign))
			return false;
	return true;
}

/* Whether next_arg() would end a word here; 0xa0 is a space to Linux. */
static bool
boot_is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static bool
boot_wants_quotes(const char *word)
{
	for (const unsigned char *p = (const void *)word; *p != '\0'; p++)
		if (boot_is_space(*p))
			return true;
	return word[0] == '\0';
}

static void
boot_put_word(struct text *line, const char *word)
{
	text_add(line, boot_wants_quotes(word) ? " \"%s\"" : " %s", word);
}

/* NAME="VALUE": the quotes stand around the value. */
static void
boot_put_env(struct text *line, const char *env)
{
	int n = (int)strcspn(env, "=");
	const char *value = env + n + 1;

	text_add(line,
	    value[0] != '\0' && boot_wants_quotes(value) ? " %.*s=\"%s\"" :
							   " %.*s=%s",
	    n, env, value);
}

static const char *
boot_stream_name(enum boot_stream stream)
{
	return stream == BOOT_TTY ? "tty" :
	    stream == BOOT_PIPE   ? "pipe" :
				    "null";
}

static void
boot_put_own(const struct boot_line *b, struct text *line)
{
	if (b->virtio_console)
		text_add(line, " remora.control=virtio");
	else
		text_add(line, " remora.control=0x%x,%u", BOOT_CONTROL_PORT,
		    BOOT_CONTROL_IRQ);
	text_add(line, " remora.exit=0x%x", BOOT_EXIT_PORT);
	if (b->rows != 0 && b->columns != 0)
		text_add(line, " remora.winsize=%ux%u", b->rows, b->columns);
	if (b->in != BOOT_TTY)
		text_add(line, " remora.stdin=%s", boot_stream_name(b->in));
	if (b->out != BOOT_TTY)
		text_add(line, " remora.stdout=%s", boot_stream_name(b->out));
	if (b->cloud != NULL)
		text_add(line, " remora.cloud=%s", b->cloud);
	for (size_t i = 0; i < b->nshares; i++) {
		char *mount = share_boot_argument(&b->share[i], i);

		if (!share_is_root(&b->share[i]))
			boot_put_env(line, mount);
		free(mount);
	}
}

/* Unless the user says so himself. */
static void
boot_put_nets(const struct boot_line *b, struct text *line)
{
	if (b->append != NULL &&
	    (strncmp(b->append, "ip=", 3) == 0 ||
		strstr(b->append, " ip=") != NULL))
		return;
	for (size_t i = 0; i < b->nnets; i++) {
		char *ip = net_boot_argument(&b->net[i], i);

		if (ip != NULL)
			text_add(line, " %s", ip);
		free(ip);
	}
}

/* The first program, and the root where it is: packed, or a folder. */
static void
boot_put_root(const struct boot_line *b, struct text *line)
{
	const char *name = "rdinit";
	char *text;

	for (size_t i = 0; i < b->nshares; i++) {
		if (!share_is_root(&b->share[i]))
			continue;
		text = share_boot_argument(&b->share[i], i);
		text_add(line, " %s", text);
		free(text);
		name = "init";
	}
	text = mem_format("%s=%s", name, b->program);
	boot_put_env(line, text);
	free(text);
}

static void
boot_put_slot(struct text *line, unsigned slot)
{
	text_add(line, " virtio_mmio.device=%u@0x%x:%u", MMIO_SIZE,
	    MMIO_BASE + MMIO_SIZE * slot, MMIO_IRQ + slot);
}

static void
boot_put(const struct boot_line *b, struct text *line, bool by_file)
{
	text_add(line, "console=%s", b->virtio_console ? "hvc0" : "ttyS0");
	if (!b->verbose)
		text_add(line, b->foreign ? " quiet loglevel=1" : " quiet");
	if (b->foreign)
		text_add(line,
		    " panic=-1 reboot=t tsc=reliable "
		    "noapictimer");
	boot_put_root(b, line);
	if (!b->foreign)
		boot_put_own(b, line);
	for (unsigned i = 0; i < b->mmio_slots; i++)
		boot_put_slot(line, i);
	if (b->vsock && b->microvm)
		boot_put_slot(line, MMIO_SLOT_VSOCK);
	if (b->virtio_console && b->microvm)
		boot_put_slot(line, MMIO_SLOT_CONSOLE);
	boot_put_nets(b, line);
	if (by_file)
		text_add(line, " remora.args=%s", BOOT_ARGS_FILE);
	for (size_t i = 0; !by_file && i < b->env->count; i++)
		boot_put_env(line, b->env->item[i]);
	if (b->append != NULL)
		text_add(line, " %s", b->append);
	if (by_file || b->argv[0] == NULL)
		return;
	text_add(line, " --");
	for (size_t i = 0; b->argv[i] != NULL; i++)
		boot_put_word(line, b->argv[i]);
}

static void
boot_file_put(char **data, size_t *size, const char *s)
{
	size_t n = strlen(s) + 1;

	*data = mem_resize(*data, *size + n, 1);
	memcpy(*data + *size, s, n);
	*size += n;
}

static bool
boot_has_env(const struct boot_line *b, const char *name)
{
	for (size_t i = 0; i < b->env->count; i++)
		if (strncmp(b->env->item[i], name, strlen(name)) == 0)
			return true;
	return false;
}

/*
 * NUL-terminated: argv, an empty string, the environment, with what kernels
 * put there otherwise.  Arguments may be empty too: the last one divides.
 */
static void
boot_add_file(const struct boot_line *b, struct tree *tree)
{
	char *data = NULL;
	size_t size = 0;

	boot_file_put(&data, &size, b->program);
	for (size_t i = 0; b->argv[i] != NULL; i++)
		boot_file_put(&data, &size, b->argv[i]);
	boot_file_put(&data, &size, "");
	if (!boot_has_env(b, "HOME="))
		boot_file_put(&data, &size, "HOME=/");
	if (!boot_has_env(b, "TERM="))
		boot_file_put(&data, &size, "TERM=linux");
	for (size_t i = 0; i < b->env->count; i++)
		boot_file_put(&data, &size, b->env->item[i]);
	tree_add_data(tree, BOOT_ARGS_FILE, 0400, data, size);
}

static int
boot_line_foreign(const struct boot_line *b, struct text *line,
    struct trouble *t)
{
	if (!boot_fits(b))
		return trouble_set(t, STATUS_MACHINE,
		    "this kernel cannot be given these arguments: it takes "
		    "at most %d words, no quotes, no second --, and no "
		    "environment names with dots",
		    BOOT_WORDS_MAX);
	boot_put(b, line, false);
	if (line->length > BOOT_LINE_MAX_FOREIGN)
		return trouble_set(t, STATUS_MACHINE,
		    "this kernel cannot be given %zu bytes of arguments; "
		    "%d is the limit",
		    line->length, BOOT_LINE_MAX_FOREIGN);
	return 0;
}

int
boot_line_make(const struct boot_line *b, struct tree *tree, struct text *line,
    struct trouble *t)
{
	bool fits = boot_fits(b);

	if (!boot_word_fits(b->program, true))
		return trouble_set(t, STATUS_MACHINE,
		    "%s: no kernel can be given a name with quotes",
		    b->program);
	if (b->foreign)
		return boot_line_foreign(b, line, t);
	boot_put(b, line, !fits);
	if (fits && line->length >= BOOT_LINE_MAX) {
		free(line->text);
		*line = (struct text){ 0 };
		fits = false;
		boot_put(b, line, true);
	}
	if (!fits)
		boot_add_file(b, tree);
	if (line->length >= BOOT_LINE_MAX)
		return trouble_set(t, STATUS_MACHINE,
		    "the kernel's command line would have %zu bytes; %d is "
		    "the limit",
		    line->length, BOOT_LINE_MAX);
	return 0;
}
