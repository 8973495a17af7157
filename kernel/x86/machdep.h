/* SPDX-License-Identifier: ISC */
/*
 * machdep.h - what the files of the processor's floor tell each other, and
 * the linker's symbols.
 */
#ifndef X86_MACHDEP_H
#define X86_MACHDEP_H

#include "kern/types.h"
#include "x86/cpu.h"
#include "x86/trapframe.h"

/* kernel.ld */
extern char kernel_start[], kernel_text_end[], kernel_rodata_end[];
extern char kernel_end[];
struct extable {
	uint64_t at, go;
};
extern const struct extable kernel_extable[], kernel_extable_end[];
struct patch {
	uint64_t at, kind; /* 0 CLAC, 1 STAC */
};
extern const struct patch kernel_patches[], kernel_patches_end[];

/* entry.S */
extern uint64_t boot_pml4[512], boot_pd_direct[512], boot_pd_image[512];
extern uint64_t boot_pdpt_direct[512];
extern char boot_stack[], boot_stack_top[];
extern uint64_t boot_tsc; /* at the entry point */

/* trampoline.S: copied, not run where it stands */
extern const char trampoline[], trampoline_long[], trampoline_data[];
extern const char trampoline_end[];

/* trap_entry.S */
extern char trap_stubs[][16];
extern char trap_iretq[], syscall_entry[], thread_begin[];
void user_enter_frame(struct trapframe *tf) __noreturn;
void registers_capture(struct trapframe *tf);
void switch_context(uint64_t *save_sp, uint64_t load_sp);

/* start.c: the entry paths end here; how: 0 PVH, 1 Linux's 64-bit way. */
void boot_entry(unsigned how, uint64_t info) __noreturn;

/* cpu.c: features, descriptor tables, control registers; once a processor. */
void cpu_init(void);
/* The tables of processor i, made at the first call; NULL: no memory. */
struct percpu *cpu_create(unsigned i);
/* The same as cpu_init() on another processor, control registers set. */
void cpu_init_other(struct percpu *pc);
/* The stack that traps and system calls of this thread begin on. */
void cpu_set_kstack(uint64_t top);
/* Before the image is write-protected; nothing where there is no SMAP. */
int cpu_smap_on(bool wanted);

/* trap.c */
void trap(struct trapframe *tf);
extern void (*user_syscall)(struct trapframe *tf);
void trap_user_return(struct trapframe *tf);
void trap_init(void);
/* Calls fn(arg) on vector 32 .. 239, interrupts off; fn acknowledges. */
void trap_set_handler(uint8_t vector, void (*fn)(void *), void *arg);
/* Another processor uses the same gates. */
void trap_init_other(void);
/* thread.c calls it first thing in a new thread. */
void thread_main(void) __noreturn;

/* uaccess.c: where to go on after a fault at rip, or 0. */
uint64_t uaccess_fixup(uint64_t rip);

/* pte.c: final protections of the image, no identity map. */
int pt_init(void);
/* Makes [pa, pa + size) reachable at KVA_DIRECT; tables from `carve`. */
int pt_map_direct(paddr_t pa, uint64_t size, paddr_t (*carve)(void *), void *);
/* The same for the frames' structs of one section. */
int pt_map_vmemmap(uint64_t va, paddr_t pa, paddr_t (*carve)(void *), void *);

/* apic.c */
int apic_init(void);
/* On another processor. */
void apic_init_other(void);
/*
 * Sends an interrupt command to the processor whose APIC has this number;
 * `command` is the low word of the ICR.
 */
void apic_ipi(uint32_t id, uint32_t command);
#define ICR_NMI     0x400u
#define ICR_INIT    0x4500u /* asserted */
#define ICR_STARTUP 0x4600u
#define ICR_FIXED   0x4000u
void apic_eoi(void);
/* The next timer interrupt, in nanoseconds from now; may come early. */
void apic_timer_arm(int64_t ns);
/* Tells what the timer counts, once the clock is known better. */
void apic_timer_calibrate(void);
#define VECTOR_TIMER    0xef
#define VECTOR_RESCHED  0xf0 /* between processors: smp.c */
#define VECTOR_CALL     0xf1
#define VECTOR_STOP     0xf2
#define VECTOR_SPURIOUS 0xff
/* The number of this processor's APIC. */
uint32_t apic_id(void);

/* fpu.c */
void fpu_init(void);
void fpu_init_other(void);
void fpu_switch(struct thread *prev, struct thread *next);

/* backtrace.c: prints who called whom from a frame pointer on. */
void backtrace_print(uint64_t rip, uint64_t rbp);
void registers_print(const struct trapframe *tf);

#endif
