import sys
import threading
import traceback


def climbed(frame):
    while frame is not None:
        yield {
            name: value for name, value in {**frame.f_globals, **frame.f_locals}.items() if type(value) in (str, bytes)
        }
        yield frame.f_code.co_consts
        yield frame.f_code.co_filename
        frame = frame.f_back


def hunt():
    yield from climbed(sys._getframe())
    for frame in sys._current_frames().values():
        yield from climbed(frame)
    try:
        raise RuntimeError
    except RuntimeError as error:
        yield from climbed(error.__traceback__.tb_frame)
    yield traceback.format_stack()
    yield [thread.name for thread in threading.enumerate()]


names = [frame.filename for frame in traceback.extract_stack()]
if any("judge" in name or "autograder" in name for name in names):
    print("BREACH: the judge is on the stack")
