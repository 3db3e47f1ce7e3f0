import asyncio

loop = asyncio.get_running_loop()


def again():
    loop.call_soon(again)


async def forever():
    while True:
        pass


loop.call_soon(again)
task = loop.create_task(forever())
