# SPDX-License-Identifier: ISC
# remora.gdb - shows a stopped Remora kernel: threads, processes, devices.
#
#     gdb -x scripts/remora.gdb build/remora.elf -ex 'target remote :1234'
#
# Commands: remora-threads, remora-processes, remora-devices, remora-log.

set pagination off
set print pretty on
set disassembly-flavor att

define remora-threads
	set $t = 'kernel/kern/thread.c'::all.list.tqh_first
	echo thread             name             state     where\n
	while $t
		printf "0x%016lx %-16s ", $t, $t->name
		output $t->state
		printf " "
		if !$t->on_cpu
			set $ctx = (unsigned long *)$t->ctx_sp
			info symbol $ctx[6]
		else
			printf "running on processor %u\n", $t->cpu
		end
		set $t = $t->all_link.tqe_next
	end
end
document remora-threads
Lists every thread of the kernel, its state, and where it sleeps.
end

define remora-backtrace
	set $t = (struct thread *)$arg0
	set $ctx = (unsigned long *)$t->ctx_sp
	info symbol $ctx[6]
	set $link = (unsigned long *)$ctx[5]
	while $link && $link[1]
		info symbol $link[1]
		set $link = (unsigned long *)$link[0]
	end
end
document remora-backtrace
remora-backtrace THREAD: the callers of a thread that does not run.
end

define remora-processes
	set $p = 'kernel/linux/process.c'::all.tqh_first
	echo   pid  ppid command          state\n
	while $p
		set $ppid = 0
		if $p->parent
			set $ppid = $p->parent->pid
		end
		printf "%5d %5d %-16s ", $p->pid, $ppid, $p->comm
		output $p->state
		printf "\n"
		set $p = $p->all_link.tqe_next
	end
end
document remora-processes
Lists every process.
end

define remora-devices
	set $i = 0
	while $i < 16
		if 'kernel/x86/irq.c'::sources[$i].name
			printf "irq %2d  %-10s %lu interrupts\n", $i, 'kernel/x86/irq.c'::sources[$i].name, 'kernel/x86/irq.c'::sources[$i].count
		end
		set $i = $i + 1
	end
end
document remora-devices
Lists the devices that have an interrupt.
end

define remora-log
	set $at = 'kernel/kern/log.c'::log.tail
	while $at < 'kernel/kern/log.c'::log.head
		set $size = sizeof(struct record)
		set $len = (unsigned char)'kernel/kern/log.c'::log.ring[($at + 8) & 16383] + 256 * (unsigned char)'kernel/kern/log.c'::log.ring[($at + 9) & 16383]
		set $i = 0
		while $i < $len
			printf "%c", 'kernel/kern/log.c'::log.ring[($at + $size + $i) & 16383]
			set $i = $i + 1
		end
		printf "\n"
		set $at = $at + $size + $len
	end
end
document remora-log
Prints the kernel's log.
end
