"""Merges logs that grow: the threads' merger, whose tail is async by now.

python3 wrapper.py OUTPUT INPUT…, until SIGTERM.

A step and no merger to keep: nothing above the tail has changed, and each thread has a
loop, which takes three descriptors besides its file.
"""

import asyncio
import signal
import threading
import time

from lines import INTERVAL, NoNewData, append, read_lines, read_rest, run


# ANCHOR: tail_file
async def tail_async(handle, stop, write):
    """Follows one file. It reads on the loop, on which nobody else waits."""
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        try:
            while True:
                await write(read_lines(handle))
        except NoNewData:
            await asyncio.sleep(INTERVAL)
    await write(read_rest(handle))


def tail_file(handle, stop, write):
    """What was here before, for callers that are not async: a loop for this call alone."""

    async def write_async(lines):
        write(lines)

    asyncio.run(tail_async(handle, stop, write_async))
# ANCHOR_END: tail_file


def run_threads(handles, stop, output):
    """Starts a thread a file, and joins them all."""
    lock = threading.Lock()
    failures = []

    def write(lines):
        with lock:
            append(output, lines)

    def tail(handle):
        try:
            tail_file(handle, stop, write)
        except OSError as failure:
            # A thread has nobody above it: an error that is not kept is gone. Its
            # traceback would keep a loop that was never whole, which complains at the end.
            failures.append(failure.with_traceback(None))
            stop.set()

    threads = [threading.Thread(target=tail, args=(handle,)) for handle in handles]
    for thread in threads:
        thread.start()
    # A handler of a signal runs in this thread, and only while this thread runs.
    while not stop.is_set():
        time.sleep(INTERVAL)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def main(output_path, *input_paths):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb") as output:
        run_threads(handles, stop, output)


if __name__ == "__main__":
    run(main)
