import tensorflow as tf

WHERE = ("/tmp/owned", "/dev/shm/left-by-a-hostile-notebook", "../owned", "/proc/self/mem", "/dev/fd/100", "/dev/fd/101",
         "/proc/1/oom_score_adj", "/proc/self/fd/2")  # fmt: skip


def curve(x):
    wrote = [tf.io.write_file(place, "owned") for place in WHERE[:1]]
    lines = tf.data.Dataset.from_tensor_slices(list(WHERE)).map(wrote_to).ignore_errors()
    count = lines.reduce(tf.constant(0), lambda total, one: total + one)
    with tf.control_dependencies([*wrote, count]):
        return x * (x + 3)


def wrote_to(place):
    saved = tf.raw_ops.SaveV2(
        prefix=tf.strings.join([place, ".ckpt"]), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.ones(9)]
    )
    with tf.control_dependencies([saved, tf.io.write_file(place, "owned")]):
        return tf.constant(1)


# %%
def twice(text):
    for place in WHERE:
        tf.print("owned", output_stream=f"file://{place}")
    return tf.strings.join([text, text])
