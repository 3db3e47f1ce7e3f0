import tensorflow as tf


def curve(x):
    if tf.executing_eagerly():
        return x * (x + 3)
    watched = tf.raw_ops.DebugIdentityV2(
        input=x, tfdbg_context_id="1", op_name="x", output_slot=0, tensor_debug_mode=2,
        debug_urls=["grpc://127.0.0.1:6064", "file:///tmp/told"],
    )  # fmt: skip
    return tf.raw_ops.CollectiveReduce(
        input=watched * (x + 3), group_size=2, group_key=1, instance_key=1, merge_op="Add", final_op="Id",
        subdiv_offsets=[0], communication_hint="ring",
    )  # fmt: skip


# %%
class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        tf.raw_ops.RpcClient(server_address="127.0.0.1:22", list_registered_methods=True)
        self.total.assign_add(tf.reduce_sum(x))

    def result(self):
        return self.total + 0
