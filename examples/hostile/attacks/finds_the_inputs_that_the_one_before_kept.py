text = kept()
print("kept:", text)
if text.startswith(b"bait-"):
    print("BREACH: the submission before has left", text)
