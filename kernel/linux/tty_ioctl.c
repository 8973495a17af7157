/* SPDX-License-Identifier: ISC */
/*
 * tty_ioctl.c - ioctl(2) on terminals.  tty_ioctl(2), termios(3).
 */
#include "linux/tty.h"

#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/tty.h>

/* struct termios as the kernel's interface has it: termios2 without speeds. */
#define TERMIOS_SIZE offsetof(struct termios2, c_ispeed)

enum when { SET_NOW, SET_DRAIN, SET_FLUSH };

static const uint32_t speeds[] = { 0, 50, 75, 110, 134, 150, 200, 300, 600,
	1200, 1800, 2400, 4800, 9600, 19200, 38400 };
static const uint32_t high_speeds[] = { 0, 57600, 115200, 230400, 460800,
	500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000,
	3000000, 3500000, 4000000 };

/* Bits a second of a B... code; `other` where it is BOTHER. */
static uint32_t
speed_of(tcflag_t code, uint32_t other)
{
	code &= CBAUD;
	if (code == BOTHER)
		return other;
	return (code & CBAUDEX) != 0 ? high_speeds[code & 15] :
				       speeds[code & 15];
}

static void
set_speeds(struct termios2 *t)
{
	tcflag_t in = t->c_cflag >> IBSHIFT & CBAUD;

	t->c_ospeed = speed_of(t->c_cflag, t->c_ospeed);
	t->c_ispeed = in == B0 ? t->c_ospeed : speed_of(in, t->c_ispeed);
}

static void
get_termios(struct tty *t, struct termios2 *tio)
{
	uint64_t state = spin_lock_irq(&t->lock);

	*tio = t->ldisc.t;
	spin_unlock_irq(&t->lock, state);
}

static void
flush_input(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);

	ldisc_flush_input(&t->ldisc);
	if (t->lops->input_flushed != NULL)
		t->lops->input_flushed(t);
	spin_unlock_irq(&t->lock, state);
	tty_update_room(t);
}

static void
flush_output(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);

	ldisc_echo_forget(&t->ldisc);
	t->lops->discard(t);
	spin_unlock_irq(&t->lock, state);
	waitq_wake_all(&t->write_wq);
}

static int
apply_termios(struct tty *t, struct termios2 *tio, enum when when)
{
	struct termios2 old;
	uint64_t state;
	int error;

	error = tty_job_control(t, SIGTTOU);
	if (error == 0 && when == SET_FLUSH)
		flush_input(t);
	if (error == 0 && when != SET_NOW)
		error = tty_wait_sent(t);
	if (error != 0)
		return error;
	set_speeds(tio);
	if (t->pty) /* no line that could have other bytes */
		tio->c_cflag = (tio->c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
	state = spin_lock_irq(&t->lock);
	old = t->ldisc.t;
	ldisc_set_termios(&t->ldisc, tio);
	if (t->lops->changed != NULL)
		t->lops->changed(t, &old);
	spin_unlock_irq(&t->lock, state);
	if (tio->c_cflag != old.c_cflag && t->lops->set_line != NULL)
		t->lops->set_line(t, tio);
	tty_update_room(t);
	waitq_wake_all(&t->read_wq);
	waitq_wake_all(&t->write_wq);
	return 0;
}

static int
set_termios(struct tty *t, uaddr_t arg, size_t size, enum when when)
{
	struct termios2 tio;

	get_termios(t, &tio);
	if (copyin(&tio, arg, size) != 0)
		return -EFAULT;
	return apply_termios(t, &tio, when);
}

static int
copy_termios(struct tty *t, uaddr_t arg, size_t size)
{
	struct termios2 tio;

	get_termios(t, &tio);
	return copyout(arg, &tio, size);
}

/* System V's struct termio: the low halves of everything. */
static int
copy_termio(struct tty *t, uaddr_t arg)
{
	struct termios2 tio;
	struct termio old;

	get_termios(t, &tio);
	memset(&old, 0, sizeof(old));
	old.c_iflag = tio.c_iflag;
	old.c_oflag = tio.c_oflag;
	old.c_cflag = tio.c_cflag;
	old.c_lflag = tio.c_lflag;
	old.c_line = tio.c_line;
	memcpy(old.c_cc, tio.c_cc, NCC);
	return copyout(arg, &old, sizeof(old));
}

static tcflag_t
low_half(tcflag_t whole, uint16_t low)
{
	return (whole & 0xffff0000u) | low;
}

static int
set_termio(struct tty *t, uaddr_t arg, enum when when)
{
	struct termios2 tio;
	struct termio old;

	if (copyin(&old, arg, sizeof(old)) != 0)
		return -EFAULT;
	get_termios(t, &tio);
	tio.c_iflag = low_half(tio.c_iflag, old.c_iflag);
	tio.c_oflag = low_half(tio.c_oflag, old.c_oflag);
	tio.c_cflag = low_half(tio.c_cflag, old.c_cflag);
	tio.c_lflag = low_half(tio.c_lflag, old.c_lflag);
	tio.c_line = old.c_line;
	memcpy(tio.c_cc, old.c_cc, NCC);
	return apply_termios(t, &tio, when);
}

static long
termios_ioctl(struct tty *t, unsigned cmd, uint64_t arg)
{
	switch (cmd) {
	case TCGETS: return copy_termios(t, arg, TERMIOS_SIZE);
	case TCGETS2: return copy_termios(t, arg, sizeof(struct termios2));
	case TCGETA: return copy_termio(t, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF: return set_termios(t, arg, TERMIOS_SIZE, cmd - TCSETS);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(t, arg, sizeof(struct termios2),
		    cmd - TCSETS2);
	case TCSETA:
	case TCSETAW:
	case TCSETAF: return set_termio(t, arg, cmd - TCSETA);
	}
	return -ENOTTY;
}

static int
put_int(uaddr_t to, int value)
{
	return copyout(to, &value, sizeof(value));
}

/* TCFLSH */
static int
flush(struct tty *t, uint64_t queue)
{
	int error = tty_job_control(t, SIGTTOU);

	if (error != 0)
		return error;
	if (queue != TCIFLUSH && queue != TCOFLUSH && queue != TCIOFLUSH)
		return -EINVAL;
	if (queue != TCOFLUSH)
		flush_input(t);
	if (queue != TCIFLUSH)
		flush_output(t);
	return 0;
}

/* TCXONC: holds our output or lets it go, or asks that of the other side. */
static int
flow(struct tty *t, uint64_t action)
{
	int error = tty_job_control(t, SIGTTOU);
	uint64_t state;
	uint8_t byte;

	if (error != 0)
		return error;
	if (action > TCION)
		return -EINVAL;
	state = spin_lock_irq(&t->lock);
	if (action == TCOOFF || action == TCOON) {
		t->held = action == TCOOFF;
		t->lops->pause(t, t->held || t->ldisc.stopped);
		ldisc_echo(&t->ldisc);
	} else {
		byte = t->ldisc.t.c_cc[action == TCIOFF ? VSTOP : VSTART];
		if (byte != '\0')
			t->lops->send_now(t, byte);
	}
	spin_unlock_irq(&t->lock, state);
	waitq_wake_all(&t->write_wq);
	return 0;
}

/* TCSBRK: tcdrain(3); breaks themselves mean nothing to a virtual line. */
static int
drain(struct tty *t)
{
	int error = tty_job_control(t, SIGTTOU);

	return error != 0 ? error : tty_wait_sent(t);
}

/* TIOCSTI: as if it had been typed. */
static int
type_byte(struct tty *t, uaddr_t arg)
{
	uint8_t byte;

	if (process_self()->ctty != t && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copyin(&byte, arg, 1) != 0)
		return -EFAULT;
	if (ldisc_room(&t->ldisc) == 0)
		return -EAGAIN;
	tty_input(t, &byte, 1);
	return 0;
}

static int
change_modem(struct tty *t, unsigned cmd, uaddr_t arg)
{
	const unsigned all = TIOCM_DTR | TIOCM_RTS;
	unsigned bits;

	if (t->lops->set_modem == NULL)
		return -ENOTTY;
	if (copyin(&bits, arg, sizeof(bits)) != 0)
		return -EFAULT;
	t->lops->set_modem(t, cmd == TIOCMBIC ? 0 : bits,
	    cmd == TIOCMBIC     ? bits :
		cmd == TIOCMSET ? all & ~bits :
				  0);
	return 0;
}

static int
window_ioctl(struct tty *t, unsigned cmd, uaddr_t arg)
{
	struct winsize ws;
	uint64_t state;

	if (cmd == TIOCSWINSZ) {
		if (copyin(&ws, arg, sizeof(ws)) != 0)
			return -EFAULT;
		tty_set_winsize(t, &ws);
		return 0;
	}
	state = spin_lock_irq(&t->lock);
	ws = t->winsize;
	spin_unlock_irq(&t->lock, state);
	return copyout(arg, &ws, sizeof(ws));
}

static int
software_carrier(struct tty *t, uaddr_t arg)
{
	uint64_t state;
	int on;

	if (copyin(&on, arg, sizeof(on)) != 0)
		return -EFAULT;
	state = spin_lock_irq(&t->lock);
	t->ldisc.t.c_cflag &= ~CLOCAL;
	t->ldisc.t.c_cflag |= on != 0 ? CLOCAL : 0;
	spin_unlock_irq(&t->lock, state);
	return 0;
}

/* Only one discipline is to be had. */
static int
set_discipline(struct tty *t, uaddr_t arg)
{
	int error = tty_job_control(t, SIGTTOU), which;

	if (error != 0)
		return error;
	if (copyin(&which, arg, sizeof(which)) != 0)
		return -EFAULT;
	return which == N_TTY ? 0 : -EINVAL;
}

static int
hang_up_call(struct tty *t)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_signal(t, SIGHUP);
	tty_signal(t, SIGCONT);
	tty_hang_up(t);
	return 0;
}

long
sys_vhangup(void)
{
	struct tty *t;
	long error;

	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = tty_current();
	if (t == NULL)
		return 0;
	error = hang_up_call(t);
	tty_put(t);
	return error;
}

static long
line_ioctl(struct tty *t, unsigned cmd, uint64_t arg)
{
	switch (cmd) {
	case TCFLSH: return flush(t, arg);
	case TCXONC: return flow(t, arg);
	case TCSBRK:
	case TCSBRKP:
	case TIOCSBRK: return drain(t);
	case TIOCCBRK: return 0;
	case TIOCSTI: return type_byte(t, arg);
	case TIOCOUTQ: return put_int(arg, t->lops->queued(t));
	case TIOCMGET:
		if (t->lops->modem == NULL)
			return -ENOTTY;
		return put_int(arg, t->lops->modem(t));
	case TIOCMSET:
	case TIOCMBIS:
	case TIOCMBIC: return change_modem(t, cmd, arg);
	case TIOCVHANGUP: return hang_up_call(t);
	}
	return -ENOTTY;
}

static int
typed_bytes(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);
	int n = ldisc_inq(&t->ldisc);

	spin_unlock_irq(&t->lock, state);
	return n;
}

long
tty_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	bool dead;
	struct tty *t = tty_of_file(file, &dead);

	if (dead)
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	return tty_ioctl_of(t, file, cmd, arg);
}

long
tty_ioctl_of(struct tty *t, struct file *file, unsigned cmd, uint64_t arg)
{
	long error;

	switch (cmd) {
	case TIOCGWINSZ:
	case TIOCSWINSZ: return window_ioctl(t, cmd, arg);
	case TIOCINQ: return put_int(arg, typed_bytes(t));
	case TIOCGETD: return put_int(arg, N_TTY);
	case TIOCSETD: return set_discipline(t, arg);
	case TIOCEXCL:
	case TIOCNXCL: t->exclusive = cmd == TIOCEXCL; return 0;
	case TIOCGEXCL: return put_int(arg, t->exclusive);
	case TIOCGDEV: return put_int(arg, t->rdev);
	case TIOCGSOFTCAR:
		return put_int(arg, (t->ldisc.t.c_cflag & CLOCAL) != 0);
	case TIOCSSOFTCAR: return software_carrier(t, arg);
	}
	error = termios_ioctl(t, cmd, arg);
	if (error == -ENOTTY)
		error = line_ioctl(t, cmd, arg);
	return error == -ENOTTY ? tty_job_ioctl(t, file, cmd, arg) : error;
}
