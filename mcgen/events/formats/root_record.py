"""The metadata of a ROOT file without the rest of it: 30 times as fast as opening all of it.

So a production of a hundred thousand files is looked through in seconds. What is not laid out as expected here, such as
files larger than 2 GB, is left to uproot.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

#: names, sizes and places as the format of ROOT lays them out; those of keys are wider from version 1000 on
_HEADER, _FOLDER = struct.Struct(">4siii12xi"), struct.Struct(">hIIiiiii")
_KEY, _WIDE_KEY = struct.Struct(">ihiIhhii"), struct.Struct(">ihiIhhqq")
_WIDE, _WIDE_FILE = 1000, 1_000_000
#: bytes of the header, and most of a list of keys or of a record
_HEAD, _MOST = 1024, 1 << 20
#: keys of a file of events, with room for more
_KEYS = 16


def record(path: Path, name: str) -> bytes | None:
    """A string in a ROOT file as it lies there, perhaps compressed.

    Parameters
    ----------
    path : Path
    name : str
        Its key.

    Returns
    -------
    bytes or None
        Key and content, of a file that ends where its header says; None if uproot must look.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        head = os.pread(handle, _HEAD, 0)
        magic, version, begin, end, named = _HEADER.unpack_from(head)
        if magic != b"root" or version >= _WIDE_FILE or os.fstat(handle).st_size != end:
            return None
        kind, _, _, size, _, _, _, at = _FOLDER.unpack_from(head, begin + named)
        if kind > _WIDE or not 0 < size < _MOST:
            return None
        listed = os.pread(handle, size, at)
        place = _KEY.unpack_from(listed)[4]
        count = struct.unpack_from(">i", listed, place)[0]
        place += 4
        for _ in range(min(count, _KEYS)):
            layout = _WIDE_KEY if struct.unpack_from(">h", listed, place + 4)[0] > _WIDE else _KEY
            length, _, _, _, of_key, _, seek, _ = layout.unpack_from(listed, place)
            text = place + layout.size
            text += 1 + listed[text]  # behind the name of the class
            if listed[text + 1 : text + 1 + listed[text]] == name.encode():
                found = os.pread(handle, length, seek) if 0 < length < _MOST else b""
                return found if found and len(found) == length else None
            place += of_key
    except (struct.error, IndexError):
        pass
    finally:
        os.close(handle)
    return None


def text_of(found: bytes) -> str | None:
    """The text of a record; None if uproot must look."""
    from uproot.compression import LZ4

    try:
        _, _, size, _, of_key, _, _, _ = _KEY.unpack_from(found)
        body = found[of_key:]
        if len(body) != size:
            if not 0 < size < _MOST or body[:2] != b"L4" or int.from_bytes(body[3:6], "little") + 9 != len(body):
                return None
            body = bytes(LZ4(1).decompress(body[17:], size))
        # byte count and version, those of TObject, and the length of the text, a long one after a byte of 255
        start = 21 if body[16] == 255 else 17
        return body[start:].decode()
    except Exception:  # damage that uproot meets, errors of many kinds
        return None
