"""The lockfile of ten thousand takes: `python tests/benchmarks/lock.py`. Run by hand, nothing asserted.

Reading is held against PyYAML's C loader, writing against its C dumper, on the same text and the same data: the
processor time of one process each, the best of several rounds. The loader is also shown with Python's collector of
circles switched off, which is what costs it most.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidspec.lock import Lock, Record

TAKES = 10_000
ROUNDS = 5

CHILD = """
import gc, json, sys
from time import process_time
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
{before}
gc.collect()
begin = process_time()
{work}
print(json.dumps(process_time() - begin))
"""

OURS = "from vidspec import lock as values, locktext"
EVERY_RECORD = "records = list(lock.items())"
ANEW = f"""
lock = locktext.parse(text, "shots.lock")
{EVERY_RECORD}
lock = values.Lock(dict(records))
"""
THEIRS = "import yaml"
LOAD = "data = yaml.load(text, Loader=yaml.CSafeLoader)"
DUMP = "yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)"


def seconds(path: Path, before: str, work: str) -> float:
    """The least processor time that some work takes, with other work done before the clock is read."""
    code = CHILD.format(before=before, work=work)
    command = [sys.executable, "-c", code, str(path)]
    found = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(ROUNDS)]
    return min(float(json.loads(one)) for one in found)


def digest(of: object) -> str:
    """A digest like any other."""
    return f"sha256:{hashlib.sha256(str(of).encode()).hexdigest()}"


def prompt(number: int) -> str:
    """Some 350 characters; one in four holds what has to be escaped, one in ten is Chinese."""
    if number % 10 == 3:
        return f"夜里的渡轮驶离码头，雨水打在甲板上，镜头缓慢推进，第{number}号镜头。" * 4
    lines = "a ferryman in a yellow oilskin casts off from the wooden pier at dusk, ropes wet on the planks, gulls "
    spoken = 'he says: "the light is gone",\n' if number % 4 == 0 else "nobody speaks, "
    rest = (
        "over the masts, 35mm, slow push in, lanterns swinging in the wind, a long reflection on black water, steam"
    )
    return f"shot {number}: {lines}{spoken}{rest} from the funnel, the far shore already lost, fine grain, {number}"


def record(number: int, edition: int = 0) -> Record:
    """One take as a provider leaves it."""
    from vidspec.lock import Cost, Output, Record

    request: dict[str, Any] = {
        "mode": "text_to_video",
        "prompt": prompt(number + edition),
        "negative_prompt": "text, watermark, logo, low contrast",
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "size": "1280x720",
        "duration": 5,
        "fps": 16,
    }
    frames = None
    if number % 5 == 1:
        source = {
            "slate": f"s{number - 1:05}-t01",
            "at": "last",
            "of": digest(number - 1),
            "sha256": digest(-number),
        }
        request |= {"mode": "image_to_video", "first_frame": digest(-number), "camera": ["push in", "tilt up"]}
        frames = {"first_frame": source}
    if number % 5 == 2:
        request["options"] = {"personGeneration": "allow_adult", "steps": 30}
    return Record(
        shot=f"s{number:05}",
        take=1,
        provider="siliconflow",
        model="Wan-AI/Wan2.2-T2V-A14B",
        fingerprint=digest((number, edition)),
        request=request,
        defaulted=("resolution", "aspect_ratio", "duration", "fps"),
        seed=number * 7919,
        seed_rule="auto",
        seed_used=number * 7919,
        frames=frames,
        vars={"weather": "rain"} if number % 10 == 0 else None,
        request_id=digest(number)[7:27],
        trace_id=f"ti_{digest(number)[30:54]}",
        output=Output(
            path=f"renders/s{number:05}/s{number:05}-t01.mp4",
            sha256=digest(("clip", number, edition)),
            bytes=1_000_000 + number,
            width=1280,
            height=720,
            fps=16.0,
            duration=5.0,
            audio=False,
        ),
        rendered_at="2026-11-20T10:00:00Z",
        cost=Cost(amount=2.0, currency="cny", basis="unsure"),
    )


def realistic() -> Lock:
    """A lock in which one take in ten was rendered twice."""
    from vidspec.lock import Lock

    lock = Lock()
    for number in range(TAKES):
        made = record(number)
        lock.put(f"s{number:05}-t01", made.superseding(record(number, 1)) if number % 10 == 7 else made)
    return lock


def main() -> None:
    """Measure and print."""
    from vidspec import locktext

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shots.lock")
        path.write_text(locktext.dump(realistic()), encoding="utf-8")
        print(f"{TAKES} takes, {path.stat().st_size / 1e6:.1f} MB, {path.read_text('utf-8').count(chr(10))} lines")
        parse = 'lock = locktext.parse(text, "shots.lock")'
        load = seconds(path, THEIRS, LOAD)
        calm = seconds(path, f"{THEIRS}; gc.disable()", LOAD)
        every = seconds(path, OURS, f"{parse}\n{EVERY_RECORD}")
        alone = seconds(path, OURS, parse)
        by_hand = seconds(path, f'{OURS}\ntext = "# by hand\\n" + text', f"{parse}\n{EVERY_RECORD}")
        theirs = seconds(path, f"{THEIRS}\n{LOAD}", DUMP)
        dump = seconds(path, f"{OURS}\n{ANEW}", "locktext.dump(lock)")
        again = seconds(path, f"{OURS}\n{parse}", "locktext.dump(lock)")
    rows = [
        ("yaml.load with CSafeLoader", load, None, ""),
        ("the same, without the collector", calm, None, ""),
        ("parse, and make every record", every, load, f"target 0.33; {every / calm:.3f} without the collector"),
        ("parse", alone, load, ""),
        ("the same, of a file touched by hand", by_hand, load, ""),
        ("yaml.dump with CSafeDumper", theirs, None, ""),
        ("dump of new records", dump, theirs, "target 0.100"),
        ("dump of what was read", again, theirs, ""),
    ]
    for name, one, other, note in rows:
        ratio = f"{one / other:6.3f} of theirs" if other else ""
        print(f"{name:36} {one:7.3f} s  {ratio}  {note}".rstrip())


if __name__ == "__main__":
    main()
