"""The raw bytes of a call, for the record: what was sent, what came, as blobs by their hash.

Pictures stand in a request as base64, again in each one; they are kept once, as blobs of their own,
and the request names them: `data:image/png;base64,...` becomes `blob:<sha256>`. All else is as it
went over the wire. The recorder strikes secrets out before it writes (headers are not kept at all).
"""

import base64
import hashlib
import re
from typing import Any

from pagehop.models.capture import Captured

_PICTURE = re.compile(rb"data:image/[a-z+.-]+;base64,([A-Za-z0-9+/=]+)")


def told_raw(captured: Captured | None) -> dict[str, Any]:
    """Return what an `llm.end` says of an exchange; nothing where its client lets none be seen."""
    if captured is None or not captured.request:
        return {}
    blobs: dict[str, bytes] = {}

    def named(found: re.Match[bytes]) -> bytes:
        return b"blob:" + _kept(base64.b64decode(found[1]), blobs).encode()

    return {
        "request_blob": _kept(_PICTURE.sub(named, captured.request), blobs),
        "response_blob": _kept(captured.reply, blobs),
        "blobs": blobs,
    }


def _kept(data: bytes, blobs: dict[str, bytes]) -> str:
    digest = hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return digest
