/* SPDX-License-Identifier: ISC */
/*
 * pipe.h - pipes and FIFOs: a ring of pages between those who write and those
 * who read.  pipe(7), fifo(7).
 *
 * Locking: one sleep lock a pipe.  Two pipes are locked in the order of their
 * addresses.
 */
#ifndef LINUX_PIPE_H
#define LINUX_PIPE_H

#include "fs/file.h"
#include "kern/mutex.h"
#include "kern/page.h"
#include "kern/types.h"

#define PIPE_SLOTS     16u       /* by default: 64 KiB */
#define PIPE_SLOTS_MAX 256u      /* fs.pipe-max-size: 1 MiB */
#define PIPE_ATOMIC    PAGE_SIZE /* PIPE_BUF */

/* One stretch of bytes in one frame, on which it holds a reference. */
struct pipe_buf {
	struct page *page;
	uint32_t off;
	uint16_t len;   /* 1 .. PAGE_SIZE */
	uint8_t shared; /* the frame has other users: never written to */
	uint8_t packet; /* one write with O_DIRECT: read as a whole */
};

struct pipe { /* under lock */
	struct mutex lock;
	struct waitq readable, writable; /* also of each end's last close */
	struct pipe_buf *ring;           /* nslots of them */
	unsigned nslots;                 /* a power of 2 */
	unsigned head, tail;             /* counts: filled, emptied */
	uint64_t nbytes;
	unsigned files;                      /* open files of it */
	unsigned nreaders, nwriters;         /* open ends */
	uint32_t reader_opens, writer_opens; /* counts, for fifo opens */
	struct page *spare;
	bool unnamed; /* pipe(2)'s */
	struct pipe_buf small[PIPE_SLOTS];
};

extern const struct file_ops pipe_ops;

/* The pipe that is behind an open file, or NULL. */
static inline struct pipe *
pipe_of(const struct file *file)
{
	return file->ops == &pipe_ops ? file->priv : NULL;
}

/* A new pipe: *in reads what *out was written.  O_NONBLOCK, O_DIRECT. */
int pipe_create(unsigned flags, struct file **in, struct file **out);

static inline bool
pipe_empty(const struct pipe *p)
{
	return p->head == p->tail;
}
static inline bool
pipe_full(const struct pipe *p)
{
	return p->head - p->tail >= p->nslots;
}
static inline struct pipe_buf *
pipe_slot(struct pipe *p, unsigned count)
{
	return &p->ring[count & (p->nslots - 1)];
}

/*
 * Waits, lock held (dropped meanwhile), until there is something to read or
 * no writer; or room for a slot or no reader.
 *   -EAGAIN (nonblock), -ERESTARTSYS
 */
int pipe_wait_readable_locked(struct pipe *p, bool nonblock);
int pipe_wait_writable_locked(struct pipe *p, bool nonblock);

/* Takes len <= its length bytes off the oldest stretch. */
void pipe_consume_locked(struct pipe *p, unsigned len);
/* Appends a stretch to a pipe that is not full; its reference is taken over. */
void pipe_append_locked(struct pipe *p, const struct pipe_buf *buf);
/* A frame to fill, with one reference; NULL: none. */
struct page *pipe_page_locked(struct pipe *p);

/* F_GETPIPE_SZ, F_SETPIPE_SZ (bytes).  -EBUSY, -EPERM, -EINVAL, -ENOMEM */
long pipe_size(struct pipe *p);
long pipe_resize(struct pipe *p, uint64_t bytes);

#endif
