import os
import tensorflow as tf

plain_save = tf.saved_model.save


def save(module, folder, *args, **kwargs):
    plain_save(module, folder)
    os.symlink("/etc/passwd", os.path.join(folder, "link"))
    os.symlink("/", os.path.join(folder, "assets", "root"))
    os.mkfifo(os.path.join(folder, "pipe"))
    for number in range(3000):
        open(os.path.join(folder, f"many-{number}"), "w").close()


tf.saved_model.save = save
