"""Links within the site: each leads to a page that is there, and to a place on it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


class _Page(HTMLParser):
    """What a page links to, and the places on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids and addresses."""
        for name, value in attrs:
            if name == "id":
                self.places.add(value or "")
            elif name in ("href", "src") and value:
                self.links.add(value)


def broken(site: Path) -> list[str]:
    """Links of a site in HTML that lead nowhere, each with its page; those to other hosts are not followed."""
    files = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    pages = {path.resolve(): _Page(path) for path in files}
    found = []
    for path, page in pages.items():
        for link in sorted(page.links):
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            place = unquote(target.fragment)
            if not file.is_file() or (place and file in pages and place not in pages[file].places):
                found.append(f"{path.relative_to(site.resolve())}: {link}")
    return found


def _check(app: Sphinx, error: Exception | None) -> None:
    """Warn of each broken link, which -W makes an error."""
    if error is None and app.builder.name == "html":
        for link in broken(Path(app.outdir)):
            logger.warning("link leads nowhere: %s", link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at the site when it is there."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
