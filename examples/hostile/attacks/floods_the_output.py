import sys

while True:
    print("flood " * 1000)
    sys.stderr.write("flood " * 1000)
