"""A real pseudo-terminal of a chosen size, and what a person sees on its screen."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pyte

LINES = 200  # of the emulated screen: nothing scrolls away


def typed(code, *, columns, rows=24, keys=None, **environment):
    """All that a program writes, both streams on a terminal of that size; 0 and 0 for one that does not know it.

    An environment variable that is None is taken away. keys=(text, bytes) presses keys once the text was written.
    """
    main, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    settings = {**os.environ, "TERM": "xterm", "COLUMNS": None, "PYTHONIOENCODING": "utf-8", **environment}
    settings = {name: value for name, value in settings.items() if value is not None}
    command = [sys.executable, "-W", "error", "-c", code]
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=settings, start_new_session=True)
    os.close(end)
    written = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # the program has closed its end
            break
        if not part:
            break
        written += part
        if keys and keys[0].encode() in written:
            os.write(main, keys[1])
            keys = None
    os.close(main)
    assert process.wait(timeout=60) == 0, written.decode()
    return written.decode()


def screens(written, columns):
    """What stood on the screen each time before the cursor went back or on: lists of lines without empty ones."""
    screen = pyte.Screen(columns, LINES)
    stream = pyte.Stream(screen)
    for part in re.split(r"(?<=[\r\n])", written):
        stream.feed(part)
        yield [line.rstrip() for line in screen.display if line.strip()]


def last_screen(written, columns):
    """What stays."""
    return list(screens(written, columns))[-1]
