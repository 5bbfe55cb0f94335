"""A command beside the figure that it draws: `mcgen ... --plot NAME.png` is run when the site is built."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx

import mcgen


@functools.cache
def program_digest() -> str:
    """Digest of all sources of the program: figures of an older one are made again."""
    folder = Path(mcgen.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".pyc", ".nbi", ".nbc"})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


#: a file that a page shows, by its first line
_FILE = re.compile(r"^```(?:toml|csv|json)\n(?:#|//) ([\w.-]+\.\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def outcome(commands: str, built: Path, page: str = "") -> Path:
    """Folder with what some lines of commands leave, kept beside the site; RuntimeError with their words if one fails.

    Parameters
    ----------
    commands : str
        Lines such as `mcgen reach fermilab --plot reach.png`; they run one after the other in one empty folder.
    built : path
        Folder of the site.
    page : str
        Text with files that the commands read.
    """
    files = dict(_FILE.findall(page))
    name = hashlib.sha256(f"{program_digest()}\n{commands}\n{files}".encode()).hexdigest()[:16]
    kept = built.parent / "outcomes" / name
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        for file, text in files.items():
            (work / file).write_text(text, encoding="utf-8")
        for line in commands.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "mcgen", f"not a command of mcgen: {line}"
            run = subprocess.run(
                [sys.executable, "-m", "mcgen", *arguments], cwd=work, capture_output=True, text=True, check=False,
                env=os.environ | {"COLUMNS": "110"},
            )  # fmt: skip
            if run.returncode:
                message = f"{line}\n{run.stderr}"
                raise RuntimeError(message)
        try:
            work.rename(kept)
        except OSError:  # another process of sphinx-build -j was first
            if not kept.exists():
                raise
    return kept


class Picture(Directive):
    """`{picture} NAME.png`: commands, and the figure that they leave; the option alt says what it shows.

    With the option bare the commands are not shown, as the page has them already.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "alt": directives.unchanged_required, "width": directives.unchanged, "bare": directives.flag
    }  # fmt: skip

    def run(self) -> list[nodes.Node]:
        """Run the commands; the figure stands above them."""
        environment = self.state.document.settings.env
        commands = "\n".join(self.content)
        try:
            page = Path(environment.doc2path(environment.docname)).read_text(encoding="utf-8")
            made = outcome(commands, Path(environment.app.outdir), page) / self.arguments[0]
        except RuntimeError as error:
            raise self.error(str(error)) from error
        if not made.exists():
            message = f"{commands}: leaves no {self.arguments[0]}"
            raise self.error(message)
        here = os.path.relpath(made, Path(environment.doc2path(environment.docname)).parent)
        image = nodes.image(uri=here, alt=self.options["alt"], width=self.options.get("width", "100%"))
        if "bare" in self.options:
            return [image]
        typed = "\n".join(f"$ {line}" for line in self.content)
        code = nodes.literal_block(typed, typed, language="console")
        return [image, code]


def setup(app: Sphinx) -> dict[str, bool]:
    """Name the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
