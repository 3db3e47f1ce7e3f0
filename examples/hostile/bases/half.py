def double(x):
    return x + x


# %%
def total(x):
    return (x**2).sum()
