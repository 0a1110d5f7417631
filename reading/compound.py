"""Old Office files (.doc, .xls, .ppt): whether they are whole, unlocked and of a known program.

They are compound files (MS-CFB): sectors, a table of which sector follows which, and a directory of
named streams. LibreOffice shows a sheet that is cut short as pages of its bytes, and fails without
a reason at one with a password (MS-DOC 2.5.1, MS-XLS 2.4.117, MS-PPT 2.3.2).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from pagehop.errors import PdfError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FREE = 0xFFFFFFFF
_LAST = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""
_ENTRY_BYTES = 128
_SMALL = 4096
"""Streams of fewer bytes lie in small sectors, inside the stream of the root."""
_KINDS = ("WordDocument", "Workbook", "Book", "PowerPoint Document")
_LOCKED_SHEET = 0x2F
_LOCKED_SLIDES = 0xF3D1C4DF


def check_compound(path: Path) -> None:
    """Refuse an old Office file that is damaged or has a password.

    Raises:
        PdfError: It is one of these.
    """
    content = path.read_bytes()
    try:
        streams = dict(_Sectors(content).streams())
    except (struct.error, IndexError, ValueError):
        raise PdfError("damaged", "its parts cannot be listed; it may be cut short") from None
    if "EncryptedPackage" in streams or any(_is_locked(*stream) for stream in streams.items()):
        raise PdfError("encrypted", "it needs a password; save it without one")
    if not any(kind in streams for kind in _KINDS):
        raise PdfError("damaged", "it holds no text, sheet or slides of an Office program")


class _Sectors:
    """A compound file, read as far as the beginnings of its streams."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, small_shift = struct.unpack_from("<HH", content, 30)
        if not (7 <= shift <= 16 and 4 <= small_shift < shift):
            raise ValueError("no sizes of sectors")
        self._size, self._small_size = 1 << shift, 1 << small_shift
        self._next: list[int] = []
        for sector in self._table_sectors():
            self._next += struct.unpack(f"<{self._size // 4}I", self._sector(sector))
        used = max((i for i, after in enumerate(self._next) if after != _FREE), default=0)
        if (used + 1) * self._size >= len(content):
            raise ValueError("sectors are missing")

    def streams(self) -> Iterator[tuple[str, bytes]]:
        """Give the names of the streams, and the bytes that each begins with."""
        (first,) = struct.unpack_from("<I", self._content, 48)
        directory = b"".join(map(self._sector, self._chain(first)))
        small: list[int] = []
        for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            length, kind = struct.unpack_from("<HB", directory, at + 64)
            start, size = struct.unpack_from("<II", directory, at + 116)
            if kind == 5 and size:
                small = list(self._chain(start))
            if kind == 2:
                name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le")
                yield name, self._beginning(start, size, small)

    def _beginning(self, start: int, size: int, small: list[int]) -> bytes:
        if not size:
            return b""
        if size >= _SMALL:
            return self._sector(start)
        at = start * self._small_size
        sector = self._sector(small[at // self._size])
        return sector[at % self._size :][: min(size, self._small_size)]

    def _table_sectors(self) -> Iterator[int]:
        """Give the sectors of the table: 109 stand in the head, others in sectors of their own."""
        count, *_ = struct.unpack_from("<I", self._content, 44)
        more, rest = struct.unpack_from("<II", self._content, 68)
        listed = list(struct.unpack_from("<109I", self._content, 76))
        for _ in range(min(rest, len(self._content) // self._size)):
            *part, more = struct.unpack(f"<{self._size // 4}I", self._sector(more))
            listed += part
        found = [sector for sector in listed if sector < _LAST]
        if len(found) < count:
            raise ValueError("parts of the table are missing")
        yield from found[:count]

    def _chain(self, sector: int) -> Iterator[int]:
        seen: set[int] = set()
        while sector < _LAST and sector not in seen:
            seen.add(sector)
            yield sector
            sector = self._next[sector]

    def _sector(self, sector: int) -> bytes:
        at = (sector + 1) * self._size
        found = self._content[at : at + self._size]
        if not found:
            raise ValueError("a sector is missing")
        return found.ljust(self._size, b"\0")


def _is_locked(name: str, head: bytes) -> bool:
    if name == "WordDocument":
        return len(head) > 11 and bool(head[11] & 1)
    if name in ("Workbook", "Book"):
        return _LOCKED_SHEET in _records(head)
    if name == "Current User":
        return len(head) >= 16 and struct.unpack_from("<I", head, 12)[0] == _LOCKED_SLIDES
    return False


def _records(head: bytes) -> Iterator[int]:
    """Give the kinds of the records that a sheet begins with."""
    at = 0
    while at + 4 <= len(head):
        kind, length = struct.unpack_from("<HH", head, at)
        yield kind
        at += 4 + length
