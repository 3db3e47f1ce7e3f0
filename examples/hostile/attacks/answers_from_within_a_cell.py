channel = worker._channel
cell = {"error": "", "copied": "", "output": ""}
number = frame.f_locals["sequence"]
channel.send([number, "ok", cell])
while True:
    number, operation, arguments, _ = channel.receive()
    if operation == "cell":
        reply = cell
    elif operation == "output":
        reply = ""
    else:
        reply = [] if operation == "changed" else True
    channel.send([number, "ok", reply])
