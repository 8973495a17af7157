# SPDX-License-Identifier: ISC
"""hotplug_pcie.py - cards that come and go in the slots of PCIe ports, which
tell of it themselves (q35 without ACPI's hot-plug).

pci.button=0 leaves out the five seconds in which a second press of the button
would call it off; the cases named "button" have them.
"""
from cases.hotplug import (Board, LISTEN, back_to_back, busy, cycles, images,
                           md5, ports, two)
from cases.pci import BUSYBOX, POWER_OFF, raw, wants
from suite.case import Case
from suite.machine import LISTENING

NATIVE = ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
PORT = '0000:00:01.0'
QUIET = LISTEN.split('# ACPI')[0] + '''
echo READY
''' + LISTENING + '\n'
SWITCH = ['-device', 'pcie-root-port,id=r,slot=9,chassis=9', '-device',
          'x3130-upstream,id=u,bus=r', '-device',
          'xio3130-downstream,id=p1,bus=u,slot=1,chassis=1']


# The same in one write of 16 bits, which leaves on what tells of events: then
# the host takes the card out.
CUT_POWER = POWER_OFF.replace(r"'\300\007'", r"'\371\007'").replace(
    'bs=1 seek=$((at + 24))', 'bs=2 seek=$(((at + 24) / 2))')


def act_on(act, driver, where):
    def run(context, argv):
        machine = Board(context, argv, driver, where)
        try:
            return machine.play(act)
        finally:
            machine.end()
    return run


def case(name, act, extra, where=None, driver='virtio-blk-pci', cpus=1,
         append='pci.button=0', script=LISTEN, machine='q35', timeout=120):
    return Case(name, lambda c: raw(
        c, machine, script, [*(NATIVE if machine == 'q35' else ()), *images(c),
                             '-smp', str(cpus), *extra], append=append),
                timeout=timeout, needs=[BUSYBOX],
                act=act_on(act, driver, where or {'bus': 'p1'}))


def button(m):
    """Five seconds pass before it goes; it works until then."""
    m.add()
    sum_ = md5(m.do('there /dev/vda; /bin/busybox md5sum /dev/vda'))
    m.remove()
    wants(sum_, m.do('/bin/busybox md5sum /dev/vda'))
    wants('slot 1: button, switched off in 5 s', m.do('/bin/busybox dmesg'))
    wants(sum_, m.do('/bin/busybox md5sum /dev/vda'))
    m.monitor.deleted('new')
    wants("can't open", m.do('/bin/busybox md5sum /dev/vda'))


def at_boot(m):
    """What was plugged before the machine began, and a port without power."""
    m.do('there /dev/vda; /bin/busybox md5sum /dev/vda')
    m.remove('boot')
    m.monitor.deleted('boot')
    wants("can't open", m.do('/bin/busybox md5sum /dev/vda'))
    m.add()
    m.do('there /dev/vda; /bin/busybox md5sum /dev/vda')


def flr(m):
    """The port's own driver goes and comes back while a card is there."""
    m.add()
    m.do('there /dev/vda')
    port = m.do('cd /sys/bus/pci/devices; /bin/busybox grep -l 0x060400 '
                '*/class').split('/')[0].split()[-1]
    m.do('echo %s >/sys/bus/pci/drivers/pcieport/unbind' % port)
    wants("can't open", m.do('/bin/busybox md5sum /dev/vda'))
    m.do('echo %s >/sys/bus/pci/drivers/pcieport/bind' % port)
    m.do('there /dev/vda; /bin/busybox md5sum /dev/vda')
    m.remove()
    m.monitor.deleted('new')
    m.do('left /dev/vda')


def pulled(m):
    """It is gone without a word, with transfers under way: the slot tells."""
    for name, drive in (('one', 'n0'), ('two', 'n1')):
        m.add(name, drive)
        m.do('there /dev/vda; exec 5<>/dev/vda')
        m.do('{ (while /bin/busybox dd if=/dev/zero bs=64k count=8 '
             'oflag=direct conv=notrunc of=/proc/self/fd/5 2>/dev/null; '
             'do :; done; '
             'echo writer has ended) & }')
        wants('writer has ended', m.do('power_off %s; wait' % PORT))
        m.do('left /dev/vda; exec 5>&-')
    wants('pulled out', m.do('/bin/busybox dmesg'))


def polled(m):
    """Nobody tells: the kernel looks every second."""
    m.add()
    m.do('there /dev/vda; /bin/busybox md5sum /dev/vda')
    m.do('echo 1 >/sys/bus/virtio/devices/virtio0/../remove')
    m.do('left /dev/vda; there /dev/vda; /bin/busybox md5sum /dev/vda')


def cases(_build):
    for cpus in (1, 4):
        yield case('cycles/%d' % cpus, cycles(8), ports(1), cpus=cpus)
    yield case('cycles below a switch', cycles(4), SWITCH)
    yield case('busy', busy, ports(1))
    yield case('two at once', two({}, {'bus': 'p2'}), ports(2))
    yield case('back to back', back_to_back, ports(1))
    yield case('button', button, ports(1), append='')
    yield case('at boot', at_boot, ports(1) + [
        '-device', 'virtio-blk-pci,drive=n0,id=boot,bus=p1'])
    yield case('pulled', pulled, ports(1), script=CUT_POWER + LISTEN)
    yield case('polled', polled, [], {'addr': '7'}, machine='pc',
               script=QUIET, append='pci.poll=1 acpi=off')
    yield case("the port's driver", flr, ports(1))
