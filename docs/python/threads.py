"""Merges logs that grow: a thread a file, and a lock around the output.

python3 threads.py OUTPUT INPUT…, until SIGTERM.
"""

import signal
import threading
import time

from lines import INTERVAL, NoNewData, append, read_lines, read_rest, run


# ANCHOR: tail_file
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
# ANCHOR_END: tail_file


# ANCHOR: run_threads
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
            # A thread has nobody above it: an error that is not kept is gone.
            failures.append(failure)
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
# ANCHOR_END: run_threads


def main(output_path, *input_paths):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb") as output:
        run_threads(handles, stop, output)


if __name__ == "__main__":
    run(main)
