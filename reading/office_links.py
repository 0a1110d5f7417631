"""Takes the links out of an Office file before LibreOffice sees it.

LibreOffice shows a linked picture of the disk in slides even where its profile forbids links, so
whatever an ODF or OOXML file points to outside itself is pointed to nothing. Hyperlinks go, too.

Not covered: links in the old binary formats and in RTF; there only LibreOffice's profile holds. It
did so for linked pictures in .doc and .ppt, which LibreOffice showed without it.
"""

import re
import shutil
import zipfile
from pathlib import Path

from pagehop.errors import PdfError

_HREF = re.compile(rb"""(\bhref\s*=\s*)("[^"]*"|'[^']*')""")
_INSIDE = re.compile(rb"#?(?:\./)?(?!\.\.)[\w .%/#-]*")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_TARGET = re.compile(rb"""(\bTarget\s*=\s*)("[^"]*"|'[^']*')""")
_NOWHERE = rb'\1"about:blank"'


def cut_links(path: Path) -> None:
    """Rewrite a ZIP file of which `check_archive` approved, without its links.

    Raises:
        PdfError: A part of it is written so that links in it could hide.
    """
    made = path.with_suffix(".cut")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if not part.filename.lower().endswith((".xml", ".rels", ".rdf", ".vml")):
                with old.open(part) as given, new.open(part, "w") as copy:
                    shutil.copyfileobj(given, copy)
                continue
            content = old.read(part)
            if b"\0" in content or b"<!ENTITY" in content:
                raise PdfError("damaged", f"its part {part.filename} is no plain XML")
            if part.filename.lower().endswith(".rels"):
                content = _RELATION.sub(_cut_relation, content)
            new.writestr(part, _HREF.sub(_cut_href, content))
    made.replace(path)


def _cut_relation(tag: re.Match[bytes]) -> bytes:
    target = _TARGET.search(tag[0])
    if target and (b"TargetMode" in tag[0] or b":" in target[2] or b"&" in target[2]):
        return _TARGET.sub(_NOWHERE, tag[0])
    return tag[0]


def _cut_href(link: re.Match[bytes]) -> bytes:
    value = link[2][1:-1]
    inside = _INSIDE.fullmatch(value) and not value.startswith(b"/") and b".." not in value
    return link[0] if inside else link[1] + b'""'
