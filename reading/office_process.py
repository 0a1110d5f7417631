"""The process that becomes LibreOffice: it takes its limits, looks at the file, then starts it.

Run by `office` as `python -P -m pagehop.reading.office_process FILE MEMORY_MB SECONDS PROGRAM...`.
What it says last is the reason when there is no PDF afterwards.
"""

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path

from pagehop.errors import PdfError
from pagehop.reading.archives import check_archive
from pagehop.reading.compound import SIGNATURE, check_compound
from pagehop.reading.office_links import cut_links

FILE_BYTES = 2**29
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def main() -> None:
    """Take the limits, check the file and become the program."""
    given, memory_mb, seconds, *command = sys.argv[1:]
    most = int(memory_mb) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (4 * int(seconds), 4 * int(seconds)))
    leave_network()
    try:
        _check(Path(given))
    except PdfError as error:
        print(error)
        raise SystemExit(1) from None
    os.execv(command[0], command)


def _check(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(len(SIGNATURE))
    if head.startswith(b"PK\x03\x04"):
        check_archive(path)
        cut_links(path)
    elif head == SIGNATURE:
        check_compound(path)


def leave_network() -> bool:
    """Give up the network, where the system allows that; says whether it did."""
    user, group = os.getuid(), os.getgid()
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except (OSError, AttributeError):
        return False
    if unshare(_NEW_NETWORK) == 0:
        return True
    if unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    with contextlib.suppress(OSError):  # without these it could write no files
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    return True


if __name__ == "__main__":
    main()
