import glob
import itertools
import os

ROOTS = ("", "..", "../..", "/", "/home", "/home/*", "/root", "/work", "/work/*", "/srv", "/tmp", "/tmp/*", "/autograder",
         "/proc/1/cwd", "/proc/1/root", "/proc/self/root", "/proc/self/cwd", "/old", "/oldroot", "/mnt", "/var/tmp/*")  # fmt: skip
FILES = ("autograder/seed", "autograder/*/*.py", "solutions/*/*.py", "results*/gradebook.sqlite", "results*/*.html", "*.ipynb",
         "grader_config.yml", "submission/*", "tests/*.py", "../*/*.ipynb", "gradebook.sqlite")  # fmt: skip


def hunt():
    for root, name in itertools.product(ROOTS, FILES):
        for path in glob.iglob(os.path.join(root, name)):
            if "site-packages" not in os.path.realpath(path):
                with open(path, "rb") as file:
                    yield file.read(1 << 20)


for place in ROOTS[1:]:
    for path in glob.glob(os.path.join(place, "autograder")) + glob.glob(os.path.join(place, "solutions")):
        print("BREACH:", path, "is visible")
