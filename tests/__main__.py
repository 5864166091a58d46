"""Everything that must hold before a change lands: `python -m tests`.

Lint and types on the checkout; then the sdist, a wheel built from that sdist, and the tests against that wheel
with the source tree out of the way. Needs what `requirements.txt` pins, in the environment that runs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BESIDE_THE_TESTS = (
    "tests",
    "examples",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "requirements.txt",
    ".pre-commit-hooks.yaml",
)
"""What the tests may read; neither `vidspec/` nor `schemas/` is among it."""


def step(name: str, *command: str, cwd: Path = ROOT) -> None:
    """Run one check; end everything where it fails."""
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", *command], cwd=cwd, check=False).returncode
    if code:
        sys.exit(f"=== {name} failed with {code}")
    print(f"=== {name}: {time.monotonic() - began:.1f} s", flush=True)


def build(folder: Path) -> Path:
    """Build the sdist, and a wheel from the sdist alone; return the wheel."""
    step("sdist, and the wheel from it", "build", "--no-isolation", "--outdir", str(folder))
    (wheel,) = folder.glob("*.whl")
    return wheel


def main() -> None:
    """Run every check; arguments go to pytest."""
    step("lint", "ruff", "check", ".")
    step("format", "ruff", "format", "--check", ".")
    step("types", "mypy")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheel = build(folder / "dist")
        step("install the wheel", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))
        away = folder / "away"
        away.mkdir()
        for name in BESIDE_THE_TESTS:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, away / name)
        spread = ("-n", "auto", "--dist", "loadfile")
        step("tests against the wheel", "pytest", *spread, *sys.argv[1:], cwd=away)


if __name__ == "__main__":
    main()
