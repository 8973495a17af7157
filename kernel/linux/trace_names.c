/* SPDX-License-Identifier: ISC */
/*
 * trace_names.c - the names of flags, choices and signals, as the headers of
 * Linux have them.
 */
#include "linux/trace_names.h"
#include "kern/string.h"
#include "linux/signal.h"
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/prctl.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/time.h>

#define N(x)                      \
	{                         \
		(uint64_t)(x), #x \
	}
#define END             \
	{               \
		0, NULL \
	}

/* Whole before part: O_SYNC holds O_DSYNC, O_TMPFILE holds O_DIRECTORY. */
const struct trace_name trace_open_flags[] = { N(O_CREAT), N(O_EXCL),
	N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK),
	{ __O_SYNC | O_DSYNC, "O_SYNC" }, N(O_DSYNC), N(FASYNC), N(O_DIRECT),
	N(O_LARGEFILE), N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),
	N(O_TMPFILE), N(O_DIRECTORY), END };
const struct trace_name trace_prot_flags[] = { { 0, "PROT_NONE" }, N(PROT_READ),
	N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP), END };
const struct trace_name trace_map_flags[] = { N(MAP_FIXED), N(MAP_ANONYMOUS),
	N(MAP_32BIT), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK),
	N(MAP_GROWSDOWN), N(MAP_DENYWRITE), N(MAP_EXECUTABLE), N(MAP_LOCKED),
	N(MAP_STACK), N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE),
	END };
const struct trace_name trace_at_flags[] = { N(AT_SYMLINK_NOFOLLOW),
	N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT),
	N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC), END };
const struct trace_name trace_access_flags[] = { { 4, "R_OK" }, { 2, "W_OK" },
	{ 1, "X_OK" }, END };
const struct trace_name trace_sa_flags[] = { N(SA_RESTORER), N(SA_ONSTACK),
	N(SA_RESTART), N(SA_NODEFER), N(SA_RESETHAND), N(SA_SIGINFO),
	N(SA_NOCLDSTOP), N(SA_NOCLDWAIT), END };
const struct trace_name trace_sigmask_hows[] = { N(SIG_BLOCK), N(SIG_UNBLOCK),
	N(SIG_SETMASK), END };
const struct trace_name trace_whences[] = { { 0, "SEEK_SET" },
	{ 1, "SEEK_CUR" }, { 2, "SEEK_END" }, { 3, "SEEK_DATA" },
	{ 4, "SEEK_HOLE" }, END };
const struct trace_name trace_fcntls[] = { N(F_DUPFD), N(F_GETFD), N(F_SETFD),
	N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW),
	N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), N(F_DUPFD_CLOEXEC),
	N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS),
	N(F_SETLEASE), N(F_GETLEASE), END };
const struct trace_name trace_ioctls[] = { N(TCGETS), N(TCSETS), N(TCSETSW),
	N(TCSETSF), N(TCSBRK), N(TCXONC), N(TCFLSH), N(TIOCSCTTY), N(TIOCGPGRP),
	N(TIOCSPGRP), N(TIOCOUTQ), N(TIOCGWINSZ), N(TIOCSWINSZ), N(FIONREAD),
	N(FIONBIO), N(TIOCNOTTY), N(TIOCGSID), N(FIOCLEX), N(FIONCLEX), END };
const struct trace_name trace_clocks[] = { N(CLOCK_REALTIME),
	N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID),
	N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW),
	N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME),
	N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI), END };
const struct trace_name trace_resources[] = { N(RLIMIT_CPU), N(RLIMIT_FSIZE),
	N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE), N(RLIMIT_RSS),
	N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK), N(RLIMIT_AS),
	N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE),
	N(RLIMIT_NICE), N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME), END };
const struct trace_name trace_itimers[] = { N(ITIMER_REAL), N(ITIMER_VIRTUAL),
	N(ITIMER_PROF), END };
const struct trace_name trace_futex_ops[] = { N(FUTEX_WAIT), N(FUTEX_WAKE),
	N(FUTEX_FD), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP),
	N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI),
	N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI),
	N(FUTEX_CMP_REQUEUE_PI), END };

const struct trace_name trace_arch_prctls[] = { N(ARCH_SET_GS), N(ARCH_SET_FS),
	N(ARCH_GET_FS), N(ARCH_GET_GS), N(ARCH_GET_CPUID), N(ARCH_SET_CPUID),
	END };

static const char *const signals[] = { "0", "SIGHUP", "SIGINT", "SIGQUIT",
	"SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL",
	"SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
	"SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
	"SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
	"SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS" };
static const char *const realtime[] = { "SIGRTMIN", "SIGRT_1", "SIGRT_2",
	"SIGRT_3", "SIGRT_4", "SIGRT_5", "SIGRT_6", "SIGRT_7", "SIGRT_8",
	"SIGRT_9", "SIGRT_10", "SIGRT_11", "SIGRT_12", "SIGRT_13", "SIGRT_14",
	"SIGRT_15", "SIGRT_16", "SIGRT_17", "SIGRT_18", "SIGRT_19", "SIGRT_20",
	"SIGRT_21", "SIGRT_22", "SIGRT_23", "SIGRT_24", "SIGRT_25", "SIGRT_26",
	"SIGRT_27", "SIGRT_28", "SIGRT_29", "SIGRT_30", "SIGRT_31",
	"SIGRT_32" };

const char *
signal_name(int signo)
{
	if (signo >= 0 && (unsigned)signo < ARRAY_SIZE(signals))
		return signals[signo];
	if (signo >= SIGRTMIN && signo <= SIGNAL_MAX)
		return realtime[signo - SIGRTMIN];
	return "SIG_???";
}

static const struct {
	int signo, code; /* signo 0: any */
	const char *name;
} codes[] = {
	{ 0, SI_USER, "SI_USER" },
	{ 0, SI_KERNEL, "SI_KERNEL" },
	{ 0, SI_QUEUE, "SI_QUEUE" },
	{ 0, SI_TIMER, "SI_TIMER" },
	{ 0, SI_TKILL, "SI_TKILL" },
	{ SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR" },
	{ SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR" },
	{ SIGBUS, BUS_ADRALN, "BUS_ADRALN" },
	{ SIGBUS, BUS_ADRERR, "BUS_ADRERR" },
	{ SIGBUS, BUS_OBJERR, "BUS_OBJERR" },
	{ SIGILL, ILL_ILLOPC, "ILL_ILLOPC" },
	{ SIGILL, ILL_ILLOPN, "ILL_ILLOPN" },
	{ SIGFPE, FPE_INTDIV, "FPE_INTDIV" },
	{ SIGFPE, FPE_FLTDIV, "FPE_FLTDIV" },
	{ SIGFPE, FPE_FLTOVF, "FPE_FLTOVF" },
	{ SIGFPE, FPE_FLTUND, "FPE_FLTUND" },
	{ SIGFPE, FPE_FLTRES, "FPE_FLTRES" },
	{ SIGFPE, FPE_FLTINV, "FPE_FLTINV" },
	{ SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT" },
	{ SIGTRAP, TRAP_TRACE, "TRAP_TRACE" },
	{ SIGCHLD, CLD_EXITED, "CLD_EXITED" },
	{ SIGCHLD, CLD_KILLED, "CLD_KILLED" },
	{ SIGCHLD, CLD_DUMPED, "CLD_DUMPED" },
	{ SIGCHLD, CLD_STOPPED, "CLD_STOPPED" },
	{ SIGCHLD, CLD_CONTINUED, "CLD_CONTINUED" },
};

const char *
trace_si_code(int signo, int code)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == code &&
		    (codes[i].signo == 0 || codes[i].signo == signo))
			return codes[i].name;
	return "?";
}
