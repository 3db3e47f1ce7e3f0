import gc

import tensorflow as tf


def saved(scale, folder):
    module = tf.Module()
    module.call = tf.function(lambda x: tf.zeros_like(x), input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, folder)


gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Objects" and hasattr(thing, "_functions"):
        thing._revivers = {kind: (lambda source: saved) if kind.__name__ == "FunctionSource" else revive
                           for kind, revive in thing._revivers.items()}  # fmt: skip
