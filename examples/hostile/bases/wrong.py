def double(x):
    return None


# %%
class Scale:
    def __init__(self, factor):
        pass

    def __call__(self, x):
        return x


# %%
def total(x):
    return -1.0
