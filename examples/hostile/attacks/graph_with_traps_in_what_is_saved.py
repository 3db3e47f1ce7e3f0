import time

import tensorflow as tf


class Trap(tf.Module):
    def __call__(self, x):
        return x * (x + 3)

    def _trackable_children(self, *_, **__):
        time.sleep(1000)

    def _serialize_to_tensors(self):
        raise SystemExit

    _export_to_saved_model_graph = _lookup_dependency = _trackable_children


curve = Trap()


# %%
class Counter:
    def __init__(self):
        self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, 0.0)
        self.trap = Trap()

    def add(self, x):
        self.table.insert(tf.constant(["total"]), self.table.lookup(tf.constant(["total"])) + tf.reduce_sum(x))
        self.trap.total = tf.Variable(0.0) if False else 0.0

    def result(self):
        exit()
