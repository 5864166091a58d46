"""A project on disk, the command line called in this process, and a clip to hand out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from vidspec import cli
from vidspec.media import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TINY = "{provider: animatic, size: 64x36, duration: 0.2, fps: 10}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, which the command runs in; the terminal's and the user's settings left out."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "film"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def shots(project: Path) -> Callable[..., Path]:
    """Writes a list of tiny drawn shots: the entries, and what stands above them."""

    def write(entries: str, head: str = "", *, name: str = "shots.yaml", defaults: str = TINY) -> Path:
        text = f"vidspec: 1\n{dedent(head)}defaults: {defaults}\nshots:\n{indent(dedent(entries), '  ')}\n"
        path = project / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def vidspec(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Calls the command line in this process."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["vidspec", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, out, err)

    return call


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    """The bytes of a clip of two frames, 64x36, 0.2 seconds; another number gives another clip."""
    made: dict[int, bytes] = {}

    def give(number: int) -> bytes:
        if number not in made:
            path = tmp_path_factory.mktemp("clip") / "clip.mp4"
            with Encoder(path, width=64, height=36, rate=Fraction(10)) as encoder:
                for frame in range(2):
                    encoder.write(Image.new("RGB", (64, 36), (50 * number % 256, 40 + 80 * frame, number)))
            made[number] = path.read_bytes()
        return made[number]

    return give


# --- an ordinary user --------------------------------------------------------------------------------------


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A project that an ordinary user may read, and not write in; that user is who runs the commands."""
    folder = Path(tempfile.mkdtemp(prefix="vidspec-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


LIST = "vidspec: 1\ndefaults: {provider: animatic, size: 64x36, duration: 0.2, fps: 10}\nshots:\n"
AS_NOBODY = """
import os, sys, tempfile
from vidspec import cli
def call(*arguments):
    sys.argv = ["vidspec", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code
folder, *arguments = sys.argv[1:]
if os.getuid() == 0:
    # An interpreter may stand where only root can read, so all of it is loaded before root is given up.
    with tempfile.TemporaryDirectory() as rehearsal:
        from PIL import Image
        Image.new("RGB", (64, 36)).save(f"{rehearsal}/a.png")
        with open(f"{rehearsal}/a.yaml", "w") as file:
            file.write(LIST + "  - {id: a, prompt: x, first_frame: a.png}\\n")
        for command in ("validate", "plan", "status", "render"):
            call(command, f"{rehearsal}/a.yaml", "--quiet" if command in ("validate", "render") else "--json")
        call("init", f"{rehearsal}/new", "--quiet")
        call("init", f"{rehearsal}/a.yaml")
        call("validate", f"{rehearsal}/gone.yaml")
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
os.chdir(folder)
for stream in (sys.stdout, sys.stderr):
    print("<<<", file=stream, flush=True)
sys.exit(call(*arguments))
"""


@pytest.fixture
def as_user(foreign: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in the folder of `foreign`, as nobody where we are root."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = AS_NOBODY.replace("LIST", repr(LIST))
        command = [sys.executable, "-c", script, str(foreign), *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        out, err = (said.partition("<<<\n")[2] for said in (ended.stdout, ended.stderr))
        return subprocess.CompletedProcess(arguments, ended.returncode, out, err)

    return call
