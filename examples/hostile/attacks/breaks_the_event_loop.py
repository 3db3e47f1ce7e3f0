import asyncio
import selectors
import threading

loop = asyncio.get_running_loop()
loop.set_exception_handler(exit)
loop.set_task_factory(lambda *_, **__: None)
loop.call_soon(exit)
loop.call_soon(loop.stop)
asyncio.set_event_loop_policy(None)
asyncio.new_event_loop = asyncio.set_event_loop = asyncio.run = exit
selectors.DefaultSelector.select = lambda *_: []
threading.Thread(target=loop.run_forever, daemon=True).start()
# %%
loop.close()
