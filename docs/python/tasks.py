"""Merges logs that grow: a task a file, and no lock: one loop does all the writing.

python3 tasks.py OUTPUT INPUT…, until SIGTERM.
"""

import asyncio
import signal

from lines import INTERVAL, NoNewData, append, read_lines, read_rest, run


# ANCHOR: tail_async
async def tail_async(handle, stop, write):
    """Follows one file. Only a look takes a thread of the pool, and gives it back."""
    loop = asyncio.get_running_loop()
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        try:
            while True:
                await write(await loop.run_in_executor(None, read_lines, handle))
        except NoNewData:
            await asyncio.sleep(INTERVAL)
    await write(await loop.run_in_executor(None, read_rest, handle))
# ANCHOR_END: tail_async


# ANCHOR: run_tasks
async def run_tasks(handles, stop, output):
    """Starts a task a file, and waits for all. A write that blocks, blocks them all."""

    async def write_async(lines):
        append(output, lines)

    async def tail(handle):
        try:
            await tail_async(handle, stop, write_async)
        except OSError:
            stop.set()
            raise

    tasks = [asyncio.create_task(tail(handle)) for handle in handles]
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in filter(None, ended):
        raise failure
# ANCHOR_END: run_tasks


async def merge(output_path, input_paths):
    stop = asyncio.Event()
    # Not `add_signal_handler`: its signal is a byte in the pipe that wakes the loop, and
    # lost when so many jobs have ended at once that the pipe is full.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb") as output:
        await run_tasks(handles, stop, output)


def main(output_path, *input_paths):
    asyncio.run(merge(output_path, input_paths))


if __name__ == "__main__":
    run(main)
