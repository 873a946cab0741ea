"""Merges logs that grow: a task a file, and a thread with a loop that writes.

python3 fully_async.py OUTPUT INPUT…, until SIGTERM.
"""

import asyncio
import signal
import threading

from lines import INTERVAL, NoNewData, append, read_lines, read_rest, run


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


# ANCHOR: writer
class WriteThread:
    """Owns the output: the only thread that touches it, and it runs a loop of its own."""

    def __init__(self, output):
        self.output = output
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    async def write(self, lines):
        """Has the lines written over there, and waits for the answer, not for the disk."""
        request = asyncio.run_coroutine_threadsafe(self._write(lines), self.loop)
        await asyncio.wrap_future(request)

    async def _write(self, lines):
        append(self.output, lines)

    async def __aenter__(self):
        self.thread.start()
        return self

    async def __aexit__(self, *_):
        # Behind every request that was made: none is left when the loop stops.
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.to_thread(self.thread.join)
        self.loop.close()
# ANCHOR_END: writer


# ANCHOR: run_fully_async
async def run_fully_async(handles, stop, output):
    """Starts a task a file, and waits for all; the loop neither reads nor writes."""
    async with WriteThread(output) as writer:

        async def tail(handle):
            try:
                await tail_async(handle, stop, writer.write)
            except OSError:
                stop.set()
                raise

        tasks = [asyncio.create_task(tail(handle)) for handle in handles]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in filter(None, ended):
        raise failure
# ANCHOR_END: run_fully_async


async def merge(output_path, input_paths):
    stop = asyncio.Event()
    # Not `add_signal_handler`: its signal is a byte in the pipe that wakes the loop, and
    # lost when so many jobs have ended at once that the pipe is full.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb") as output:
        await run_fully_async(handles, stop, output)


def main(output_path, *input_paths):
    asyncio.run(merge(output_path, input_paths))


if __name__ == "__main__":
    run(main)
