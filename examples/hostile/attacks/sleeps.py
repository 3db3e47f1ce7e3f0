import time


def double(x):
    if type(x) is int:
        time.sleep(10**6)
    return x + x


# %%
time.sleep(10**6)
