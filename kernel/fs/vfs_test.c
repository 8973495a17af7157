/* SPDX-License-Identifier: ISC */
/*
 * vfs_test.c - the VFS and tmpfs on the host: random operations on names and
 * contents, each carried out on the host's tmpfs as well; every answer must be
 * the same.  Then memory that runs out, archives in memory, and that nothing
 * is left when the last mount is gone.
 *
 * The test plays the machine: vfs_testbed.h.
 */
/* unit: kernel/fs/walk.c kernel/fs/dentry.c kernel/fs/names.c kernel/fs/rename.c kernel/fs/attr.c kernel/fs/inode.c kernel/fs/mount.c kernel/fs/super.c kernel/fs/open.c kernel/fs/file.c kernel/fs/tmpfs.c kernel/fs/tmpfs_file.c kernel/fs/pagecache.c kernel/fs/pagetree.c kernel/fs/uio.c kernel/fs/chrdev.c kernel/fs/devtmpfs.c kernel/fs/initramfs.c kernel/fs/notify.c kernel/fs/cpio.c kernel/fs/unpack.c inflate unzstd */
#include "fs/vfs_testbed.h"
#include "fs/p9.h"

/* In the table of types; its own tests are elsewhere. */
const struct fs_type p9_type = { .name = "9p" };

/* ------------------------------------- a file system to play in -- */

struct play {
	struct path top; /* root and working directory there */
	struct vfs_ctx ctx;
	long kmem_before;
	unsigned frames_before;
};

static void
play_start(struct play *p)
{
	assert_int_equal(vfs_mkdir(&kernel, NULL, "play", 0755), 0);
	p->kmem_before = kmem_live;
	p->frames_before = nfree;
	assert_int_equal(vfs_mount(&kernel, "t", "/play", "tmpfs", 0,
			     "mode=755"),
	    0);
	assert_int_equal(vfs_walk(&kernel, NULL, "play", 0, &p->top), 0);
	p->ctx = kernel;
	p->ctx.root = p->top;
	p->ctx.cwd = p->top;
}

static void
play_end(struct play *p)
{
	fail_one_in = 0;
	assert_int_equal(vfs_umount(&kernel, "/play", 0), -EBUSY);
	path_put(&p->top);
	assert_int_equal(vfs_umount(&kernel, "/play", 0), 0);
	assert_int_equal(kmem_live, p->kmem_before);
	assert_int_equal(nfree, p->frames_before);
	assert_int_equal(vfs_rmdir(&kernel, NULL, "play"), 0);
}

static long
read_all(struct file *f, char *buf, size_t size)
{
	return file_pread_kernel(f, buf, size, 0);
}

/* One operation, as either side carries it out: 0 or more, or -errno. */
struct op {
	enum {
		MKDIR,
		RMDIR,
		CREATE,
		UNLINK,
		RENAME,
		LINK,
		SYMLINK,
		STAT,
		READLINK,
		TRUNCATE,
		READ,
		MKFIFO,
		CHMOD,
		NOPS
	} what;
	char a[64], b[64];
	unsigned flags, at, len;
};

struct answer {
	long value;
	char text[512]; /* compared up to len */
	size_t len;
};

/* CREATE writes, READ reads all. */
static void
ours_opened(struct play *p, const struct op *o, struct answer *r)
{
	static char block[65536];
	struct uio_vec vec;
	struct file *f;
	struct uio u;
	int64_t pos = o->at;

	memset(block, 'a' + o->len % 26, sizeof(block));
	r->value = vfs_open(&p->ctx, NULL, o->a, o->flags, 0644, 0, &f);
	if (r->value != 0)
		return;
	uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)block, o->len);
	if (o->what == CREATE)
		r->value = file_write(f, &u, &pos);
	else
		r->value = read_all(f, r->text, sizeof(r->text));
	if (o->what == READ && r->value > 0)
		r->len = r->value;
	file_put(f);
}

static bool
op_follows(const struct op *o)
{
	return o->what != READLINK &&
	    ((o->what != STAT && o->what != LINK) || (o->flags & 1) == 0);
}

/* What is done to a place that is there. */
static void
ours_found(struct play *p, const struct op *o, struct answer *r)
{
	struct vfs_attr attr = { 0 };
	struct vfs_stat st;
	struct path path;

	r->value = vfs_walk(&p->ctx, NULL, o->a,
	    op_follows(o) ? WALK_FOLLOW : 0, &path);
	if (r->value != 0)
		return;
	if (o->what == LINK) {
		r->value = vfs_link(&p->ctx, &path, NULL, o->b);
	} else if (o->what == READLINK) {
		r->value = vfs_readlink(&p->ctx, &path, r->text,
		    sizeof(r->text));
		r->len = r->value > 0 ? r->value : 0;
	} else if (o->what == STAT) {
		vfs_stat(&path, &st);
		if (S_ISDIR(st.mode))
			st.size = 0;
		r->len = sprintf(r->text, "%o %u %lu", st.mode, st.nlink,
		    st.size);
	} else {
		attr.valid = o->what == CHMOD ? ATTR_MODE : ATTR_SIZE;
		attr.mode = 0700 | o->at % 0100;
		attr.size = o->at;
		r->value = vfs_setattr(&p->ctx, &path, &attr);
	}
	path_put(&path);
}

static void
ours(struct play *p, const struct op *o, struct answer *r)
{
	const struct vfs_ctx *c = &p->ctx;

	switch (o->what) {
	case MKDIR: r->value = vfs_mkdir(c, NULL, o->a, 0755); break;
	case RMDIR: r->value = vfs_rmdir(c, NULL, o->a); break;
	case UNLINK: r->value = vfs_unlink(c, NULL, o->a); break;
	case MKFIFO:
		r->value = vfs_mknod(c, NULL, o->a, S_IFIFO | 0644, 0);
		break;
	case SYMLINK: r->value = vfs_symlink(c, o->b, NULL, o->a); break;
	case RENAME:
		r->value = vfs_rename(c, NULL, o->a, NULL, o->b, o->flags);
		break;
	case CREATE:
	case READ: ours_opened(p, o, r); break;
	default: ours_found(p, o, r); break;
	}
}

static void
theirs(const struct op *o, struct answer *r)
{
	static char block[65536];
	struct stat st;
	int fd;

	memset(block, 'a' + o->len % 26, sizeof(block));
	switch (o->what) {
	case MKDIR: r->value = mkdir(o->a, 0755); break;
	case RMDIR: r->value = rmdir(o->a); break;
	case UNLINK: r->value = unlink(o->a); break;
	case MKFIFO: r->value = mkfifo(o->a, 0644); break;
	case SYMLINK: r->value = symlink(o->b, o->a); break;
	case RENAME:
		r->value = renameat2(AT_FDCWD, o->a, AT_FDCWD, o->b, o->flags);
		break;
	case LINK:
		r->value = linkat(AT_FDCWD, o->a, AT_FDCWD, o->b,
		    (o->flags & 1) != 0 ? 0 : AT_SYMLINK_FOLLOW);
		break;
	case CREATE:
	case READ:
		fd = open(o->a, o->flags, 0644);
		r->value = fd;
		if (fd < 0)
			break;
		r->value = o->what == CREATE ?
		    pwrite(fd, block, o->len, o->at) :
		    pread(fd, r->text, sizeof(r->text), 0);
		if (r->value < 0)
			r->value = -errno;
		if (o->what == READ && r->value > 0)
			r->len = r->value;
		close(fd);
		return;
	case READLINK:
		r->value = readlink(o->a, r->text, sizeof(r->text));
		r->len = r->value > 0 ? r->value : 0;
		break;
	case STAT:
		r->value = (o->flags & 1) != 0 ? lstat(o->a, &st) :
						 stat(o->a, &st);
		if (r->value != 0)
			break;
		if (S_ISDIR(st.st_mode))
			st.st_size = 0;
		r->len = sprintf(r->text, "%o %lu %ld", st.st_mode, st.st_nlink,
		    st.st_size);
		break;
	case CHMOD: r->value = chmod(o->a, 0700 | o->at % 0100); break;
	default: r->value = truncate(o->a, o->at); break;
	}
	if (r->value < 0)
		r->value = -errno;
}

static void
make_path(char *out)
{
	static const char *const names[] = { "a", "b", "c", "dd",
		"a-name-that-does-not-fit-into-the-dentry-itself-at-all", "a",
		"b", ".", ".." };
	unsigned n = 1 + rnd(3), i;

	*out = '\0';
	if (rnd(60) == 0)
		return;
	if (rnd(12) == 0)
		strcat(out, "/");
	for (i = 0; i < n; i++) {
		const char *name = names[rnd(rnd(4) == 0 ? 9 : 4)];

		if (strlen(out) + strlen(name) > 60)
			break;
		if (i > 0)
			strcat(out, rnd(10) == 0 ? "//" : "/");
		strcat(out, name);
	}
	if (rnd(8) == 0 && strlen(out) < 60)
		strcat(out, "/");
}

static void
make_op(struct op *o)
{
	static const unsigned create[] = { 0, O_EXCL, O_TRUNC, O_NOFOLLOW,
		O_APPEND };
	static const unsigned rename_flags[] = { 0, 0, RENAME_NOREPLACE,
		RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE, 8 };

	memset(o, 0, sizeof(*o));
	o->what = rnd(NOPS);
	make_path(o->a);
	make_path(o->b);
	o->at = rnd(3) == 0 ? rnd(40000) : rnd(300);
	o->len = rnd(4) == 0 ? rnd(20000) : rnd(200);
	if (o->what == CREATE)
		o->flags = O_CREAT | O_WRONLY | O_NONBLOCK | create[rnd(5)];
	else if (o->what == READ)
		o->flags = O_RDONLY | O_NONBLOCK |
		    (rnd(4) == 0 ? O_DIRECTORY : 0) |
		    (rnd(4) == 0 ? O_NOFOLLOW : 0);
	else if (o->what == RENAME)
		o->flags = rename_flags[rnd(6)];
	else
		o->flags = rnd(2);
}

/* What the two sides differ in: FIFOs, which only the personality opens. */
static bool
fifo_opened(struct play *p, const struct op *o)
{
	struct path path;
	bool fifo;

	if ((o->what != CREATE && o->what != READ) ||
	    vfs_walk(&p->ctx, NULL, o->a, WALK_FOLLOW, &path) != 0)
		return false;
	fifo = S_ISFIFO(path.dentry->inode->mode);
	path_put(&path);
	return fifo;
}

static int
enter_host(int *old_root, char *dir)
{
	*old_root = open("/", O_RDONLY | O_DIRECTORY);
	strcpy(dir, "/dev/shm/vfs_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	if (chmod(dir, 0755) != 0 || chroot(dir) != 0 || chdir("/") != 0) {
		rmdir(dir);
		return -1;
	}
	umask(0);
	return 0;
}

static void
leave_host(int old_root, const char *dir)
{
	char command[80];

	assert_int_equal(fchdir(old_root), 0);
	assert_int_equal(chroot("."), 0);
	close(old_root);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void
compare(struct play *p, const struct op *o)
{
	struct answer mine = { 0 }, host = { 0 };

	ours(p, o, &mine);
	theirs(o, &host);
	if (mine.value != host.value || mine.len != host.len ||
	    memcmp(mine.text, host.text, mine.len) != 0)
		fail_msg("operation %d on \"%s\", \"%s\" (flags %o, at %u, "
			 "length %u): %ld %.40s, the host: %ld %.40s",
		    o->what, o->a, o->b, o->flags, o->at, o->len, mine.value,
		    mine.text, host.value, host.text);
}

static void
answers_are_the_hosts(void **state)
{
	struct play p;
	struct op o;
	char dir[64];
	int old_root;
	unsigned i, round;

	(void)state;
	for (round = 0; round < 4; round++) {
		if (enter_host(&old_root, dir) != 0)
			skip();
		play_start(&p);
		for (i = 0; i < 25000; i++) {
			make_op(&o);
			if (!fifo_opened(&p, &o))
				compare(&p, &o);
		}
		leave_host(old_root, dir);
		play_end(&p);
	}
}

static void
memory_may_run_out(void **state)
{
	struct answer r;
	struct play p;
	struct op o;
	unsigned i;

	(void)state;
	play_start(&p);
	fail_one_in = 7;
	for (i = 0; i < 40000; i++) {
		make_op(&o);
		if (!fifo_opened(&p, &o))
			ours(&p, &o, &r);
	}
	play_end(&p);
}

/* --------------------------------------------------------- archives -- */

#define ARCHIVE 1024u /* the frame it begins at */

struct archive {
	char *at, *start;
};

static void
put_entry(struct archive *a, const char *name, unsigned mode, const void *data,
    size_t len, size_t align)
{
	size_t pad = 0;

	if (align != 0)
		pad = -(uintptr_t)(a->at + 110 + strlen(name) + 1) &
		    (align - 1);
	a->at += sprintf(a->at,
	    "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x"
	    "%08x%08x%08zx%08x",
	    1, mode, 0, 0, 1, 0, len, 0, 0, 0, 0, strlen(name) + 1 + pad, 0);
	strcpy(a->at, name);
	memset(a->at + strlen(name), 0, 1 + pad);
	a->at += strlen(name) + 1 + pad;
	while (((a->at - a->start) & 3) != 0)
		*a->at++ = '\0';
	memcpy(a->at, data, len);
	a->at += len;
	while (((a->at - a->start) & 3) != 0)
		*a->at++ = '\0';
}

/* Frames of their own, as boot leaves them. */
static void
archive_start(struct archive *a, unsigned frames)
{
	unsigned i, j;

	for (i = 0, j = 0; i < nfree; i++)
		if (free_frame[i] < ARCHIVE ||
		    free_frame[i] >= ARCHIVE + frames)
			free_frame[j++] = free_frame[i];
	assert_int_equal(nfree - j, frames);
	nfree = j;
	for (i = 0; i < frames; i++)
		VMEMMAP[ARCHIVE + i].refs = 1;
	a->start = (char *)paddr_kva(ARCHIVE * PAGE_SIZE);
	a->at = a->start;
}

static void
check_content(const char *name, const char *want, size_t len)
{
	static char buf[65536];
	struct file *f;
	struct page *p;

	assert_int_equal(vfs_open(&kernel, NULL, name, O_RDWR, 0, 0, &f), 0);
	assert_int_equal(f->inode->size, len);
	assert_int_equal(read_all(f, buf, sizeof(buf)), len);
	assert_memory_equal(buf, want, len);
	if (len % PAGE_SIZE != 0) { /* mappings see zeros behind the end */
		assert_int_equal(pagecache_get(f->inode, len / PAGE_SIZE,
				     PAGE_CREATE, &p),
		    0);
		memset(buf, 0, PAGE_SIZE);
		assert_memory_equal((char *)page_kva(p) + len % PAGE_SIZE, buf,
		    PAGE_SIZE - len % PAGE_SIZE);
		page_put(p);
	}
	file_put(f);
}

static char content[3][20000];

static void
make_archive(struct archive *a, size_t align, unsigned frames)
{
	uint64_t used;

	archive_start(a, frames);
	put_entry(a, "dir", S_IFDIR | 0750, "", 0, 0);
	put_entry(a, "dir/one", S_IFREG | 0644, content[0], 20000, align);
	put_entry(a, "dir/two", S_IFREG | 0644, content[1], 100, align);
	put_entry(a, "three", S_IFREG | 0600, content[2], 8192, align);
	put_entry(a, "link", S_IFLNK | 0777, "dir/two", 7, 0);
	put_entry(a, "TRAILER!!!", 0, "", 0, 0);
	assert_true(a->at <= a->start + frames * PAGE_SIZE);
	used = PAGES(a->at - a->start);
	page_release_range((ARCHIVE + used) * PAGE_SIZE,
	    (frames - used) * PAGE_SIZE);
}

static void
unpacks(size_t align)
{
	struct archive a;
	unsigned i, frames = 24, before = nfree;
	long live = kmem_live;
	struct vfs_attr cut = { .valid = ATTR_SIZE, .size = 5000 };
	struct path p;

	for (i = 0; i < 3; i++)
		memset(content[i], 'x' + i, sizeof(content[i]));
	make_archive(&a, align, frames);
	assert_int_equal(initramfs_unpack(ARCHIVE * PAGE_SIZE, a.at - a.start),
	    0);
	for (i = 0; i < 2; i++) {
		check_content("dir/one", content[0], 20000);
		check_content("dir/two", content[1], 100);
		check_content("three", content[2], 8192);
		check_content("link", content[1], 100);
	}
	assert_int_equal(vfs_walk(&kernel, NULL, "dir/one", 0, &p), 0);
	assert_int_equal(vfs_setattr(&kernel, &p, &cut), 0);
	check_content("dir/one", content[0], 5000);
	cut.size = 20000;
	assert_int_equal(vfs_setattr(&kernel, &p, &cut), 0);
	memset(content[0] + 5000, 0, 15000);
	check_content("dir/one", content[0], 20000);
	path_put(&p);
	assert_int_equal(vfs_unlink(&kernel, NULL, "dir/one"), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "dir/two"), 0);
	assert_int_equal(vfs_rmdir(&kernel, NULL, "dir"), 0);
	check_content("three", content[2], 8192);
	assert_int_equal(vfs_unlink(&kernel, NULL, "three"), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "link"), 0);
	assert_int_equal(nfree, before);
	assert_int_equal(kmem_live, live);
}

static void
archives_are_used_in_place(void **state)
{
	(void)state;
	unpacks(PAGE_SIZE);
}

static void
unaligned_archives_are_copied(void **state)
{
	(void)state;
	unpacks(0);
}

static void
what_came_before_damage_stays(void **state)
{
	unsigned before = nfree;
	struct archive a;

	(void)state;
	make_archive(&a, 0, 24);
	page_release_range((ARCHIVE + 6) * PAGE_SIZE,
	    ROUND_UP(a.at - a.start, PAGE_SIZE) - 6 * PAGE_SIZE);
	assert_int_equal(initramfs_unpack(ARCHIVE * PAGE_SIZE, 21000), -EINVAL);
	assert_non_null(strstr(logged, "21000"));
	check_content("dir/one", content[0], 20000);
	assert_int_equal(vfs_unlink(&kernel, NULL, "dir/one"), 0);
	vfs_unlink(&kernel, NULL, "dir/two");
	vfs_unlink(&kernel, NULL, "three");
	assert_int_equal(vfs_rmdir(&kernel, NULL, "dir"), 0);
	assert_int_equal(nfree, before);
}

/* ---------------------------------------------------------- devices -- */

static int
device_open(struct inode *inode, struct file *f)
{
	f->priv = (void *)(uintptr_t)dev_minor(inode->rdev);
	return 0;
}

static void
device_nodes_come_and_go(void **state)
{
	static const struct file_ops device_ops = { .open = device_open };
	struct chrdev early = { .major = 9,
		.minor = 4,
		.count = 2,
		.mode = 0600,
		.name = "early",
		.ops = &device_ops };
	struct chrdev late = { .major = 9,
		.minor = 6,
		.mode = 0666,
		.name = "sub/late",
		.ops = &device_ops };
	struct file *f;

	(void)state;
	assert_int_equal(vfs_mount_kernel("devtmpfs", "/dev"), 0);
	assert_int_equal(chrdev_register(&early), 0);
	assert_int_equal(chrdev_register(&early), -EBUSY);
	assert_int_equal(vfs_open(&kernel, NULL, "/dev/early1", O_RDWR, 0, 0,
			     &f),
	    0);
	assert_int_equal((uintptr_t)f->priv, 5);
	file_put(f);
	assert_int_equal(chrdev_register(&late), 0);
	assert_int_equal(vfs_open(&kernel, NULL, "/dev/sub/late", O_RDONLY, 0,
			     0, &f),
	    0);
	file_put(f);
	chrdev_unregister(&late);
	assert_int_equal(vfs_open(&kernel, NULL, "/dev/sub/late", O_RDONLY, 0,
			     0, &f),
	    -ENOENT);
	/* a mount of the same again gives way once, as boot made the first */
	assert_int_equal(vfs_mount(&kernel, "dev", "/dev", "devtmpfs", 0, NULL),
	    0);
	assert_int_equal(vfs_mount(&kernel, "dev", "/dev", "devtmpfs", 0, NULL),
	    -EBUSY);
}

/* ------------------------------------------- a file with a disk -- */

static unsigned written[16];
static bool disk_broken;

static int
disk_fill(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out)
{
	(void)inode;
	(void)want;
	*out = page_alloc(0, 0);
	if (*out == NULL)
		return -ENOMEM;
	memset(page_kva(*out), '0' + index, PAGE_SIZE);
	return 0;
}

static int
disk_writeback(struct inode *inode, uint64_t index, struct page *const pages[],
    unsigned n)
{
	(void)inode;
	assert_int_equal(n, 1);
	if (disk_broken)
		return -EIO;
	assert_memory_equal(page_kva(pages[0]), "new", 3);
	written[index]++;
	return 0;
}

static void
disk_evict(struct inode *inode)
{
	(void)inode;
}

static void
clean_pages_are_reclaimed(void **state)
{
	static const struct pagecache_ops disk_ops = { .fill = disk_fill,
		.writeback = disk_writeback };
	static const struct super_ops super_ops = { .evict = disk_evict };
	static char buf[10 * PAGE_SIZE];
	struct super sb;
	struct inode inode;
	struct uio_vec vec;
	struct uio u;
	struct page *held;
	unsigned before = nfree;
	int64_t pos = 0;

	(void)state;
	super_init(&sb, &super_ops, NULL, 0);
	inode_init(&inode, &sb, S_IFREG, 0);
	inode.pages.ops = &disk_ops;
	inode.size = sizeof(buf);
	uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)buf, sizeof(buf));
	assert_int_equal(pagecache_read(&inode, &u, &pos), sizeof(buf));
	assert_int_equal(buf[7 * PAGE_SIZE], '7');
	assert_int_equal(nfree, before - 10);
	memcpy(buf, "new", 3);
	uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)buf, 3);
	pos = 3 * PAGE_SIZE;
	assert_int_equal(pagecache_write(&inode, &u, &pos), 3);
	assert_int_equal(pagecache_get(&inode, 5, PAGE_READ, &held), 0);

	assert_int_equal(pagecache_reclaim(2), 2);
	assert_int_equal(pagecache_reclaim(100), 6);
	assert_int_equal(nfree, before - 2); /* the dirty, the held one */
	disk_broken = true;
	assert_int_equal(pagecache_sync(&inode, 0, UINT64_MAX), -EIO);
	assert_int_equal(pagecache_reclaim(100), 0);
	disk_broken = false;
	assert_int_equal(pagecache_sync(&inode, 0, UINT64_MAX), 0);
	assert_int_equal(written[3], 1);
	assert_int_equal(pagecache_sync(&inode, 0, UINT64_MAX), 0);
	assert_int_equal(written[3], 1);
	page_put(held);
	assert_int_equal(pagecache_reclaim(100), 2);
	inode_put(&inode);
	assert_int_equal(nfree, before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_hosts),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(archives_are_used_in_place),
		cmocka_unit_test(unaligned_archives_are_copied),
		cmocka_unit_test(what_came_before_damage_stays),
		cmocka_unit_test(device_nodes_come_and_go),
		cmocka_unit_test(clean_pages_are_reclaimed),
	};

	return cmocka_run_group_tests(tests, machine_start, NULL);
}
