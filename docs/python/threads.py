"""Merges logs that grow: a thread a file, and a lock around the output.

python3 threads.py OUTPUT INPUT…, until SIGTERM.
"""

import signal
import sys
import threading

INTERVAL = 0.1


class NoNewData(Exception):
    """There is no whole line to read yet."""


def read_lines(handle):
    """Returns the whole lines that are there; a half line stays in the file."""
    begin = handle.tell()
    lines = handle.readlines(256 * 1024)
    if lines and not lines[-1].endswith(b"\n"):
        handle.seek(begin + sum(map(len, lines[:-1])))
        lines.pop()
    if not lines:
        raise NoNewData
    return b"".join(lines)


def tail_file(handle, stop, write):
    """Follows one file. The stop is asked before the look, so none comes after it."""
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        try:
            while True:
                write(read_lines(handle))
        except NoNewData:
            stop.wait(INTERVAL)
    if half := handle.read():
        write(half + b"\n")


def run_threads(handles, stop, output):
    """Starts a thread a file, and returns when all of them have ended."""
    lock = threading.Lock()
    failed = []

    def write(lines):
        with lock:
            output.write(lines)

    def tail(handle):
        try:
            tail_file(handle, stop, write)
        except OSError as error:
            failed.append(error)
            stop.set()

    threads = [threading.Thread(target=tail, args=(handle,)) for handle in handles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def main(output_path, *input_paths):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    handles = [open(path, "rb") for path in input_paths]
    with open(output_path, "wb", buffering=0) as output:
        run_threads(handles, stop, output)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"error: {error}")
