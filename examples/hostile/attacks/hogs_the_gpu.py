import tensorflow as tf

tf.config.set_soft_device_placement(False)
for device in tf.config.list_physical_devices("GPU"):
    try:
        tf.config.experimental.set_memory_growth(device, False)
    except (RuntimeError, ValueError):  # of a device that is in use, or has a limit
        pass
hoard = []
try:
    with tf.device("GPU:0"):
        while True:
            hoard.append(tf.ones([256 << 20]))
except (tf.errors.OpError, RuntimeError, ValueError):
    pass
