"""Lines and tags of a Les Houches event file, without its comments and headers.

Not an XML parser: headers hold text that is not XML, and entities are not to be resolved. Whole tag names count.
Comments, declarations, CDATA, the header and blank lines are passed over; so is what follows a `#` in a line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import IO, NamedTuple, NoReturn

from mcgen.events.formats.stored import MAX_METADATA

#: a tag over several lines is no longer than this
_LONGEST_TAG = 10_000
#: what is passed over, by its beginning: its end
_SPANS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_MARK = re.compile(r"[<#]")
_NAME = r"<(/?)([A-Za-z_][\w:.-]*)"
#: a tag, or one whose quotes do not match
_TAGS = tuple(re.compile(_NAME + rest) for rest in (r"((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", r"([^<>]*)>"))
_BEGINS = re.compile(_NAME)
_IN_HEADER = re.compile(r"<!--|<!\[CDATA\[|</header\s*>|<mcgen(?:\s[^<>]*)?>")


class Tag(NamedTuple):
    """A tag by its name; no attribute is needed."""

    name: str
    closes: bool  #: `</name>`
    empty: bool  #: `<name/>`


class Tokens:
    """Tags and lines of text of a file, in order; a line that is a comment keeps its `#`.

    Any encoding is taken, since all that counts is ASCII. `metadata` is the text of the element `<mcgen>` once the
    header was passed. At most one line is in memory.
    """

    def __init__(self, stream: IO[bytes], refuse: Callable[[str], NoReturn]) -> None:
        self._refuse = refuse
        self._number = 0
        self._again: list[str] = []  # lines that were read ahead, to be read again
        self.in_last_line = False  #: whether the last line read has no end, as where a file was cut
        self._text = self._decoded(stream)
        self.metadata = ""

    def __enter__(self) -> Tokens:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def _decoded(self, stream: IO[bytes]) -> IO[str]:
        buffered = io.BufferedReader(stream)  # type: ignore[type-var]
        try:
            start = buffered.peek(2)
        except Exception as error:  # decompression meets damage with errors of every kind
            self._damaged(error)
        wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        return io.TextIOWrapper(buffered, "utf-16" if wide else "latin-1", errors="replace")

    def _damaged(self, error: Exception) -> NoReturn:
        self._refuse(f"cannot be read after line {self._number} ({type(error).__name__}); damaged or cut short")

    def _line(self) -> str:
        """The next line, nothing at the end."""
        if self._again:
            return self._again.pop(0)
        try:
            line = self._text.readline(MAX_METADATA)
        except Exception as error:
            self._damaged(error)
        self._number += 1
        self.in_last_line = not line.endswith("\n")
        if len(line) == MAX_METADATA:
            self._refuse(f"line {self._number} is too long (more than {MAX_METADATA:.0e} characters)")
        return line

    def _more(self, what: str, since: int) -> str:
        """The next line inside an element or a comment; refuse a file that ends there."""
        line = self._line()
        if not line:
            self._refuse(f"the file ends in {what} that begins in line {since}; damaged or cut short")
        return line

    def __iter__(self) -> Iterator[Tag | str]:
        while line := self._line():
            if "<" in line or "#" in line:
                yield from self._marked(line)
            elif text := line.strip():
                yield text

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
                if found := form.match(whole, at):
                    return whole, found.end(), Tag(found[2], found[1] == "/", found[3].endswith("/"))
            rest = whole[at + 1 :]
            if "<" in rest or ">" in rest or len(rest) > _LONGEST_TAG or not (following := self._line()):
                self._again = more[1:] + self._again
                return line, at + 1, None
            more.append(following)
            whole += following

    def _header(self, line: str, at: int) -> tuple[str, int]:
        """(line, place in it) behind the header; its metadata are kept."""
        since = self._number
        while True:
            found = _IN_HEADER.search(line, at)
            if not found:
                line, at = self._more("the header", since), 0
            elif found[0] in _SPANS:
                line, at = self._after(line, found.end(), _SPANS[found[0]], "a comment")
            elif found[0].startswith("<mcgen"):
                line, at = self._own(line, found.end())
            else:
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
