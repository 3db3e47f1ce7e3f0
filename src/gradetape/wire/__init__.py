"""What both sides of the process boundary share: the codec, the channels, and the messages."""
