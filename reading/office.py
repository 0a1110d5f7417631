"""Office files become PDFs through LibreOffice, where it is installed.

Each file has a process of its own (`office_process.py`) with limits on time, memory and the size of
what it writes, a fresh profile that forbids macros and links, and no network where the system lets
a process give it up. At its end, and at the time limit, all that it started is ended.

Not covered: what a hostile file can make LibreOffice do within these limits.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pagehop.errors import PdfError

TIMEOUT_S = 120.0
MEMORY_MB = 4096
_POLL_S = 0.1
_SAFE = ("DisableMacrosExecution", "BlockUntrustedRefererLinks", "DisableActiveContent")
_PROFILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    '<item oor:path="/org.openoffice.Office.Common/Security/Scripting">'
    + "".join(f'<prop oor:name="{name}" oor:op="fuse"><value>true</value></prop>' for name in _SAFE)
    + "</item></oor:items>\n"
)


def find_soffice() -> str | None:
    """Return the path of LibreOffice; None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def convert_office(
    path: Path,
    suffix: str,
    out: Path,
    *,
    timeout_s: float = TIMEOUT_S,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write the pages of an Office file to `out`.

    Args:
        path: The file.
        suffix: Of its real name, as `.docx`.
        out: The PDF to write.
        timeout_s: Most time it may take.
        check: Called while it runs; what it raises ends the conversion.

    Raises:
        PdfError: LibreOffice is missing, takes too long, or cannot read the file.
    """
    program = find_soffice()
    if program is None:
        raise PdfError(
            "no converter",
            f"{suffix} files are read through LibreOffice, which is not installed here: install "
            "it (Debian, Ubuntu: apt-get install libreoffice-writer-nogui libreoffice-calc-nogui "
            "libreoffice-impress-nogui) and add the file again, or save it as a PDF",
        )
    with tempfile.TemporaryDirectory(prefix="pagehop-office-") as folder:
        home = Path(folder)
        given = home / f"given{suffix}"
        shutil.copyfile(path, given)
        (home / "profile" / "user").mkdir(parents=True)
        (home / "profile" / "user" / "registrymodifications.xcu").write_text(_PROFILE)
        command = [sys.executable, "-P", "-m", "pagehop.reading.office_process", str(given)]
        command += [str(MEMORY_MB), str(int(timeout_s) + 1), program]
        command += ["--headless", "--norestore", "--nolockcheck", "--nodefault"]
        command += [f"-env:UserInstallation={(home / 'profile').as_uri()}"]
        command += ["--convert-to", "pdf", "--outdir", folder, str(given)]
        said = _run(command, home, timeout_s, check)
        made = given.with_suffix(".pdf")
        if not made.exists() or not made.stat().st_size:
            last = (said.strip().splitlines() or ["it wrote no PDF"])[-1]
            reason, _, detail = last.partition(": ")
            if reason in ("too large", "encrypted", "damaged"):
                raise PdfError(reason, detail)  # type: ignore[arg-type]  # one of three literals
            raise PdfError("damaged", f"LibreOffice cannot read it: {last[:200]}")
        shutil.move(made, out)


def _run(command: list[str], home: Path, timeout_s: float, check: Callable[[], None]) -> str:
    """Run to the end and return what was said; the whole group is ended in any case."""
    with (home / "said").open("w+b") as said:
        process = subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home)},
            start_new_session=True,
        )
        end = time.monotonic() + timeout_s
        try:
            while process.poll() is None:
                check()
                if time.monotonic() > end:
                    raise PdfError("timeout", f"LibreOffice was not done in {timeout_s:g} s")
                try:
                    process.wait(_POLL_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            _end_group(process)
        said.seek(0)
        return said.read(2**20).decode(errors="replace")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended, and left nothing behind
    process.wait()
