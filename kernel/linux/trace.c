/* SPDX-License-Identifier: ISC */
/*
 * trace.c - system calls on the console, as strace(1) writes them.
 *
 * What each argument is stands in the row of the table (syscalls.h).  What the
 * program gives is written down before the call, what it gets after it; the
 * line appears when the call is done, or before it if it never comes back.
 */
#include "linux/trace.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "linux/syscalls.h"
#include "linux/trace_names.h"
#include "x86/trapframe.h"
#include <asm/unistd_64.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>

#define STRING_MAX 32 /* bytes of a string that are shown, as strace's -s */
#define VECTOR_MAX 16 /* strings of argv */

static bool trace_on;

struct trace_line {
	char buf[640];
	size_t len;
};

static void __printflike(2, 3) put(struct trace_line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->len, sizeof(l->buf) - l->len, fmt, ap);
	va_end(ap);
	l->len = MIN(l->len + n, sizeof(l->buf) - 1);
}

void
trace_start(void)
{
	trace_on = true;
	if (log_console_level() <= LOG_NOTICE)
		log_set_console_level(LOG_NOTICE + 1);
}

bool
trace_is_on(void)
{
	return trace_on;
}

static void
show(const struct trace_line *l)
{
	struct task *t = task_self();

	if (process_count() > 1)
		log_line(LOG_NOTICE, "[%d] %s", t->tid, l->buf);
	else
		log_line(LOG_NOTICE, "%s", l->buf);
}

/* ---- kinds of arguments ---- */

static void
put_pointer(struct trace_line *l, uint64_t p)
{
	if (p == 0)
		put(l, "NULL");
	else
		put(l, "%#lx", p);
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static void
put_char(struct trace_line *l, uint8_t c, bool digit_follows)
{
	static const char special[] = "\tt\nn\vv\ff\rr\"\"\\\\";
	const char *s;

	for (s = special; *s != '\0'; s += 2)
		if ((uint8_t)*s == c) {
			put(l, "\\%c", s[1]);
			return;
		}
	if (c >= ' ' && c < 0x7f)
		put(l, "%c", c);
	else
		put(l, digit_follows ? "\\%03o" : "\\%o", c);
}

static void
put_bytes(struct trace_line *l, const uint8_t *bytes, size_t n, bool more)
{
	size_t i;

	put(l, "\"");
	for (i = 0; i < n; i++)
		put_char(l, bytes[i], i + 1 < n && is_digit(bytes[i + 1]));
	put(l, more ? "\"..." : "\"");
}

/* A NUL-terminated string of the program's. */
static void
put_string(struct trace_line *l, uaddr_t at)
{
	uint8_t s[STRING_MAX + 1];
	size_t got, n;

	if (at == 0) {
		put(l, "NULL");
		return;
	}
	got = sizeof(s) - copyin_partial(s, at, sizeof(s));
	n = strnlen((char *)s, got);
	if (n == got && got < sizeof(s)) { /* runs into what is not mapped */
		put_pointer(l, at);
		return;
	}
	put_bytes(l, s, MIN(n, STRING_MAX), n > STRING_MAX);
}

/* A path is shown whole. */
static void
put_path(struct trace_line *l, uaddr_t at)
{
	char s[256];

	if (at == 0 || copyinstr(s, at, sizeof(s)) < 0) {
		put_string(l, at);
		return;
	}
	put_bytes(l, (uint8_t *)s, strlen(s), false);
}

static void
put_buffer(struct trace_line *l, uaddr_t at, uint64_t len)
{
	uint8_t s[STRING_MAX];
	size_t n = MIN(len, sizeof(s));

	if (at == 0)
		put(l, "NULL");
	else if (copyin(s, at, n) != 0)
		put_pointer(l, at);
	else
		put_bytes(l, s, n, len > n);
}

static void
put_argv(struct trace_line *l, uaddr_t at)
{
	uaddr_t s;
	unsigned i;

	put(l, "[");
	for (i = 0; i < VECTOR_MAX; i++) {
		if (copyin(&s, at + i * sizeof(s), sizeof(s)) != 0 || s == 0)
			break;
		put(l, i == 0 ? "" : ", ");
		put_string(l, s);
	}
	put(l, i == VECTOR_MAX ? ", ...]" : "]");
}

static void
put_envp(struct trace_line *l, uaddr_t at)
{
	unsigned n = 0;
	uaddr_t s;

	put_pointer(l, at);
	while (at != 0 && n < 10000 &&
	    copyin(&s, at + n * sizeof(s), sizeof(s)) == 0 && s != 0)
		n++;
	put(l, " /* %u var%s */", n, n == 1 ? "" : "s");
}

static void
put_flags(struct trace_line *l, uint64_t v, const struct trace_name *names,
    const char *rest)
{
	bool first = true;

	for (; names->name != NULL; names++) {
		if (names->value == 0 || (v & names->value) != names->value)
			continue;
		put(l, "%s%s", first ? "" : "|", names->name);
		v &= ~names->value;
		first = false;
	}
	if (v != 0 || first)
		put(l,
		    v == 0    ? "0" :
			first ? "%#lx /* %s */" :
				"|%#lx",
		    v, rest);
}

static void
put_choice(struct trace_line *l, int64_t v, const struct trace_name *names)
{
	for (; names->name != NULL; names++)
		if ((int64_t)names->value == v) {
			put(l, "%s", names->name);
			return;
		}
	put(l, "%#lx", v);
}

static void
put_open_flags(struct trace_line *l, uint64_t v)
{
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR",
		"O_ACCMODE" };

	put(l, "%s", access[v & O_ACCMODE]);
	v &= ~(uint64_t)O_ACCMODE & 0xffffffff;
	if (v == 0)
		return;
	put(l, "|");
	put_flags(l, v, trace_open_flags, "O_???");
}

static void
put_map_flags(struct trace_line *l, uint64_t v)
{
	static const char *const type[] = { "MAP_FILE", "MAP_SHARED",
		"MAP_PRIVATE", "MAP_SHARED_VALIDATE" };

	put(l, "%s", type[v & 3]);
	v &= ~3ull & 0xffffffff;
	if (v == 0)
		return;
	put(l, "|");
	put_flags(l, v, trace_map_flags, "MAP_???");
}

static void
put_signal_set(struct trace_line *l, uaddr_t at)
{
	uint64_t set, shown;
	bool first = true;
	int i, n = 0;

	if (at == 0 || copyin(&set, at, sizeof(set)) != 0) {
		put_pointer(l, at);
		return;
	}
	for (i = 1; i <= SIGNAL_MAX; i++)
		n += (set & SIGBIT(i)) != 0;
	/* More in it than not: what is not. */
	shown = n > SIGNAL_MAX / 2 ? ~set : set;
	put(l, shown == set ? "[" : "~[");
	for (i = 1; i <= SIGNAL_MAX; i++)
		if ((shown & SIGBIT(i)) != 0) {
			put(l, "%s%s", first ? "" : " ", signal_name(i) + 3);
			first = false;
		}
	put(l, "]");
}

/* What writev() writes: up to VECTOR_MAX parts. */
static void
put_iovec(struct trace_line *l, uaddr_t at, uint64_t n)
{
	struct {
		uaddr_t base;
		uint64_t len;
	} v;
	uint64_t i;

	put(l, "[");
	for (i = 0; i < MIN(n, VECTOR_MAX); i++) {
		if (copyin(&v, at + i * sizeof(v), sizeof(v)) != 0)
			break;
		put(l, i == 0 ? "{iov_base=" : ", {iov_base=");
		put_buffer(l, v.base, v.len);
		put(l, ", iov_len=%lu}", v.len);
	}
	put(l, i < n ? ", ...]" : "]");
}

static void
put_timespec(struct trace_line *l, uaddr_t at)
{
	struct __kernel_timespec ts;

	if (at == 0 || copyin(&ts, at, sizeof(ts)) != 0)
		put_pointer(l, at);
	else
		put(l, "{tv_sec=%lld, tv_nsec=%lld}", (long long)ts.tv_sec,
		    (long long)ts.tv_nsec);
}

static void
put_sigaction(struct trace_line *l, uaddr_t at)
{
	struct sigaction sa;

	if (at == 0 || copyin(&sa, at, sizeof(sa)) != 0) {
		put_pointer(l, at);
		return;
	}
	put(l, "{sa_handler=");
	if (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)
		put(l, sa.sa_handler == SIG_DFL ? "SIG_DFL" : "SIG_IGN");
	else
		put_pointer(l, (uint64_t)sa.sa_handler);
	put(l, ", sa_mask=");
	put_signal_set(l, at + offsetof(struct sigaction, sa_mask));
	put(l, ", sa_flags=");
	put_flags(l, sa.sa_flags, trace_sa_flags, "SA_???");
	if ((sa.sa_flags & SA_RESTORER) != 0)
		put(l, ", sa_restorer=%#lx", (uint64_t)sa.sa_restorer);
	put(l, "}");
}

static void
put_futex_op(struct trace_line *l, uint64_t v)
{
	put_choice(l, v & 127, trace_futex_ops);
	if ((v & 128) != 0)
		put(l, "_PRIVATE");
	if ((v & 256) != 0)
		put(l, "|FUTEX_CLOCK_REALTIME");
}

/* Kinds that are numbers, by name. */
static bool
put_named(struct trace_line *l, char kind, uint64_t v)
{
	switch (kind) {
	case 'O': put_open_flags(l, v); return true;
	case 'P':
		put_flags(l, v & 0xffffffff, trace_prot_flags, "PROT_???");
		return true;
	case 'M': put_map_flags(l, v); return true;
	case 'T':
		put_flags(l, v & 0xffffffff, trace_at_flags, "AT_???");
		return true;
	case 'A':
		put_flags(l, v & 0xffffffff, trace_access_flags, "?_OK");
		return true;
	case 'S': put(l, "%s", signal_name(v)); return true;
	case 'H': put_choice(l, (int)v, trace_sigmask_hows); return true;
	case 'w': put_choice(l, (int)v, trace_whences); return true;
	case 'F': put_choice(l, (int)v, trace_fcntls); return true;
	case 'i': put_choice(l, (uint32_t)v, trace_ioctls); return true;
	case 'k': put_choice(l, (int)v, trace_clocks); return true;
	case 'R': put_choice(l, (int)v, trace_resources); return true;
	case 'I': put_choice(l, (int)v, trace_itimers); return true;
	case 'G': put_choice(l, (int)v, trace_arch_prctls); return true;
	case 'U': put_futex_op(l, v); return true;
	default: return false;
	}
}

static bool
put_memory(struct trace_line *l, char kind, uint64_t v, uint64_t next)
{
	switch (kind) {
	case 's': put_path(l, v); return true;
	case 'b': put_buffer(l, v, next); return true;
	case 'V': put_iovec(l, v, next); return true;
	case 'v': put_argv(l, v); return true;
	case 'e': put_envp(l, v); return true;
	case 'm': put_signal_set(l, v); return true;
	case 'a': put_sigaction(l, v); return true;
	case 't': put_timespec(l, v); return true;
	default: return false;
	}
}

static void
put_number(struct trace_line *l, char kind, uint64_t v)
{
	switch (kind) {
	case 'd':
		put(l, "%ld",
		    (int64_t)v == (int32_t)v || v >> 32 == 0 ?
			(long)(int32_t)v :
			(long)v);
		break;
	case 'u': put(l, "%lu", v); break;
	case 'x': put(l, v == 0 ? "%lu" : "%#lx", v); break;
	case 'o': put(l, v == 0 ? "%lu" : "%#lo", v & 0xffffffff); break;
	case 'f':
		if ((int32_t)v == AT_FDCWD)
			put(l, "AT_FDCWD");
		else
			put(l, "%d", (int32_t)v);
		break;
	default: put_pointer(l, v); break;
	}
}

/* ---- one call ---- */

struct call {
	struct trace_line line;
	const struct syscall_row *row;
	uint64_t nr, arg[6];
	unsigned next; /* first argument that is not written yet */
};

static bool
is_answer(char kind)
{
	return kind == 'B' || kind == 'C';
}

/* The mode of open() counts only where it makes a file. */
static bool
is_idle_mode(const struct call *c, unsigned i)
{
	return i > 0 && c->row->args[i] == 'o' && c->row->args[i - 1] == 'O' &&
	    (c->arg[i - 1] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) == 0;
}

static void
put_arg(struct call *c, unsigned i)
{
	struct trace_line *l = &c->line;
	char kind = c->row->args[i];
	uint64_t next = i < 5 ? c->arg[i + 1] : 0;

	if (is_idle_mode(c, i))
		return;
	put(l, i == 0 ? "" : ", ");
	if (!put_named(l, kind, c->arg[i]) &&
	    !put_memory(l, kind, c->arg[i], next))
		put_number(l, kind, c->arg[i]);
}

static void
begin(struct call *c, const struct trapframe *tf)
{
	static const struct syscall_row unknown = { NULL, NULL, "xxxxxx" };

	c->line.len = 0;
	c->nr = (uint32_t)tf->orig_rax;
	c->row = syscall_row(c->nr);
	if (c->row == NULL || c->row->name == NULL)
		c->row = &unknown;
	c->arg[0] = tf->rdi;
	c->arg[1] = tf->rsi;
	c->arg[2] = tf->rdx;
	c->arg[3] = tf->r10;
	c->arg[4] = tf->r8;
	c->arg[5] = tf->r9;
	if (c->row->name != NULL)
		put(&c->line, "%s(", c->row->name);
	else
		put(&c->line, "syscall_%#lx(", c->nr);
	for (c->next = 0; c->row->args != NULL &&
	     c->row->args[c->next] != '\0' && !is_answer(c->row->args[c->next]);
	     c->next++)
		put_arg(c, c->next);
}

static void
put_rest(struct call *c, long ret)
{
	unsigned i;

	for (i = c->next; c->row->args != NULL && c->row->args[i] != '\0';
	     i++) {
		if (!is_answer(c->row->args[i])) {
			put_arg(c, i);
			continue;
		}
		put(&c->line, i == 0 ? "" : ", ");
		if (ret < 0)
			put_pointer(&c->line, c->arg[i]);
		else if (c->row->args[i] == 'B')
			put_buffer(&c->line, c->arg[i], ret);
		else
			put_path(&c->line, c->arg[i]);
	}
}

static bool
returns_address(uint64_t nr)
{
	return nr == __NR_mmap || nr == __NR_brk || nr == __NR_mremap ||
	    nr == __NR_shmat;
}

static void
put_result(struct call *c, long ret)
{
	struct trace_line *l = &c->line;

	put(l, ")");
	if (l->len < 39) /* strace's column */
		put(l, "%*s", (int)(39 - l->len), "");
	if (ret == -ERESTARTSYS)
		put(l,
		    " = ? ERESTARTSYS (To be restarted if SA_RESTART is "
		    "set)");
	else if (ret == -ERESTARTNOHAND)
		put(l, " = ? ERESTARTNOHAND (To be restarted if no handler)");
	else if (ret == -ERESTART_RESTARTBLOCK)
		put(l, " = ? ERESTART_RESTARTBLOCK (Interrupted by signal)");
	else if (ret < 0 && ret > -4096)
		put(l, " = -1 %s (%s)", errno_name(-ret), errno_text(-ret));
	else if (returns_address(c->nr))
		put(l, " = %#lx", ret);
	else
		put(l, " = %ld", ret);
}

static bool
never_returns(uint64_t nr)
{
	return nr == __NR_exit || nr == __NR_exit_group;
}

void
syscall_dispatch_traced(struct trapframe *tf)
{
	struct call c;
	long ret;

	begin(&c, tf);
	if (never_returns(c.nr)) {
		put(&c.line, ")");
		put(&c.line, "%*s = ?", MAX(39 - (int)c.line.len, 0), "");
		show(&c.line);
	}
	if (c.nr == __NR_rt_sigreturn) {
		put(&c.line, "{mask=[]})");
		show(&c.line);
		tf->rax = syscall_call(tf);
		return;
	}
	ret = syscall_call(tf);
	tf->rax = ret;
	if (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK)
		thread_self()->interrupted = true;
	put_rest(&c, ret);
	put_result(&c, ret);
	show(&c.line);
}

/* ---- what is not a call ---- */

void
trace_exited(struct task *t, int wait_status)
{
	struct trace_line l = { .len = 0 };
	int signo = wait_status & 0x7f;

	if (!trace_on)
		return;
	(void)t;
	if (signo != 0)
		put(&l, "+++ killed by %s +++", signal_name(signo));
	else
		put(&l, "+++ exited with %d +++", wait_status >> 8 & 0xff);
	show(&l);
}

static bool
is_fault(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE ||
	    signo == SIGILL || signo == SIGTRAP;
}

void
trace_signal(struct task *t, const siginfo_t *info)
{
	struct trace_line l;
	const char *name;

	(void)t;
	if (!trace_on)
		return;
	l.len = 0;
	name = signal_name(info->si_signo);
	put(&l, "--- %s {si_signo=%s, si_code=%s", name, name,
	    trace_si_code(info->si_signo, info->si_code));
	if (info->si_code > 0 && info->si_code != SI_KERNEL &&
	    is_fault(info->si_signo))
		put(&l,
		    info->si_addr == NULL ? ", si_addr=NULL" : ", si_addr=%#lx",
		    (uint64_t)info->si_addr);
	else if (info->si_code == SI_KERNEL && is_fault(info->si_signo))
		put(&l, ", si_addr=NULL");
	else if (info->si_signo == SIGCHLD && info->si_code > 0)
		put(&l, ", si_pid=%d, si_uid=%u, si_status=%d", info->si_pid,
		    info->si_uid, info->si_status);
	else if (info->si_code <= 0 && info->si_code != SI_TIMER)
		put(&l, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
	put(&l, "} ---");
	show(&l);
}
