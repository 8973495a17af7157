/* SPDX-License-Identifier: ISC */
/*
 * check.h - what a guest test program says: one line a check, and a status.
 *
 * A test program is one C file of tests/guest, named family_what.c.  It is
 * linked statically with glibc and with musl, runs as the first program of a
 * machine, and must pass on a Linux host too, which thereby confirms that the
 * test itself tells the truth.  It prints
 *     ok open("/nowhere", O_RDONLY)
 *     not ok tests/guest/sys_open.c:12: open(...): got 3, wanted -1 (ENOENT)
 *     # 17 passed, 1 failed
 * and ends with status 1 if anything failed:
 *
 *     int
 *     main(void)
 *     {
 *             CHECK_RET(close(dup(1)), 0);
 *             CHECK_ERR(close(-1), EBADF);
 *             return check_done();
 *     }
 *
 * Lines go to descriptor 1 by one write(2) each: nothing is lost when the
 * program dies, or doubled when it forks.  A child may check too; its failures
 * count only through its exit status, so it ends with _exit(check_done()).
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

static unsigned check_passed_count, check_failed_count;

/* "ENOENT" for 2; "?" for what has no name here. */
static inline const char *
check_errno_name(int error)
{
	/* clang-format off */
#define CHECK_NAME(e) { e, #e }
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ 0, "no error" }, CHECK_NAME(EPERM), CHECK_NAME(ENOENT),
		CHECK_NAME(ESRCH), CHECK_NAME(EINTR), CHECK_NAME(EIO),
		CHECK_NAME(ENXIO), CHECK_NAME(E2BIG), CHECK_NAME(ENOEXEC),
		CHECK_NAME(EBADF), CHECK_NAME(ECHILD), CHECK_NAME(EAGAIN),
		CHECK_NAME(ENOMEM), CHECK_NAME(EACCES), CHECK_NAME(EFAULT),
		CHECK_NAME(ENOTBLK), CHECK_NAME(EBUSY), CHECK_NAME(EEXIST),
		CHECK_NAME(EXDEV), CHECK_NAME(ENODEV), CHECK_NAME(ENOTDIR),
		CHECK_NAME(EISDIR), CHECK_NAME(EINVAL), CHECK_NAME(ENFILE),
		CHECK_NAME(EMFILE), CHECK_NAME(ENOTTY), CHECK_NAME(ETXTBSY),
		CHECK_NAME(EFBIG), CHECK_NAME(ENOSPC), CHECK_NAME(ESPIPE),
		CHECK_NAME(EROFS), CHECK_NAME(EMLINK), CHECK_NAME(EPIPE),
		CHECK_NAME(EDOM), CHECK_NAME(ERANGE), CHECK_NAME(EDEADLK),
		CHECK_NAME(ENAMETOOLONG), CHECK_NAME(ENOLCK),
		CHECK_NAME(ENOSYS), CHECK_NAME(ENOTEMPTY), CHECK_NAME(ELOOP),
		CHECK_NAME(ENODATA), CHECK_NAME(ETIME), CHECK_NAME(EPROTO),
		CHECK_NAME(EOVERFLOW), CHECK_NAME(ENOTSOCK),
		CHECK_NAME(EOPNOTSUPP), CHECK_NAME(EAFNOSUPPORT),
		CHECK_NAME(ETIMEDOUT), CHECK_NAME(EINPROGRESS),
		CHECK_NAME(ECANCELED), CHECK_NAME(EOWNERDEAD),
		CHECK_NAME(ENOTRECOVERABLE), CHECK_NAME(EADDRNOTAVAIL),
	};
	/* clang-format on */
#undef CHECK_NAME

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == error)
			return names[i].name;
	return "?";
}

/* One whole line to descriptor 1, whatever stdio holds back. */
__attribute__((format(printf, 1, 2), unused)) static void
check_print(const char *fmt, ...)
{
	char line[1024];
	size_t len, done = 0;
	va_list ap;
	int n, saved = errno;
	ssize_t put;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(line)) {
		len = sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	while (done < len) {
		put = write(1, line + done, len - done);
		if (put < 0 && errno != EINTR)
			_exit(2);
		done += put > 0 ? (size_t)put : 0;
	}
	errno = saved;
}

/* A line of explanation, which the runner shows when the program fails. */
#define check_note(fmt, ...) check_print("# " fmt "\n", ##__VA_ARGS__)

static inline bool
check_true_at(const char *file, int line, const char *text, bool ok)
{
	if (ok) {
		check_passed_count++;
		check_print("ok %s\n", text);
	} else {
		check_failed_count++;
		check_print("not ok %s:%d: %s is false, errno %d (%s)\n", file,
		    line, text, errno, check_errno_name(errno));
	}
	return ok;
}

static inline void
check_describe(char *out, size_t size, long value, int error)
{
	if (value == -1 && error != 0)
		snprintf(out, size, "%d (%s)", error, check_errno_name(error));
	else if (value < -4096 || value > 0xffffff)
		snprintf(out, size, "%#lx", value);
	else
		snprintf(out, size, "%ld", value);
}

static inline bool
check_ret_at(const char *file, int line, const char *text, long got, int error,
    long wanted, int wanted_error)
{
	char is[48], should[48];

	if (got == wanted && (wanted_error == 0 || error == wanted_error)) {
		check_passed_count++;
		if (wanted_error != 0)
			check_print("ok %s: %s\n", text,
			    check_errno_name(wanted_error));
		else
			check_print("ok %s\n", text);
		return true;
	}
	check_failed_count++;
	check_describe(is, sizeof(is), got, error);
	check_describe(should, sizeof(should), wanted, wanted_error);
	check_print("not ok %s:%d: %s: got %s, wanted %s\n", file, line, text,
	    is, should);
	return false;
}

static inline bool
check_str_at(const char *file, int line, const char *text, const char *got,
    const char *wanted)
{
	if (got != NULL && strcmp(got, wanted) == 0) {
		check_passed_count++;
		check_print("ok %s\n", text);
		return true;
	}
	check_failed_count++;
	check_print("not ok %s:%d: %s: got \"%.200s\", wanted \"%.200s\"\n",
	    file, line, text, got == NULL ? "(null)" : got, wanted);
	return false;
}

static inline bool
check_mem_at(const char *file, int line, const char *text, const void *got,
    const void *wanted, size_t len)
{
	const unsigned char *g = got, *w = wanted;

	for (size_t i = 0; i < len; i++) {
		if (g[i] == w[i])
			continue;
		check_failed_count++;
		check_print("not ok %s:%d: %s: byte %zu of %zu is %#x, "
			    "wanted %#x\n",
		    file, line, text, i, len, g[i], w[i]);
		return false;
	}
	check_passed_count++;
	check_print("ok %s\n", text);
	return true;
}

/* Holds.  The value of each CHECK tells whether it did. */
#define CHECK(cond) check_true_at(__FILE__, __LINE__, #cond, (cond))

/* Returns exactly this value (numbers and pointers). */
#define CHECK_RET(expr, value)                                             \
	__extension__({                                                    \
		errno = 0;                                                 \
		long check_got_ = (long)(expr);                            \
		check_ret_at(__FILE__, __LINE__, #expr, check_got_, errno, \
		    (long)(value), 0);                                     \
	})

/* Returns -1 (or MAP_FAILED) with this errno. */
#define CHECK_ERR(expr, error)                                                 \
	__extension__({                                                        \
		errno = 0;                                                     \
		long check_got_ = (long)(expr);                                \
		check_ret_at(__FILE__, __LINE__, #expr, check_got_, errno, -1, \
		    (error));                                                  \
	})

/* Does not return -1; the value is what it returned. */
#define CHECK_OK(expr)                                                      \
	__extension__({                                                     \
		errno = 0;                                                  \
		long check_got_ = (long)(expr);                             \
		if (check_got_ == -1)                                       \
			check_ret_at(__FILE__, __LINE__, #expr, check_got_, \
			    errno, 0, 0);                                   \
		else                                                        \
			check_true_at(__FILE__, __LINE__, #expr, true);     \
		check_got_;                                                 \
	})

/* Like CHECK, but what follows makes no sense without it. */
#define REQUIRE(cond)                                                  \
	do {                                                           \
		if (!check_true_at(__FILE__, __LINE__, #cond, (cond))) \
			exit(check_done());                            \
	} while (0)

#define CHECK_STR(got, wanted) \
	check_str_at(__FILE__, __LINE__, #got, (got), (wanted))
#define CHECK_MEM(got, wanted, len) \
	check_mem_at(__FILE__, __LINE__, #got, (got), (wanted), (len))

/*
 * CHECK_FAULT(*(volatile char *)p = 1, SIGSEGV, p): the statement raises the
 * signal, with this address in siginfo (NULL: any).
 */
static sigjmp_buf check_fault_jump;
static void *volatile check_fault_addr;

__attribute__((unused)) static void
check_fault_handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	check_fault_addr = info->si_addr;
	siglongjmp(check_fault_jump, sig);
}

#define CHECK_FAULT(statement, sig, addr)                                    \
	do {                                                                 \
		struct sigaction check_old_,                                 \
		    check_new_ = { .sa_sigaction = check_fault_handler,      \
			    .sa_flags = SA_SIGINFO | SA_ONSTACK };           \
		void *check_addr_ = (void *)(addr);                          \
		int check_sig_;                                              \
                                                                             \
		sigaction((sig), &check_new_, &check_old_);                  \
		check_fault_addr = NULL;                                     \
		check_sig_ = sigsetjmp(check_fault_jump, 1);                 \
		if (check_sig_ == 0) {                                       \
			statement;                                           \
		}                                                            \
		sigaction((sig), &check_old_, NULL);                         \
		if (check_ret_at(__FILE__, __LINE__,                         \
			#statement " raises " #sig, check_sig_, 0, (sig),    \
			0) &&                                                \
		    check_addr_ != NULL)                                     \
			check_ret_at(__FILE__, __LINE__,                     \
			    #statement " at " #addr, (long)check_fault_addr, \
			    0, (long)check_addr_, 0);                        \
	} while (0)

/* Milliseconds of a clock that is never set. */
__attribute__((unused)) static int64_t
check_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* The number behind this word in a file of at most 4 KiB; -1: none. */
__attribute__((unused)) static long
check_number(const char *path, const char *word)
{
	char text[4096], *at;
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, word);
	return at == NULL ? -1 : strtol(at + strlen(word), NULL, 10);
}

/* Prints the sums; the program's exit status. */
__attribute__((unused)) static int
check_done(void)
{
	check_print("# %u passed, %u failed\n", check_passed_count,
	    check_failed_count);
	return check_failed_count != 0 || check_passed_count == 0;
}

#endif
