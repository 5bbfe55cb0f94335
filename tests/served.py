"""A page that is served by a program of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from urllib.parse import urlsplit

#: longest time that anything of a page may take
SECONDS = 180.0


@contextlib.contextmanager
def served(*arguments, cwd=None):
    """A page in a program of its own: the program and its address."""
    command = [sys.executable, "-m", "mcgen", "explore", *arguments, "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd) as program:
        watch = threading.Timer(SECONDS, program.kill)
        watch.start()
        try:
            yield program, urlsplit(program.stdout.readline().strip())
        finally:
            watch.cancel()
            program.kill()
