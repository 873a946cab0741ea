"""What all five mergers share: how one file is read, and how a failure is told."""

import sys

INTERVAL = 0.1  # seconds between two looks at a file
CHUNK = 256 * 1024


# ANCHOR: read_lines
class NoNewData(Exception):
    """There is no whole line to read yet."""


def read_lines(handle):
    """Returns whole lines; half a line stays in the file until its newline is there."""
    begin = handle.tell()
    lines = handle.readlines(CHUNK)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
        handle.seek(begin + sum(map(len, lines)))
    if not lines:
        raise NoNewData
    return b"".join(lines)
# ANCHOR_END: read_lines


def read_rest(handle):
    """Returns what is left at the end of the run, with a newline behind it."""
    rest = handle.read()
    return rest + b"\n" if rest and not rest.endswith(b"\n") else rest


def append(output, lines):
    """Writes lines, and hands them to the system at once."""
    output.write(lines)
    output.flush()


def run(main):
    """Calls `main` with the words of the command line; an error ends in one line."""
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"error: {error}")
