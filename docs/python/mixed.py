"""Merges logs that grow: async at the top, and the threads' tail below it.

python3 mixed.py OUTPUT INPUT…, until SIGTERM.

Nobody asked how many threads the loop's pool has: a few more than the machine has
cores. Each tail keeps one until the stop, so the next file waits for ever.
"""

import asyncio
import signal
import threading

from lines import INTERVAL, NoNewData, append, read_lines, read_rest, run


def tail_file(handle, stop, write):
    """Follows one file. The stop is asked before the look, so that look is the last."""
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        try:
            while True:
                write(read_lines(handle))
        except NoNewData:
            stop.wait(INTERVAL)
    write(read_rest(handle))


# ANCHOR: run_tasks_mixed
async def run_tasks_mixed(handles, stop, output):
    """Sends each tail to the pool. The loop writes: what runs on it takes turns."""
    loop = asyncio.get_running_loop()

    async def write_async(lines):
        append(output, lines)

    def write(lines):
        asyncio.run_coroutine_threadsafe(write_async(lines), loop).result()

    def tail(handle):
        try:
            tail_file(handle, stop, write)
        except OSError:
            stop.set()
            raise

    tails = [loop.run_in_executor(None, tail, handle) for handle in handles]
    ended = await asyncio.gather(*tails, return_exceptions=True)
    for failure in filter(None, ended):
        raise failure
# ANCHOR_END: run_tasks_mixed


async def merge(output_path, input_paths):
    stop = threading.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb") as output:
        await run_tasks_mixed(handles, stop, output)


def main(output_path, *input_paths):
    asyncio.run(merge(output_path, input_paths))


if __name__ == "__main__":
    run(main)
