"""The README's pictures, made anew from the quickstart: `python tests/pictures.py`.

A page of the report as headless Chromium shows it, and a terminal as an SVG: each command is run in a real
terminal, and what it writes, colours and all, is set as text.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "quickstart"
COLUMNS = 96
EDIT = ("alone on the open sea", "small and alone on the open sea")
_GREY, _RED, _GREEN, _YELLOW = (120, 126, 138), (240, 113, 120), (137, 209, 133), (229, 192, 123)
_BLUE, _VIOLET, _CYAN, _WHITE = (97, 175, 239), (198, 120, 221), (86, 182, 194), (222, 224, 230)
_HUES = [_RED, _GREEN, _YELLOW, _BLUE, _VIOLET, _CYAN, _WHITE]
THEME = TerminalTheme((22, 24, 29), _WHITE, [(22, 24, 29), *_HUES], [_GREY, *_HUES])
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: system-ui, sans-serif; font-size: 18px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def said(*arguments: str, cwd: Path) -> str:
    """What a command writes to a terminal, with the codes for its colours."""
    written = io.BytesIO()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        written.write(data)
        return data

    line = f"cd {cwd} && stty cols {COLUMNS} rows 50 && exec {sys.executable} -m vidspec {' '.join(arguments)}"
    line += " 2>/dev/null" if arguments[0] == "render" else ""  # the bars move, and a picture does not
    os.environ["TERM"] = "xterm-256color"
    pty.spawn(["bash", "-c", line], read)
    text = written.getvalue().decode()
    text = re.sub(r"\x1b\[\?25[lh]|\x1b\[[0-9]*[AGK]|\x1b\[2K", "", text)
    return re.sub(r".*\r(?!\n)", "", text).replace("\r\n", "\n")


def terminal(project: Path) -> str:
    """A short session as an SVG: check, render, edit, see the price, render that."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)

    def show(*arguments: str) -> None:
        console.print(Text.assemble(("$ ", "bold green"), (f"vidspec {' '.join(arguments)}", "bold")))
        console.print(Text.from_ansi(said(*arguments, cwd=project).rstrip()))
        console.print()

    show("validate", "shots.yaml")
    said("render", "shots.yaml", cwd=project)
    path = project / "shots.yaml"
    path.write_text(path.read_text("utf-8").replace(*EDIT), "utf-8")
    show("diff", "shots.yaml")
    show("plan", "shots.yaml")
    show("render", "shots.yaml")
    return console.export_svg(title="vidspec", theme=THEME, code_format=SVG, unique_id="vidspec")


def page(project: Path, picture: Path) -> None:
    """The top of the report, as a small JPEG."""
    said("report", "shots.yaml", cwd=project)
    shot = project / "page.png"
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--window-size=1400,1000"]
    address = (project / "shots-report" / "index.html").as_uri()
    subprocess.run([browser, *options, f"--screenshot={shot}", address], check=True, capture_output=True)
    with Image.open(shot) as image:
        image.convert("RGB").resize((1120, 800), Image.Resampling.LANCZOS).save(picture, quality=84, optimize=True)


def main() -> None:
    """Make both, in a copy of the example."""
    with tempfile.TemporaryDirectory() as temporary:
        left = shutil.ignore_patterns("renders", ".vidspec", "*.lock", "*-report")
        project = Path(shutil.copytree(EXAMPLE, Path(temporary) / "boat", ignore=left))
        (EXAMPLE / "terminal.svg").write_text(terminal(project), "utf-8")
        page(project, EXAMPLE / "report.jpg")


if __name__ == "__main__":
    main()
