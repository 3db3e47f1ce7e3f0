import tensorflow as tf

SECRET = "CANARY"


def twice(text):
    """Return a text two times in a row."""
    return tf.strings.join([text, text])
