/* SPDX-License-Identifier: ISC */
/* unix_proc.c - /proc/net/unix: the sockets between processes.  proc(5). */
#include "kern/kmem.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "net/unix.h"
#include <linux/errno.h>

/* A line of it, noted while the lock is held. */
struct unix_line {
	uint64_t ino;
	unsigned refs, type, state;
	bool listening;
	struct sock_addr addr;
};

/* net/socket.h's SS_*, as Linux numbers them. */
#define LINE_UNCONNECTED 1
#define LINE_CONNECTING  2
#define LINE_CONNECTED   3

static void
note_line(struct unix_line *l, const struct unix_sock *u)
{
	bool connected = u->state == UNIX_CONNECTED;

	l->ino = u->s.ino;
	l->refs = __atomic_load_n(&u->refs, __ATOMIC_RELAXED);
	l->type = (unsigned)u->s.type;
	l->listening = u->state == UNIX_LISTENING;
	l->state = connected ? LINE_CONNECTED : LINE_UNCONNECTED;
	if (connected && u->s.ino == 0) /* to be accepted: no file yet */
		l->state = LINE_CONNECTING;
	if (u->addr != NULL)
		l->addr = u->addr->addr;
}

static void
print_line(struct sbuf *sb, const struct unix_line *l)
{
	const uint8_t *name = l->addr.bytes + sizeof(l->addr.family);
	uint32_t len = l->addr.len, i;

	sbuf_printf(sb, "%016lx: %08X %08X %08X %04X %02X %5lu", l->ino,
	    l->refs, 0u, l->listening ? 0x10000u : 0u, l->type, l->state,
	    l->ino);
	if (len > sizeof(l->addr.family)) {
		sbuf_puts(sb, " ");
		len -= sizeof(l->addr.family);
		if (name[0] != 0) /* a path, with or without its end */
			len = (uint32_t)strnlen((const char *)name, len);
		for (i = 0; i < len; i++)
			sbuf_printf(sb, "%c", name[i] != 0 ? name[i] : '@');
	}
	sbuf_puts(sb, "\n");
}

void
unix_proc(struct sbuf *sb)
{
	struct unix_line *lines;
	struct unix_sock *u;
	unsigned i, n = 0, room;

	spin_lock(&unix_lock);
	room = unix_nall;
	spin_unlock(&unix_lock);
	sbuf_puts(sb,
	    "Num       RefCount Protocol Flags    Type St Inode "
	    "Path\n");
	lines = kcalloc(room, sizeof(*lines));
	if (lines == NULL) {
		if (room != 0)
			sb->error = -ENOMEM;
		return;
	}
	spin_lock(&unix_lock);
	TAILQ_FOREACH (u, &unix_all, all_link) {
		if (n == room)
			break; /* those came meanwhile */
		note_line(&lines[n++], u);
	}
	spin_unlock(&unix_lock);
	for (i = 0; i < n; i++)
		print_line(sb, &lines[i]);
	kfree(lines);
}
