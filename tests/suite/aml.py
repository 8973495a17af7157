# SPDX-License-Identifier: ISC
"""aml.py - ACPI tables for tests: byte code written as nested calls.

ACPI 6.4, 5.2.6 (headers) and 20.2 (the grammar); only what tests need.
"""
import struct


def table(signature, body, revision=2):
    """A table with its header, as QEMU's -acpitable file= takes it."""
    head = struct.pack('<4sIBB6s8sI4sI', signature, 36 + len(body), revision,
                       0, b'TEST', b'TEST', 1, b'TEST', 1)
    data = bytearray(head + body)
    data[9] = -sum(data) & 0xff
    return bytes(data)


def package_length(n):
    """The bytes that say how long a thing is, themselves included."""
    if n + 1 < 0x40:
        return bytes([n + 1])
    for extra in (1, 2, 3):
        total = n + 1 + extra
        if total < 1 << (4 + 8 * extra):
            rest = total >> 4
            return bytes([extra << 6 | (total & 15)]) + bytes(
                rest >> 8 * i & 0xff for i in range(extra))
    raise ValueError('too long')


def name(text):
    """A path: segments of up to four characters, with dots in between."""
    root = b'\\' if text.startswith('\\') else b''
    parts = [p.ljust(4, '_').encode() for p in text.lstrip('\\').split('.')]
    if len(parts) == 1:
        return root + parts[0]
    if len(parts) == 2:
        return root + b'\x2e' + b''.join(parts)
    return root + b'\x2f' + bytes([len(parts)]) + b''.join(parts)


def number(n):
    if n < 0x100:
        return b'\x0a' + bytes([n])
    if n < 0x10000:
        return b'\x0b' + struct.pack('<H', n)
    if n < 1 << 32:
        return b'\x0c' + struct.pack('<I', n)
    return b'\x0e' + struct.pack('<Q', n)


def sized(op, body):
    return op + package_length(len(body)) + body


def scope(path, *body):
    return sized(b'\x10', name(path) + b''.join(body))


def device(path, *body):
    return sized(b'\x5b\x82', name(path) + b''.join(body))


def named(path, value):
    return b'\x08' + name(path) + value


def method(path, *body, args=0):
    return sized(b'\x14', name(path) + bytes([args]) + b''.join(body))


def region(path, space, start, length):
    return b'\x5b\x80' + name(path) + bytes([space]) + start + length


def bits_length(bits):
    """A field's width, in the same code, but itself not counted."""
    return bytes([bits]) if bits < 0x40 else bytes([0x40 | bits & 15,
                                                    bits >> 4])


def field(of, path, bits):
    """One field from the region's beginning, its access as wide as it is."""
    access = {8: 1, 16: 2, 32: 3}[bits]
    return sized(b'\x5b\x81', name(of) + bytes([access]) + name(path) +
                 bits_length(bits))


def store(value, path):
    return b'\x70' + value + name(path)


def forever(*body):
    return sized(b'\xa2', b'\x01' + b''.join(body))


def notify(path, value):
    return b'\x86' + name(path) + number(value)


def returns(value):
    return b'\xa4' + value


LOCAL0 = b'\x60'
