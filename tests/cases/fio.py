# SPDX-License-Identifier: ISC
"""fio.py - Debian's fio writes, reads and checks disks, with eight threads, by
its engines, on every way to a disk; then the host's fio checks the file."""
import subprocess

from cases.disk import MIB
from suite.case import Failure
from suite.machine import program

FIO = '/usr/bin/fio'
BUSYBOX = '/bin/busybox'

JOB = '''[global]
direct=1
thread
bsrange=4k-64k
verify=crc32c
size=1m
offset_increment=2m
numjobs=8
group_reporting
iodepth=8
[w]
rw=randwrite
'''

# Name, engine, processors, options of `remora run`, words of --disk.
WAYS = (
    ('mmio', 'libaio', 1, [], ''),
    ('mmio, 2 processors', 'psync', 2, [], ''),
    ('mmio, 8 processors', 'libaio', 8, [], ''),
    ('mmio legacy, 2 processors', 'libaio', 2, [], ',transport=legacy'),
    ('pc, 2 processors', 'libaio', 2, ['--machine', 'pc'], ''),
    ('pc legacy, 8 processors', 'psync', 8, ['--machine', 'pc'],
     ',transport=legacy'),
    ('q35', 'sync', 1, ['--machine', 'q35'], ''),
    ('q35 modern, 2 processors', 'libaio', 2, ['--machine', 'q35'],
     ',transport=modern'),
)


def verified(context, _):
    """The host finds what the machine wrote."""
    done = subprocess.run(
        [FIO, context.path('job'), '--filename=' + context.path('disk'),
         '--direct=0', '--ioengine=psync', '--verify_only=1', '--output=' +
         context.path('fio.out')], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, cwd=context.folder)
    if done.returncode != 0:
        raise Failure('on the host: ' + done.stdout.decode())


def blank(context, size=16 * MIB):
    path = context.path('disk')
    with open(path, 'wb') as f:
        f.truncate(size)
    return path


def way(name, engine, cpus, options, words):
    def all_options(context):
        context.write('job', JOB.encode())
        return ['--memory', '512M', '--cpus', str(cpus), *options, '--disk',
                blank(context) + words, '--add',
                context.path('job') + ':/job']
    return program(name, [FIO, '/job', '--filename=/dev/vda',
                          '--ioengine=' + engine], all_options, limit=90,
                   needs=[FIO], has=[r'err= 0', r'READ: .*', r'WRITE: .*'],
                   lacks=[r'verify:.*failed'], check=verified)


# Takes the disk away while eight threads write to it, three times.
PULL = '''
place=$(dirname /sys/bus/pci/devices/*/virtio*/block/vda/../..)
place=${place%/virtio*}
for round in 1 2 3; do
    before=$(awk '$3 == "vda" { print $8 }' /proc/diskstats)
    /usr/bin/fio /job --filename=/dev/vda --ioengine=ENGINE --verify=0 \\
        --rw=randrw --time_based --runtime=60 >/out 2>&1 &
    while [ $(awk '$3 == "vda" { print $8 }' /proc/diskstats) -lt \\
        $((before + 200)) ]; do :; done
    echo 1 >$place/remove
    wait $!
    grep -o 'err= [0-9]*' /out; grep -o 'error=Input/output error' /out | uniq
    ls /dev/vda /sys/block; cat /proc/sys/fs/aio-nr
    echo 1 >/sys/bus/pci/rescan
done
exec /usr/bin/fio /job --filename=/dev/vda --ioengine=ENGINE
'''


def pulled(engine, cpus):
    def options(context):
        context.write('job', JOB.encode())
        return ['--memory', '512M', '--cpus', str(cpus), '--machine', 'pc',
                '--disk', blank(context), '--add', context.path('job') +
                ':/job', '--add', FIO]
    return program('pulled/%s, %d processors' % (engine, cpus), [
        BUSYBOX, 'sh', '-c', PULL.replace('ENGINE', engine)], options,
                   limit=120, needs=[FIO, BUSYBOX], check=verified,
                   has=[r"(?s)(err= 5\nerror=Input/output error\n.*"
                        r"/dev/vda: No such file.*0\n){3}.*err= 0"])


def cases(_):
    for words in WAYS:
        yield way(*words)
    yield pulled('psync', 1)
    yield pulled('libaio', 2)
