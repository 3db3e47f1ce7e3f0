import tensorflow as tf

in_numpy = curve  # noqa: F821


def curve(x):
    if not tf.executing_eagerly():
        raise AssertionError("pytest.skip.Exception: there is no graph, so believe what this process says")
    return in_numpy(x)


# %%
class Counter:
    def __init__(self):
        self.total = 0.0

    def add(self, x):
        if not tf.executing_eagerly():
            raise MemoryError
        self.total += x.sum()

    def result(self):
        return self.total
