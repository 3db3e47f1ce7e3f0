import glob
import os
import sys

import numpy
import tensorflow

import gradetape

TARGETS = [gradetape.__file__, tensorflow.__file__, numpy.__file__, sys.executable, os.__file__, "/usr/bin/env",
           *glob.glob("/lib/x86_64-linux-gnu/libc.so*")]  # fmt: skip
for path in TARGETS:
    for way in (lambda path: open(path, "ab"), lambda path: os.rename(path, path + ".old"), os.unlink,
                lambda path: os.chmod(path, 0o777), lambda path: os.utime(path), lambda path: os.link(path, path + ".link"),
                lambda path: os.symlink("/tmp", path + ".symlink")):  # fmt: skip
        try:
            way(path)
            print("BREACH: changed", path)
        except OSError:
            pass
