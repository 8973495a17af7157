# SPDX-License-Identifier: ISC
"""monitor.py - QEMU's monitor (QMP), for cases that change the machine."""
import json
import socket
import time

from suite.case import PATIENCE, Failure, deadline

LIMIT = 30              # seconds for one answer


class Monitor:
    """QEMU's monitor: commands, and the events that come in between."""

    def __init__(self, path):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(LIMIT * PATIENCE)
        self.connect(path)
        # Not for both ways: a write would drop the events that were read.
        self.answers = self.link.makefile('rb')
        self.events = []
        self.read()
        self('qmp_capabilities')

    def connect(self, path):
        """QEMU makes the socket, and listens a moment later."""
        end = deadline(LIMIT)
        while True:
            try:
                self.link.connect(path)
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def read(self):
        line = self.answers.readline()
        if not line:
            raise Failure('the monitor has gone')
        return json.loads(line)

    def __call__(self, command, **arguments):
        self.link.sendall(json.dumps({'execute': command, 'arguments':
                                      arguments}).encode() + b'\n')
        while True:
            answer = self.read()
            if 'error' in answer:
                raise Failure('%s: %s' % (command, answer['error']))
            if 'return' in answer:
                return answer['return']
            self.events.append(answer)

    def deleted(self, device):
        """Waits for QEMU's word that the device is no more."""
        end = deadline(LIMIT)
        while time.monotonic() < end:
            for event in self.events:
                if event.get('event') == 'DEVICE_DELETED' and \
                        event['data'].get('device') == device:
                    self.events.remove(event)
                    return
            self.events.append(self.read())
        raise Failure('%s was not ejected' % device)
