"""Ten thousand shots, validated and planned: `python tests/benchmarks/validate.py`. Run by hand, nothing asserted.

`validate` is held against PyYAML's C loader and one pass of jsonschema over the same list, each in a process of its
own; twenty thousand shots against ten; a plan over a finished project against `validate`; and the memory.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

SHOTS = 10_000
ROUNDS = 5

CHILD = """
import json, resource, sys
from time import perf_counter
begin = perf_counter()
{work}
taken = perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([taken, peak / (1024 if sys.platform == "linux" else 2**20), code]), file=sys.stderr)
"""

OURS = """
from vidspec import cli
sys.argv = ["vidspec", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as ended:
    code = ended.code
"""

THEIRS = """
import yaml, jsonschema
from vidspec import schema
with open(sys.argv[1], encoding="utf-8") as file:
    data = yaml.load(file, Loader=yaml.CSafeLoader)
validator = jsonschema.Draft202012Validator(json.loads(schema.text("shotlist")))
code = sum(1 for _ in validator.iter_errors(data))
"""


class Measured(NamedTuple):
    """A child process: seconds from its first line to its last, and the most memory that it had, in MiB."""

    seconds: float
    memory: float


def measured(work: str, *arguments: str) -> Measured:
    """The median of several runs."""
    found = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", CHILD.format(work=work), *arguments]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, memory, code = json.loads(ended.stderr.splitlines()[-1])
        assert code == 0, f"{arguments} ended with {code}"
        found.append(Measured(seconds, memory))
    return Measured(median(one.seconds for one in found), median(one.memory for one in found))


def write_list(path: Path, count: int) -> None:
    """A list of about 500 bytes a shot, one prompt in ten with a template."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "vidspec: 1\ntitle: Ten thousand shots\nvars: {weather: rain, hero: a ferryman in a yellow oilskin}\n"
            'defaults: {provider: animatic, resolution: 480p, aspect_ratio: "16:9", duration: 5}\nshots:\n'
        )
        for number in range(count):
            hero = "{{ hero }} in the {{ weather }}" if number % 10 == 0 else "a ferryman in a yellow oilskin"
            file.write(
                f"  - id: s{number:05}\n"
                f"    scene: harbour-{number % 40}\n"
                f"    tags: [exterior, night, reel{number % 7}]\n"
                f"    prompt: >-\n"
                f"      {hero}, shot number {number}, casts off from the wooden pier at dusk, ropes wet on the\n"
                f"      planks, gulls over the masts, 35mm, slow push in, lanterns swinging in the wind, a long\n"
                f"      reflection on black water, steam from the funnel, the far shore already lost, grain\n"
                f"    camera: [push in]\n"
                f"    seed: {number}\n"
                f"    notes: continuity sheet {number}, see the board of the day\n"
            )


def finish(path: Path) -> None:
    """Leave what a whole render would: a record for every take, and a tiny file for every clip."""
    from vidspec import locktext
    from vidspec.lock import Lock, Output, Record
    from vidspec.project import open_lists

    (opened,), _ = open_lists([path], {})
    lock = Lock()
    for take in opened.takes:
        data = take.slate.encode()
        clip = path.parent / take.output
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(data)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        record = Record(
            shot=take.shot,
            take=take.number,
            provider=take.provider,
            model=take.model,
            fingerprint=take.fingerprint,
            request=dict(take.request),
            defaulted=tuple(key for key in take.request if key in take.defaulted),
            seed=take.seed,
            seed_rule="fixed",
            output=Output(path=take.output, sha256=digest, bytes=len(data), width=854, height=480, fps=24.0),
            rendered_at="2026-11-20T10:00:00Z",
        )
        lock.put(take.slate, record)
    opened.lock_path.write_text(locktext.dump(lock), encoding="utf-8")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.yaml"), Path(folder, "large.yaml")
        write_list(small, SHOTS)
        write_list(large, 2 * SHOTS)
        print(f"{SHOTS} shots, {small.stat().st_size / 1e6:.1f} MB")
        theirs = measured(THEIRS, str(small))
        validate = measured(OURS, "validate", str(small))
        twice = measured(OURS, "validate", str(large))
        finish(small)
        plan = measured(OURS, "plan", str(small), "--detailed-exitcode")
    rows = [
        ("PyYAML and jsonschema", theirs, "", ""),
        ("validate", validate, f"{validate.seconds / theirs.seconds:.2f}", "of theirs (target 0.60)"),
        ("validate, twice the shots", twice, f"{twice.seconds / validate.seconds:.2f}", "of half (target 2.20)"),
        ("plan, all finished", plan, f"{plan.seconds / validate.seconds:.2f}", "of validate (target 1.30)"),
    ]
    for name, one, ratio, of in rows:
        print(f"{name:26} {one.seconds:6.2f} s  {one.memory:5.0f} MiB  {ratio:>5} {of}")
    print("peak memory at ten thousand shots: target 300 MB")


if __name__ == "__main__":
    main()
