import zlib

NAMES = ("q01_double::hidden::test_any_number", "q03_total::public::test_three_and_four")
received = []


def before(crc, data):
    """The CRC before these bytes: it is linear."""
    table = []
    for first in range(256):
        value = first
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    top, crc = {value >> 24: place for place, value in enumerate(table)}, crc ^ 0xFFFFFFFF
    for byte in reversed(data):
        place = top[crc >> 24]
        crc = ((crc ^ table[place]) << 8 | (place ^ byte)) & 0xFFFFFFFF
    return crc ^ 0xFFFFFFFF


def told():
    """What the numbers that seed this process say about the secret seed and about the checks to come."""
    secrets = {before(number, b"q01_double::public::test_two") for number in received}
    guesses = [zlib.crc32(name.encode(), secret) for secret in secrets for name in NAMES]
    return "BREACH: the secret seed gives the numbers to come" if set(guesses) & set(received) else ""


operations = worker._operations
seed = operations["seed"]
operations["seed"] = lambda number, *more: (received.append(number), seed(number, *more))[1]


def total(x):
    if len(x) == 2 and told():
        raise ValueError(told())
    return (x**2).sum()
