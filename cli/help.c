/* SPDX-License-Identifier: ISC */
/* help.c - what --help prints.  The manual page says more. */
#include "cli/help.h"

/* clang-format off */

void
help_remora(FILE *to)
{
	fputs(
"usage: remora run [OPTION]... [--] PROGRAM [ARG]...\n"
"       remora device add|del SOCKET ID [FILE[,ro]]\n"
"       remora version\n"
"       remora --help\n"
"\n"
"Boots an unmodified Linux program as a virtual machine of its own, on the\n"
"Remora kernel, and exits with the program's status.\n"
"\n"
"  remora run /bin/busybox echo hello\n"
"  remora run --help        lists the options\n"
"  man remora               tells the whole story\n", to);
}

void
help_run(FILE *to)
{
	fputs(
"usage: remora run [OPTION]... [--] PROGRAM [ARG]...\n"
"\n"
"Packs PROGRAM (looked up in $PATH) with its interpreter and libraries, boots\n"
"it as a virtual machine, connects the terminal, exits with its status.\n"
"\n"
"  --memory SIZE        of the machine: 64M (default), 512K, 2G; the default\n"
"                       grows with what is packed\n"
"  --cpus N             number of processors (default 1)\n"
"  --machine TYPE       microvm (default), q35 or pc\n"
"  --accel HOW          auto (default): KVM where it works, else TCG;\n"
"                       kvm; tcg\n"
"  --console HOW        serial (default): serial ports; virtio: /dev/hvc0\n"
"  --vsock CID          sockets to the host (AF_VSOCK), with that number\n"
"  --kernel FILE        boot this kernel; a Linux works as well\n"
"  --rootfs DIR         pack all of DIR instead; PROGRAM is a path inside\n"
"  --add PATH[:/GUEST]  pack this file or directory, too (repeatable)\n"
"  --cloud ec2|nocloud|auto  first do what the cloud's metadata ask for:\n"
"                       host name, keys, user data; ,wait=SECONDS ,url=URL\n"
"  --user-data FILE     pack it for --cloud nocloud; also --meta-data and\n"
"                       --network-config\n"
"  --tools              pack devctl, too, as /sbin/devctl\n"
"  --disk FILE[,ro]     a disk, /dev/vda and so on (repeatable); also\n"
"                       ,bus=scsi (/dev/sda) ,transport=mmio|legacy|modern\n"
"  --nvme FILE[,ro]     an NVMe disk, /dev/nvme0n1 and so on (repeatable)\n"
"  --share DIR:/PATH[,ro]  show a folder of the host there (repeatable);\n"
"                       DIR:/ makes it the root, where PROGRAM is looked up\n"
"  --net user[,hostfwd=tcp:PORT:GUESTPORT]  a network card (repeatable); also\n"
"                       tap=NAME, socket=PATH, passt, none (the default)\n"
"  --mac ADDRESS        of the card named before\n"
"  --env NAME=VALUE     set in PROGRAM's environment (repeatable)\n"
"  --append ARGS        add to the kernel's command line\n"
"  --qmp SOCKET         QEMU's monitor there; devices can come and go:\n"
"                       remora device --help\n"
"  --timeout SECONDS    end the machine after that time\n"
"  --verbose            show what is done, and the kernel's log\n"
"  --dry-run            print the QEMU command, and do no more\n"
"  --gdb[=PORT]         wait for gdb at the first instruction (port 1234)\n"
"  --help               print this\n"
"\n"
"Ctrl-A x ends the machine, Ctrl-A Ctrl-A is one Ctrl-A.\n"
"\n"
"Exit status: the program's; 128+N if signal N killed it; 122 it restarted\n"
"the machine; 123 kernel panic; 124 time is up; 125 usage, no machine, or no\n"
"status; 126 the program cannot be executed; 127 there is none.\n", to);
}
