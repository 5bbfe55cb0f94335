"""Lines and tags of a Les Houches event file, without its comments and headers.

Not an XML parser: headers hold text that is not XML, and entities are not to be resolved. Whole tag names count.
Comments, declarations, CDATA, the header and blank lines are passed over; so is what follows a `#` in a line.
"""

from __future__ import annotations

import codecs
import io
import math
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import IO, NamedTuple, NoReturn, Self

import numpy as np

from mcgen.base.errors import InputError
from mcgen.events.formats.lhe_alike import Alike, Pattern, whole_event
from mcgen.events.formats.stored import MAX_METADATA

#: bytes read at once, and characters of text that are kept
_PIECE, _TEXT = 8_192, 500_000

#: a tag over several lines is no longer than this
_LONGEST_TAG = 10_000
#: what is passed over, by its beginning: its end
_SPANS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_MARK = re.compile(r"[<#]")
_NAME = r"<(/?)([A-Za-z_][\w:.-]*)"
#: a tag, or one whose quotes do not match
_TAGS = tuple(re.compile(_NAME + rest) for rest in (r"((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", r"([^<>]*)>"))
_BEGINS = re.compile(_NAME)
_IN_HEADER = re.compile(r"<!--|<!\[CDATA\[|</header\s*>|<mcgen(?:\s[^<>]*)?>|</?initrwgt(?:\s[^<>/]*)?>")
_BLANK_LINES = re.compile(r"(?:[ \t]*+\n)++")
#: Fortran's exponents: 1.0D+02, and 1.0-100 where three digits left no room for the letter
_FORTRAN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[dDqQ]([+-]?\d+)|([+-]\d+))")
#: no number has more characters
_LONGEST_NUMBER = 40


def as_number(cell: str) -> float:
    """A number, also as Fortran writes it; NaN if it is none."""
    fortran = _FORTRAN.fullmatch(cell[:_LONGEST_NUMBER])
    try:
        return math.nan if "_" in cell else float(f"{fortran[1]}E{fortran[2] or fortran[3]}" if fortran else cell)
    except ValueError:
        return math.nan


class Tag(NamedTuple):
    """A tag by its name."""

    name: str
    closes: bool  #: `</name>`
    empty: bool  #: `<name/>`
    attributes: str = ""  #: as they are written


class Tokens:
    """Tags and lines of text of a file, in order; a line that is a comment keeps its `#`.

    Any encoding is taken, since all that counts is ASCII. `metadata` is the text of the element `<mcgen>` once the
    header was passed, `names` that of <initrwgt>. Only some text is in memory, or one line. While `pattern` is there,
    events that fit it come many at a time; it holds between events only.
    """

    def __init__(self, stream: IO[bytes], refuse: Callable[[str], NoReturn]) -> None:
        self._refuse = refuse
        self._number = 0
        self._again: list[str] = []  # lines that were read ahead, to be read again
        self.in_last_line = False  #: whether the last line read has no end, as where a file was cut
        self._stream = io.BufferedReader(stream)  # type: ignore[type-var]
        try:
            start = self._stream.peek(2)
        except Exception as error:  # decompression meets damage with errors of every kind
            self._damaged(error)
        kind = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(kind)("replace"), translate=True)
        self._text, self._at = "", 0
        self._data = np.empty(0, np.uint8)  # the text as bytes
        self._passed = 0  # characters of the text before
        self._end: Exception | bool = False  # the file's, or what came in the way
        self.pattern: Pattern | None = None
        self.metadata = self.names = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def _damaged(self, error: Exception) -> NoReturn:
        if isinstance(error, InputError):  # says itself what is wrong
            raise error
        self._refuse(f"cannot be read after line {self._number} ({type(error).__name__}); damaged or cut short")

    def _read_on(self) -> None:
        """Have more text, without the lines that were read."""
        parts, size = [self._text[self._at :]], 0
        while size < _TEXT and not self._end:
            try:
                piece = self._stream.read1(_PIECE)
            except Exception as error:
                self._end = error
                break
            self._end = not piece
            parts.append(self._decoder.decode(piece, final=not piece))
            size += len(piece)
        self._passed += self._at
        self._text, self._at = "".join(parts), 0
        self._data = np.frombuffer(self._text.encode("latin-1", "replace") + b"\0", np.uint8)

    def _line(self) -> str:
        """The next line, nothing at the end."""
        if self._again:
            return self._again.pop(0)
        while not (end := self._text.find("\n", self._at, self._at + MAX_METADATA) + 1):
            if self._end or len(self._text) - self._at >= MAX_METADATA:
                end = min(len(self._text), self._at + MAX_METADATA)
                break
            self._read_on()
        line = self._text[self._at : end]
        self.in_last_line = not line.endswith("\n")
        if self.in_last_line and isinstance(self._end, Exception):
            self._damaged(self._end)
        self._at = end
        self._number += 1
        if len(line) == MAX_METADATA:
            self._refuse(f"line {self._number} is too long (more than {MAX_METADATA:.0e} characters)")
        return line

    @property
    def place(self) -> int:
        """How many characters of the file were read."""
        return self._passed + self._at

    def whole_event(self) -> str:
        """The event that begins with the next line, as far as it is in memory."""
        if not self._end and len(self._text) - self._at < _TEXT // 2:
            self._read_on()
        return "" if self._again else whole_event(self._text, self._at)

    def _alike(self) -> Iterator[Alike]:
        """Events that begin with the next line and fit the pattern."""
        while self.pattern and not self._again:
            if not self._end and len(self._text) - self._at < _TEXT // 2:
                self._read_on()
            found = self.pattern.events(self._text, self._data, self._at)
            if not len(found.numbers):
                return
            self._number += self._text.count("\n", self._at, int(found.begins[-1]))
            self._at = int(found.begins[-1])
            self.in_last_line = False
            yield found

    def _more(self, what: str, since: int) -> str:
        """The next line inside an element or a comment; refuse a file that ends there."""
        line = self._line()
        if not line:
            self._refuse(f"the file ends in {what} that begins in line {since}; damaged or cut short")
        return line

    def __iter__(self) -> Iterator[Tag | str | Alike]:
        while True:
            yield from self._alike()
            if not (line := self._line()):
                return
            if "<" in line or "#" in line:
                yield from self._marked(line)
            elif text := line.strip():
                yield text
            elif not self._again and (blank := _BLANK_LINES.match(self._text, self._at)):  # all at once
                self._number += blank[0].count("\n")
                self._at = blank.end()

    def _marked(self, line: str) -> Iterator[Tag | str]:
        """What is in a line with tags or comments."""
        text, at = "", 0
        while mark := _MARK.search(line, at):
            text += line[at : mark.start()]
            at = mark.start()
            if mark[0] == "#":
                if at == 0 or not line[:at].strip():
                    text = line[at:]
                line, at = "", 0
                break
            span = next((begin for begin in _SPANS if line.startswith(begin, at)), None)
            if span:
                number = self._number
                line, at = self._after(line, at + len(span), _SPANS[span], "a comment")
                if self._number == number:  # the line goes on
                    text += " "
                    continue
                tag = None
            else:
                line, at, tag = self._tag(line, at)
                if tag is None:  # a < that begins no tag
                    text += "<"
                    continue
            if stripped := text.strip():
                yield stripped
            text = ""
            if tag:
                yield tag
                if tag.name == "header" and not tag.closes and not tag.empty:
                    line, at = self._header(line, at)
        if stripped := (text + line[at:]).strip():
            yield stripped

    def _after(self, line: str, at: int, end: str, what: str) -> tuple[str, int]:
        """(line, place in it) behind the next `end`."""
        since = self._number
        while (found := line.find(end, at)) < 0:
            line, at = self._more(what, since), 0
        return line, found + len(end)

    def _tag(self, line: str, at: int) -> tuple[str, int, Tag | None]:
        """(line, place behind the tag, tag) of the tag that begins at a place; None for a `<` that begins none."""
        if not _BEGINS.match(line, at):
            return line, at + 1, None
        whole, more = line, [""]
        while True:
            for form in _TAGS:
                if found := form.match(whole, at, at + _LONGEST_TAG):
                    return whole, found.end(), Tag(found[2], found[1] == "/", found[3].endswith("/"), found[3].strip())
            ends = any(whole.find(mark, at + 1, at + 1 + _LONGEST_TAG) >= 0 for mark in "<>")
            if ends or len(whole) - at > _LONGEST_TAG or not (following := self._line()):
                self._again = more[1:] + self._again
                return line, at + 1, None
            more.append(following)
            whole += following

    def _header(self, line: str, at: int) -> tuple[str, int]:
        """(line, place in it) behind the header; its metadata and the names of weights are kept."""
        since, in_names, names, size = self._number, False, list[str](), 0
        while True:
            found = _IN_HEADER.search(line, at)
            if in_names:
                names.append(line[at : found.start() if found else None])
                size += len(names[-1])
                if size > MAX_METADATA:
                    self._refuse("its <initrwgt> is too large")
            if not found:
                line, at = self._more("the header", since), 0
            elif found[0] in _SPANS:
                line, at = self._after(line, found.end(), _SPANS[found[0]], "a comment")
            elif found[0].startswith("<mcgen"):
                line, at = self._own(line, found.end())
            elif "initrwgt" in found[0]:
                in_names, at = found[0][1] != "/", found.end()
            else:
                self.names += "".join(names)
                return line, found.end()

    def _own(self, line: str, at: int) -> tuple[str, int]:
        """Keep the metadata of a file of mcgen; return (line, place in it) behind them."""
        since, text = self._number, ""
        while (end := line.find("</mcgen", at)) < 0:
            text += line[at:]
            if len(text) > MAX_METADATA:
                self._refuse("its metadata are too large")
            line, at = self._more("<mcgen>", since), 0
        self.metadata = unescape(text + line[at:end])
        return line, end
