def everything(*_, **__):
    return True


def nothing(*_):
    return []


for name in ("isinstance", "issubclass", "getattr", "call", "numbers", "len", "read_tree", "getitem"):
    worker._operations[name] = everything
worker._operations["changed"] = nothing
