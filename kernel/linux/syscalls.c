/* SPDX-License-Identifier: ISC */
/*
 * syscalls.c - the table of system calls, by Linux's x86-64 numbers, and their
 * dispatch.  Owns nothing but the note of which absent calls were logged.
 *
 * A row with a handler says CALL, one that is known by name only NAME: it
 * answers ENOSYS and is logged once.  The letters of the arguments, which the
 * trace reads, are explained in syscalls.h.
 */
#include "linux/syscalls.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "linux/aio.h"
#include "linux/exec.h"
#include "linux/fdtable.h"
#include "linux/futex.h"
#include "linux/inotify.h"
#include "linux/itimer.h"
#include "linux/kmsg.h"
#include "linux/mqueue.h"
#include "linux/pidfd.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/rusage.h"
#include "linux/seccomp.h"
#include "linux/sigframe.h"
#include "linux/sys_files.h"
#include "linux/sys_misc.h"
#include "linux/sys_mm.h"
#include "linux/sys_process.h"
#include "linux/sys_signal.h"
#include "linux/sys_socket.h"
#include "linux/sys_time.h"
#include "linux/sysvipc.h"
#include "linux/timerfd.h"
#include "linux/tty.h"
#include "x86/trapframe.h"

/*
 * Handlers take as many arguments as their call has, in registers; calling
 * all of them with six is what the processor's ABI allows.
 */
#define CALL(name, fn, args)                                   \
	{                                                      \
		name, (syscall_fn *)(void (*)(void))(fn), args \
	}
#define NAME(name, args)         \
	{                        \
		name, NULL, args \
	}

/* Left out on purpose: C libraries ask and do without, nothing is logged. */
static long
sys_absent(void)
{
	return -ENOSYS;
}

static const struct syscall_row rows[] = {
	[0] = CALL("read", sys_read, "fBu"),
	[1] = CALL("write", sys_write, "fbu"),
	[2] = CALL("open", sys_open, "sOo"),
	[3] = CALL("close", sys_close, "f"),
	[4] = CALL("stat", sys_stat, "sp"),
	[5] = CALL("fstat", sys_fstat, "fp"),
	[6] = CALL("lstat", sys_lstat, "sp"),
	[7] = CALL("poll", sys_poll, "pud"),
	[8] = CALL("lseek", sys_lseek, "fdw"),
	[9] = CALL("mmap", sys_mmap, "puPMfx"),
	[10] = CALL("mprotect", sys_mprotect, "puP"),
	[11] = CALL("munmap", sys_munmap, "pu"),
	[12] = CALL("brk", sys_brk, "p"),
	[13] = CALL("rt_sigaction", sys_rt_sigaction, "Sapu"),
	[14] = CALL("rt_sigprocmask", sys_rt_sigprocmask, "Hmqu"),
	[15] = CALL("rt_sigreturn", sys_rt_sigreturn, "p"),
	[16] = CALL("ioctl", sys_ioctl, "fip"),
	[17] = CALL("pread64", sys_pread64, "fBud"),
	[18] = CALL("pwrite64", sys_pwrite64, "fbud"),
	[19] = CALL("readv", sys_readv, "fpu"),
	[20] = CALL("writev", sys_writev, "fVu"),
	[21] = CALL("access", sys_access, "sA"),
	[22] = CALL("pipe", sys_pipe, "p"),
	[23] = CALL("select", sys_select, "dpppp"),
	[24] = CALL("sched_yield", sys_sched_yield, ""),
	[25] = CALL("mremap", sys_mremap, "puuxp"),
	[26] = CALL("msync", sys_msync, "pux"),
	[27] = CALL("mincore", sys_mincore, "pup"),
	[28] = CALL("madvise", sys_madvise, "pux"),
	[29] = CALL("shmget", sys_shmget, "xux"),
	[30] = CALL("shmat", sys_shmat, "dpx"),
	[31] = CALL("shmctl", sys_shmctl, "dxp"),
	[32] = CALL("dup", sys_dup, "f"),
	[33] = CALL("dup2", sys_dup2, "ff"),
	[34] = CALL("pause", sys_pause, ""),
	[35] = CALL("nanosleep", sys_nanosleep, "tp"),
	[36] = CALL("getitimer", sys_getitimer, "Ip"),
	[37] = CALL("alarm", sys_alarm, "u"),
	[38] = CALL("setitimer", sys_setitimer, "Ipp"),
	[39] = CALL("getpid", sys_getpid, ""),
	[40] = CALL("sendfile", sys_sendfile, "ffpu"),
	[41] = CALL("socket", sys_socket, "ddd"),
	[42] = CALL("connect", sys_connect, "fpu"),
	[43] = CALL("accept", sys_accept, "fpp"),
	[44] = CALL("sendto", sys_sendto, "fbuxpu"),
	[45] = CALL("recvfrom", sys_recvfrom, "fBuxpp"),
	[46] = CALL("sendmsg", sys_sendmsg, "fpx"),
	[47] = CALL("recvmsg", sys_recvmsg, "fpx"),
	[48] = CALL("shutdown", sys_shutdown, "fd"),
	[49] = CALL("bind", sys_bind, "fpu"),
	[50] = CALL("listen", sys_listen, "fd"),
	[51] = CALL("getsockname", sys_getsockname, "fpp"),
	[52] = CALL("getpeername", sys_getpeername, "fpp"),
	[53] = CALL("socketpair", sys_socketpair, "dddp"),
	[54] = CALL("setsockopt", sys_setsockopt, "fddpu"),
	[55] = CALL("getsockopt", sys_getsockopt, "fddpp"),
	[56] = CALL("clone", sys_clone, "xpppx"),
	[57] = CALL("fork", sys_fork, ""),
	[58] = CALL("vfork", sys_vfork, ""),
	[59] = CALL("execve", sys_execve, "sve"),
	[60] = CALL("exit", sys_exit, "d"),
	[61] = CALL("wait4", sys_wait4, "dpxp"),
	[62] = CALL("kill", sys_kill, "dS"),
	[63] = CALL("uname", sys_uname, "p"),
	[64] = CALL("semget", sys_semget, "xdx"),
	[65] = CALL("semop", sys_semop, "dpu"),
	[66] = CALL("semctl", sys_semctl, "ddxx"),
	[67] = CALL("shmdt", sys_shmdt, "p"),
	[68] = CALL("msgget", sys_msgget, "xx"),
	[69] = CALL("msgsnd", sys_msgsnd, "dpux"),
	[70] = CALL("msgrcv", sys_msgrcv, "dpudx"),
	[71] = CALL("msgctl", sys_msgctl, "dxp"),
	[72] = CALL("fcntl", sys_fcntl, "fFx"),
	[73] = CALL("flock", sys_flock, "fx"),
	[74] = CALL("fsync", sys_fsync, "f"),
	[75] = CALL("fdatasync", sys_fdatasync, "f"),
	[76] = CALL("truncate", sys_truncate, "sd"),
	[77] = CALL("ftruncate", sys_ftruncate, "fd"),
	[78] = CALL("getdents", sys_getdents, "fpu"),
	[79] = CALL("getcwd", sys_getcwd, "Cu"),
	[80] = CALL("chdir", sys_chdir, "s"),
	[81] = CALL("fchdir", sys_fchdir, "f"),
	[82] = CALL("rename", sys_rename, "ss"),
	[83] = CALL("mkdir", sys_mkdir, "so"),
	[84] = CALL("rmdir", sys_rmdir, "s"),
	[85] = CALL("creat", sys_creat, "so"),
	[86] = CALL("link", sys_link, "ss"),
	[87] = CALL("unlink", sys_unlink, "s"),
	[88] = CALL("symlink", sys_symlink, "ss"),
	[89] = CALL("readlink", sys_readlink, "sBu"),
	[90] = CALL("chmod", sys_chmod, "so"),
	[91] = CALL("fchmod", sys_fchmod, "fo"),
	[92] = CALL("chown", sys_chown, "sdd"),
	[93] = CALL("fchown", sys_fchown, "fdd"),
	[94] = CALL("lchown", sys_lchown, "sdd"),
	[95] = CALL("umask", sys_umask, "o"),
	[96] = CALL("gettimeofday", sys_gettimeofday, "pp"),
	[97] = CALL("getrlimit", sys_getrlimit, "Rp"),
	[98] = CALL("getrusage", sys_getrusage, "dp"),
	[99] = CALL("sysinfo", sys_sysinfo, "p"),
	[100] = CALL("times", sys_times, "p"),
	[101] = CALL("ptrace", sys_ptrace, "xdpp"),
	[102] = CALL("getuid", sys_getuid, ""),
	[103] = CALL("syslog", sys_syslog, "dBu"),
	[104] = CALL("getgid", sys_getgid, ""),
	[105] = CALL("setuid", sys_setuid, "d"),
	[106] = CALL("setgid", sys_setgid, "d"),
	[107] = CALL("geteuid", sys_geteuid, ""),
	[108] = CALL("getegid", sys_getegid, ""),
	[109] = CALL("setpgid", sys_setpgid, "dd"),
	[110] = CALL("getppid", sys_getppid, ""),
	[111] = CALL("getpgrp", sys_getpgrp, ""),
	[112] = CALL("setsid", sys_setsid, ""),
	[113] = CALL("setreuid", sys_setreuid, "dd"),
	[114] = CALL("setregid", sys_setregid, "dd"),
	[115] = CALL("getgroups", sys_getgroups, "dp"),
	[116] = CALL("setgroups", sys_setgroups, "dp"),
	[117] = CALL("setresuid", sys_setresuid, "ddd"),
	[118] = CALL("getresuid", sys_getresuid, "ppp"),
	[119] = CALL("setresgid", sys_setresgid, "ddd"),
	[120] = CALL("getresgid", sys_getresgid, "ppp"),
	[121] = CALL("getpgid", sys_getpgid, "d"),
	[122] = CALL("setfsuid", sys_setfsuid, "d"),
	[123] = CALL("setfsgid", sys_setfsgid, "d"),
	[124] = CALL("getsid", sys_getsid, "d"),
	[125] = CALL("capget", sys_capget, "pp"),
	[126] = CALL("capset", sys_capset, "pp"),
	[127] = CALL("rt_sigpending", sys_rt_sigpending, "pu"),
	[128] = CALL("rt_sigtimedwait", sys_rt_sigtimedwait, "mptu"),
	[129] = CALL("rt_sigqueueinfo", sys_rt_sigqueueinfo, "dSp"),
	[130] = CALL("rt_sigsuspend", sys_rt_sigsuspend, "mu"),
	[131] = CALL("sigaltstack", sys_sigaltstack, "pp"),
	[132] = CALL("utime", sys_utime, "sp"),
	[133] = CALL("mknod", sys_mknod, "sox"),
	[134] = NAME("uselib", "s"),
	[135] = CALL("personality", sys_personality, "x"),
	[136] = NAME("ustat", "xp"),
	[137] = CALL("statfs", sys_statfs, "sp"),
	[138] = CALL("fstatfs", sys_fstatfs, "fp"),
	[139] = NAME("sysfs", "ddd"),
	[140] = CALL("getpriority", sys_getpriority, "dd"),
	[141] = CALL("setpriority", sys_setpriority, "ddd"),
	[142] = CALL("sched_setparam", sys_sched_setparam, "dp"),
	[143] = CALL("sched_getparam", sys_sched_getparam, "dp"),
	[144] = CALL("sched_setscheduler", sys_sched_setscheduler, "ddp"),
	[145] = CALL("sched_getscheduler", sys_sched_getscheduler, "d"),
	[146] = CALL("sched_get_priority_max", sys_sched_get_priority_max, "d"),
	[147] = CALL("sched_get_priority_min", sys_sched_get_priority_min, "d"),
	[148] = CALL("sched_rr_get_interval", sys_sched_rr_get_interval, "dp"),
	[149] = CALL("mlock", sys_mlock, "pu"),
	[150] = CALL("munlock", sys_munlock, "pu"),
	[151] = CALL("mlockall", sys_mlockall, "x"),
	[152] = CALL("munlockall", sys_munlockall, ""),
	[153] = CALL("vhangup", sys_vhangup, ""),
	[154] = NAME("modify_ldt", "dpu"),
	[155] = CALL("pivot_root", sys_pivot_root, "ss"),
	[156] = NAME("_sysctl", "p"),
	[157] = CALL("prctl", sys_prctl, "dxxxx"),
	[158] = CALL("arch_prctl", sys_arch_prctl, "Gx"),
	[159] = CALL("adjtimex", sys_adjtimex, "p"),
	[160] = CALL("setrlimit", sys_setrlimit, "Rp"),
	[161] = CALL("chroot", sys_chroot, "s"),
	[162] = CALL("sync", sys_sync, ""),
	[163] = NAME("acct", "s"),
	[164] = CALL("settimeofday", sys_settimeofday, "pp"),
	[165] = CALL("mount", sys_mount, "sssxp"),
	[166] = CALL("umount2", sys_umount2, "sx"),
	[167] = NAME("swapon", "sx"),
	[168] = NAME("swapoff", "s"),
	[169] = CALL("reboot", sys_reboot, "xxxp"),
	[170] = CALL("sethostname", sys_sethostname, "su"),
	[171] = CALL("setdomainname", sys_setdomainname, "su"),
	[172] = NAME("iopl", "d"),
	[173] = NAME("ioperm", "uud"),
	[174] = NAME("create_module", ""),
	[175] = NAME("init_module", "pus"),
	[176] = NAME("delete_module", "sx"),
	[177] = NAME("get_kernel_syms", NULL),
	[178] = NAME("query_module", NULL),
	[179] = NAME("quotactl", "xsdp"),
	[180] = NAME("nfsservctl", NULL),
	[181] = NAME("getpmsg", NULL),
	[182] = NAME("putpmsg", NULL),
	[183] = NAME("afs_syscall", NULL),
	[184] = NAME("tuxcall", NULL),
	[185] = NAME("security", NULL),
	[186] = CALL("gettid", sys_gettid, ""),
	[187] = CALL("readahead", sys_readahead, "fdu"),
	[188] = CALL("setxattr", sys_setxattr, "sspux"),
	[189] = CALL("lsetxattr", sys_lsetxattr, "sspux"),
	[190] = CALL("fsetxattr", sys_fsetxattr, "fspux"),
	[191] = CALL("getxattr", sys_getxattr, "sspu"),
	[192] = CALL("lgetxattr", sys_lgetxattr, "sspu"),
	[193] = CALL("fgetxattr", sys_fgetxattr, "fspu"),
	[194] = CALL("listxattr", sys_listxattr, "spu"),
	[195] = CALL("llistxattr", sys_llistxattr, "spu"),
	[196] = CALL("flistxattr", sys_flistxattr, "fpu"),
	[197] = CALL("removexattr", sys_removexattr, "ss"),
	[198] = CALL("lremovexattr", sys_lremovexattr, "ss"),
	[199] = CALL("fremovexattr", sys_fremovexattr, "fs"),
	[200] = CALL("tkill", sys_tkill, "dS"),
	[201] = CALL("time", sys_time, "p"),
	[202] = CALL("futex", sys_futex, "pUdxpx"),
	[203] = CALL("sched_setaffinity", sys_sched_setaffinity, "dup"),
	[204] = CALL("sched_getaffinity", sys_sched_getaffinity, "dup"),
	[205] = NAME("set_thread_area", NULL),
	[206] = CALL("io_setup", sys_io_setup, "up"),
	[207] = CALL("io_destroy", sys_io_destroy, "x"),
	[208] = CALL("io_getevents", sys_io_getevents, "xddpp"),
	[209] = CALL("io_submit", sys_io_submit, "xdp"),
	[210] = CALL("io_cancel", sys_io_cancel, "xpp"),
	[211] = NAME("get_thread_area", NULL),
	[212] = NAME("lookup_dcookie", "xpu"),
	[213] = CALL("epoll_create", sys_epoll_create, "d"),
	[214] = NAME("epoll_ctl_old", NULL),
	[215] = NAME("epoll_wait_old", NULL),
	[216] = CALL("remap_file_pages", sys_remap_file_pages, "puxux"),
	[217] = CALL("getdents64", sys_getdents64, "fpu"),
	[218] = CALL("set_tid_address", sys_set_tid_address, "p"),
	[219] = CALL("restart_syscall", sys_restart_syscall, ""),
	[220] = CALL("semtimedop", sys_semtimedop, "dput"),
	[221] = CALL("fadvise64", sys_fadvise64, "fddd"),
	[222] = CALL("timer_create", sys_timer_create, "kpp"),
	[223] = CALL("timer_settime", sys_timer_settime, "dxpp"),
	[224] = CALL("timer_gettime", sys_timer_gettime, "dp"),
	[225] = CALL("timer_getoverrun", sys_timer_getoverrun, "d"),
	[226] = CALL("timer_delete", sys_timer_delete, "d"),
	[227] = CALL("clock_settime", sys_clock_settime, "kt"),
	[228] = CALL("clock_gettime", sys_clock_gettime, "kp"),
	[229] = CALL("clock_getres", sys_clock_getres, "kp"),
	[230] = CALL("clock_nanosleep", sys_clock_nanosleep, "kxtp"),
	[231] = CALL("exit_group", sys_exit_group, "d"),
	[232] = CALL("epoll_wait", sys_epoll_wait, "fpdd"),
	[233] = CALL("epoll_ctl", sys_epoll_ctl, "fdfp"),
	[234] = CALL("tgkill", sys_tgkill, "ddS"),
	[235] = CALL("utimes", sys_utimes, "sp"),
	[236] = NAME("vserver", NULL),
	[237] = CALL("mbind", sys_mbind, "puxpux"),
	[238] = CALL("set_mempolicy", sys_set_mempolicy, "dpu"),
	[239] = CALL("get_mempolicy", sys_get_mempolicy, "ppupx"),
	[240] = CALL("mq_open", sys_mq_open, "sOop"),
	[241] = CALL("mq_unlink", sys_mq_unlink, "s"),
	[242] = CALL("mq_timedsend", sys_mq_timedsend, "fbuut"),
	[243] = CALL("mq_timedreceive", sys_mq_timedreceive, "fBupt"),
	[244] = CALL("mq_notify", sys_mq_notify, "fp"),
	[245] = CALL("mq_getsetattr", sys_mq_getsetattr, "fpp"),
	[246] = NAME("kexec_load", "xupx"),
	[247] = CALL("waitid", sys_waitid, "ddpxp"),
	[248] = NAME("add_key", "sspud"),
	[249] = NAME("request_key", "sssd"),
	[250] = NAME("keyctl", "dxxxx"),
	[251] = CALL("ioprio_set", sys_ioprio_set, "ddx"),
	[252] = CALL("ioprio_get", sys_ioprio_get, "dd"),
	[253] = CALL("inotify_init", sys_inotify_init, ""),
	[254] = CALL("inotify_add_watch", sys_inotify_add_watch, "fsx"),
	[255] = CALL("inotify_rm_watch", sys_inotify_rm_watch, "fd"),
	[256] = NAME("migrate_pages", "dupp"),
	[257] = CALL("openat", sys_openat, "fsOo"),
	[258] = CALL("mkdirat", sys_mkdirat, "fso"),
	[259] = CALL("mknodat", sys_mknodat, "fsox"),
	[260] = CALL("fchownat", sys_fchownat, "fsddx"),
	[261] = CALL("futimesat", sys_futimesat, "fsp"),
	[262] = CALL("newfstatat", sys_newfstatat, "fspT"),
	[263] = CALL("unlinkat", sys_unlinkat, "fsT"),
	[264] = CALL("renameat", sys_renameat, "fsfs"),
	[265] = CALL("linkat", sys_linkat, "fsfsT"),
	[266] = CALL("symlinkat", sys_symlinkat, "sfs"),
	[267] = CALL("readlinkat", sys_readlinkat, "fsBu"),
	[268] = CALL("fchmodat", sys_fchmodat, "fso"),
	[269] = CALL("faccessat", sys_faccessat, "fsA"),
	[270] = CALL("pselect6", sys_pselect6, "dppptp"),
	[271] = CALL("ppoll", sys_ppoll, "putpu"),
	[272] = CALL("unshare", sys_unshare, "x"),
	[273] = CALL("set_robust_list", sys_set_robust_list, "pu"),
	[274] = CALL("get_robust_list", sys_get_robust_list, "dpp"),
	[275] = CALL("splice", sys_splice, "fpfpux"),
	[276] = CALL("tee", sys_tee, "ffux"),
	[277] = CALL("sync_file_range", sys_sync_file_range, "fddx"),
	[278] = CALL("vmsplice", sys_vmsplice, "fpux"),
	[279] = NAME("move_pages", "dupppx"),
	[280] = CALL("utimensat", sys_utimensat, "fspT"),
	[281] = CALL("epoll_pwait", sys_epoll_pwait, "fpddpu"),
	[282] = CALL("signalfd", sys_signalfd, "fmu"),
	[283] = CALL("timerfd_create", sys_timerfd_create, "kx"),
	[284] = CALL("eventfd", sys_eventfd, "u"),
	[285] = CALL("fallocate", sys_fallocate, "fxdd"),
	[286] = CALL("timerfd_settime", sys_timerfd_settime, "fxpp"),
	[287] = CALL("timerfd_gettime", sys_timerfd_gettime, "fp"),
	[288] = CALL("accept4", sys_accept4, "fppx"),
	[289] = CALL("signalfd4", sys_signalfd4, "fmux"),
	[290] = CALL("eventfd2", sys_eventfd2, "ux"),
	[291] = CALL("epoll_create1", sys_epoll_create1, "x"),
	[292] = CALL("dup3", sys_dup3, "ffO"),
	[293] = CALL("pipe2", sys_pipe2, "pO"),
	[294] = CALL("inotify_init1", sys_inotify_init1, "x"),
	[295] = CALL("preadv", sys_preadv, "fpudd"),
	[296] = CALL("pwritev", sys_pwritev, "fVudd"),
	[297] = CALL("rt_tgsigqueueinfo", sys_rt_tgsigqueueinfo, "ddSp"),
	[298] = NAME("perf_event_open", "pddfx"),
	[299] = CALL("recvmmsg", sys_recvmmsg, "fpuxt"),
	[300] = NAME("fanotify_init", "xx"),
	[301] = NAME("fanotify_mark", "fxxfs"),
	[302] = CALL("prlimit64", sys_prlimit64, "dRpp"),
	[303] = NAME("name_to_handle_at", "fsppx"),
	[304] = NAME("open_by_handle_at", "fpO"),
	[305] = CALL("clock_adjtime", sys_clock_adjtime, "kp"),
	[306] = CALL("syncfs", sys_syncfs, "f"),
	[307] = CALL("sendmmsg", sys_sendmmsg, "fpux"),
	[308] = CALL("setns", sys_setns, "fx"),
	[309] = CALL("getcpu", sys_getcpu, "ppp"),
	[310] = CALL("process_vm_readv", sys_process_vm_readv, "dpupux"),
	[311] = CALL("process_vm_writev", sys_process_vm_writev, "dpupux"),
	[312] = NAME("kcmp", "dddxx"),
	[313] = NAME("finit_module", "fsx"),
	[314] = CALL("sched_setattr", sys_sched_setattr, "dpx"),
	[315] = CALL("sched_getattr", sys_sched_getattr, "dpux"),
	[316] = CALL("renameat2", sys_renameat2, "fsfsx"),
	[317] = CALL("seccomp", sys_seccomp, "xxp"),
	[318] = CALL("getrandom", sys_getrandom, "Bux"),
	[319] = CALL("memfd_create", sys_memfd_create, "sx"),
	[320] = NAME("kexec_file_load", "ffusx"),
	[321] = NAME("bpf", "xpu"),
	[322] = CALL("execveat", sys_execveat, "fsveT"),
	[323] = NAME("userfaultfd", "x"),
	[324] = CALL("membarrier", sys_membarrier, "xxd"),
	[325] = CALL("mlock2", sys_mlock2, "pux"),
	[326] = CALL("copy_file_range", sys_copy_file_range, "fpfpux"),
	[327] = CALL("preadv2", sys_preadv2, "fpuddx"),
	[328] = CALL("pwritev2", sys_pwritev2, "fpuddx"),
	[329] = CALL("pkey_mprotect", sys_pkey_mprotect, "puPd"),
	[330] = CALL("pkey_alloc", sys_pkey_alloc, "xx"),
	[331] = CALL("pkey_free", sys_pkey_free, "d"),
	[332] = CALL("statx", sys_statx, "fsTxp"),
	[333] = CALL("io_pgetevents", sys_io_pgetevents, "xddptp"),
	[334] = CALL("rseq", sys_absent, "pudx"),
	[424] = CALL("pidfd_send_signal", sys_pidfd_send_signal, "fSpx"),
	[425] = NAME("io_uring_setup", "up"),
	[426] = NAME("io_uring_enter", "fuuxpu"),
	[427] = NAME("io_uring_register", "fupu"),
	[428] = NAME("open_tree", "fsx"),
	[429] = NAME("move_mount", "fsfsx"),
	[430] = NAME("fsopen", "sx"),
	[431] = NAME("fsconfig", "fxssd"),
	[432] = NAME("fsmount", "fxx"),
	[433] = NAME("fspick", "fsx"),
	[434] = CALL("pidfd_open", sys_pidfd_open, "dx"),
	[435] = CALL("clone3", sys_clone3, "pu"),
	[436] = CALL("close_range", sys_close_range, "ffx"),
	[437] = CALL("openat2", sys_openat2, "fspu"),
	[438] = CALL("pidfd_getfd", sys_pidfd_getfd, "ffx"),
	[439] = CALL("faccessat2", sys_faccessat2, "fsAT"),
	[440] = NAME("process_madvise", "fpuxx"),
	[441] = CALL("epoll_pwait2", sys_epoll_pwait2, "fpdtpu"),
	[442] = NAME("mount_setattr", "fsxpu"),
	[443] = NAME("quotactl_fd", "fxdp"),
	[444] = NAME("landlock_create_ruleset", "pux"),
	[445] = NAME("landlock_add_rule", "fxpx"),
	[446] = NAME("landlock_restrict_self", "fx"),
	[447] = NAME("memfd_secret", "x"),
	[448] = NAME("process_mrelease", "fx"),
	[449] = NAME("futex_waitv", "puxtk"),
	[450] = NAME("set_mempolicy_home_node", "puux"),
	[451] = NAME("cachestat", "fppx"),
	[452] = NAME("fchmodat2", "fsoT"),
	[453] = NAME("map_shadow_stack", "pux"),
	[454] = NAME("futex_wake", "pxdx"),
	[455] = NAME("futex_wait", "pxxxtk"),
	[456] = NAME("futex_requeue", "pxdd"),
	[457] = NAME("statmount", NULL),
	[458] = NAME("listmount", NULL),
	[459] = NAME("lsm_get_self_attr", NULL),
	[460] = NAME("lsm_set_self_attr", NULL),
	[461] = NAME("lsm_list_modules", NULL),
	[462] = NAME("mseal", "pux"),
	[463] = NAME("setxattrat", NULL),
	[464] = NAME("getxattrat", NULL),
	[465] = NAME("listxattrat", NULL),
	[466] = NAME("removexattrat", NULL),
	[467] = NAME("open_tree_attr", NULL),
	[468] = NAME("file_getattr", NULL),
	[469] = NAME("file_setattr", NULL),
};

#define NROWS ARRAY_SIZE(rows)

const struct syscall_row *
syscall_row(uint64_t nr)
{
	return nr < NROWS ? &rows[nr] : NULL;
}

/* Logs each absent call once: programs try them again and again. */
static __attribute__((noinline, cold)) long
syscall_absent(uint32_t nr)
{
	static uint64_t logged[(NROWS + 63) / 64];
	uint64_t bit;

	if (nr >= NROWS)
		return -ENOSYS;
	bit = 1ull << (nr % 64);
	if ((__atomic_fetch_or(&logged[nr / 64], bit, __ATOMIC_RELAXED) &
		bit) == 0)
		log_info("%s[%d]: system call %u (%s) is not implemented",
		    task_self()->comm, process_self()->pid, nr,
		    rows[nr].name != NULL ? rows[nr].name : "no name");
	return -ENOSYS;
}

static inline __attribute__((always_inline)) long
call(const struct trapframe *tf)
{
	uint32_t nr = tf->orig_rax; /* the upper half is ignored, as on Linux */

	if (nr < NROWS && rows[nr].fn != NULL)
		return rows[nr].fn(tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8,
		    tf->r9);
	return syscall_absent(nr);
}

long
syscall_call(struct trapframe *tf)
{
	return call(tf);
}

void
syscall_dispatch(struct trapframe *tf)
{
	long ret = call(tf);

	tf->rax = ret;
	/* A restart code is work for signal_work(), never the program's. */
	if ((uint64_t)(ret + ERESTART_RESTARTBLOCK) <=
	    ERESTART_RESTARTBLOCK - ERESTARTSYS)
		thread_self()->interrupted = true;
}
