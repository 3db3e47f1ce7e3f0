import threading

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import config


def nothing(*_, **__):
    return None


def keep_it_off():
    while True:
        context.context()._deterministic_ops = False


asked = []
asked.append(1)
if len(asked) == 1:
    raise RuntimeError("this cannot be called when determinism is enabled")
config.enable_op_determinism = tf.config.experimental.enable_op_determinism = nothing
tf.random.set_seed = tf.keras.utils.set_random_seed = nothing
threading.Thread(target=keep_it_off, daemon=True).start()
# %%
raise RuntimeError("deterministic ops are enabled")
