"""Philox4x32-10 in NumPy, and the numbers that ops make of it.

Element i of a tensor has the counter (i, offset), 64 bits each, and the key is
the seed.
"""

import numpy as np

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
# Published with the algorithm: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0),
     (0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)),
    ((0xffffffff,) * 4, (0xffffffff,) * 2,
     (0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)),
    ((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
     (0xa4093822, 0x299f31d0),
     (0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)),
]
# Bits of precision.
BITS = {"f64": 53, "f32": 24, "f16": 11, "bf16": 8}


def words(counter, key):
    """`counter` and `key`: arrays or numbers of 32 bits each."""
    low = np.uint64(0xffffffff)
    c = [np.asarray(x, np.uint64) for x in counter]
    k = [np.asarray(x, np.uint64) for x in key]
    for _ in range(10):
        first = c[0] * np.uint64(MULTIPLIERS[0])
        second = c[2] * np.uint64(MULTIPLIERS[1])
        c = [second >> np.uint64(32) ^ c[1] ^ k[0], second & low,
             first >> np.uint64(32) ^ c[3] ^ k[1], first & low]
        k = [x + np.uint64(w) & low for x, w in zip(k, WEYL)]
    return c


def halves(number):
    number = np.asarray(number).astype(np.uint64)
    return number & np.uint64(0xffffffff), number >> np.uint64(32)


def draw(shape, seed, offset, first=0):
    count = int(np.prod(shape, dtype=np.int64))
    index = np.arange(first, first + count, dtype=np.uint64)
    counter = halves(index) + halves(np.int64(offset))
    return [w.reshape(shape) for w in words(counter, halves(np.int64(seed)))]


def uniform(drawn, dtype, pair=0):
    bits = BITS[dtype]
    high, low = drawn[2 * pair], drawn[2 * pair + 1]
    if bits > 32:
        integer = (high << np.uint64(32) | low) >> np.uint64(64 - bits)
    else:
        integer = high >> np.uint64(32 - bits)
    return integer.astype(np.float64) * 2.0 ** -bits


def normal(drawn, dtype):
    """f16 and bf16 are rounded from f32."""
    wide = "f64" if dtype == "f64" else "f32"
    radius = uniform(drawn, wide) + 2.0 ** -BITS[wide]
    angle = 2 * np.pi * uniform(drawn, wide, 1)
    return np.sqrt(-2 * np.log(radius)) * np.cos(angle)
