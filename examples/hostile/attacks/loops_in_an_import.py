import sys

with open("endless.py", "w") as file:
    file.write("while True:\n    pass\n")
sys.path.insert(0, "")
import endless
