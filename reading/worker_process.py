"""A process that works on untrusted files, seen from the parent: messages, deadlines, its end.

Messages are msgpack over a socket, never pickle. Before each page the process writes the page's
number into the position file: when it hangs or dies, that is the page at fault.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import ormsgpack

from pagehop.errors import ConfigError, PdfReason

START_TIMEOUT_S = 60.0


class Died(Exception):
    """A worker hung or ended; `page` is 0 when it was opening the file."""

    def __init__(self, reason: PdfReason, page: int, detail: str) -> None:
        super().__init__(detail)
        self.reason: PdfReason = reason
        self.page = page
        self.detail = detail


class WorkerProcess:
    """One process and the socket to it."""

    def __init__(self, module: str, arguments: Sequence[str], *, timeout_s: float) -> None:
        """Start it.

        Args:
            module: Run as a program, with the socket and the position file before `arguments`.
            arguments: The rest of its command line.
            timeout_s: A request with no sign of life for this long is overdue.
        """
        ours, theirs = socket.socketpair()
        self.timeout_s = timeout_s
        self.ready = False
        self._module = module
        self._position = tempfile.TemporaryFile()
        self._errors = tempfile.TemporaryFile()
        fds = theirs.fileno(), self._position.fileno()
        command = [sys.executable, "-P", "-m", module, *map(str, fds), *arguments]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
                start_new_session=True,
            )
        self.link = Connection(ours.detach())
        self.deadline = time.monotonic() + START_TIMEOUT_S

    def send(self, op: str, **request: object) -> None:
        """Give it a request; the deadline starts when it is ready."""
        message = {"op": op, "alarm_s": int(3 * self.timeout_s) + 5, **request}
        os.pwrite(self._position.fileno(), bytes(4), 0)
        if self.ready:
            self.deadline = time.monotonic() + self.timeout_s
        try:
            self.link.send_bytes(ormsgpack.packb(message))
        except OSError as error:
            raise self._died() from error

    def receive(self) -> dict[str, Any] | None:
        """Read one message; None for a sign of life only.

        Raises:
            Died: The process ended.
        """
        try:
            message: dict[str, Any] = ormsgpack.unpackb(self.link.recv_bytes())
        except (EOFError, OSError, ValueError) as error:
            raise self._died() from error
        self.deadline = time.monotonic() + self.timeout_s
        self.ready = True
        return message if message["kind"] not in ("ready", "alive") else None

    def is_alive(self) -> bool:
        """Whether it can take a request; an idle worker may have been killed by the system."""
        return self._process.poll() is None

    def overdue(self) -> Died:
        """Kill it and say at which page it hung."""
        page = self._page()
        self.kill()
        return Died("timeout", page, f"no page in {self.timeout_s:g} s")

    def _died(self) -> Died:
        page = self._page()
        code = self.kill(wait_s=2)
        self._errors.seek(0)
        said = self._errors.read()[-400:].decode(errors="replace").strip()
        if not self.ready:
            why = said or f"exit code {code}"
            raise ConfigError(f"the worker {self._module} does not start: {why}")
        name = signal.Signals(-code).name if -65 < code < 0 else f"exit code {code}"
        why = f": {said.splitlines()[-1]}" if said else ""
        return Died("crashed", page, f"the engine ended with {name}{why}")

    def _page(self) -> int:
        data = os.pread(self._position.fileno(), 4, 0)
        return int(struct.unpack("<I", data)[0]) if len(data) == 4 else 0

    def kill(self, wait_s: float = 0) -> int:
        """End the process; returns its exit code."""
        try:
            code = self._process.wait(wait_s) if wait_s else self._process.poll()
        except subprocess.TimeoutExpired:
            code = None
        if code is None:
            self._process.kill()
            code = self._process.wait()
        self.link.close()
        return code

    def close(self) -> None:
        """End the process and let go of its files."""
        self.kill()
        self._position.close()
        self._errors.close()
