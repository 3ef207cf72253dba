"""Bugs in a copy of the sources, and the simulated worlds that it takes to catch them."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def copy_sources(to):
    listed = run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], cwd=ROOT)
    for name in listed.splitlines():
        if not (ROOT / name).is_file():
            continue
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)


def configure(copy, build):
    run(["cmake", "-S", copy, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DHOLDFAST_WERROR=OFF"])


def worlds_until_caught(build, most, faults=()):
    """The world that fails (0: none does), what is broken in it, and how to run it again. A bug that ends the program,
    or keeps a world from ending, is caught too."""
    run(["cmake", "--build", build, "--target", "until_failure"])
    try:
        done = subprocess.run([build / "test/sim/until_failure", str(most), *faults], capture_output=True, text=True,
                              timeout=max(600, most / 2), check=False)
    except subprocess.TimeoutExpired:
        return 1, "a world does not end", ""
    if done.returncode > 0:
        sys.exit(f"until_failure {' '.join(faults)}: {done.stderr or done.stdout}")
    if done.returncode < 0:  # by a signal
        said = done.stderr.strip().splitlines() or [f"signal {-done.returncode}"]
        return 1, "the program ended: " + said[-1], ""
    count, what, again = done.stdout.strip("\n").split("\t")
    return int(count), what, again


def changed(folder, places):
    """The files as they would be with the bug in them."""
    texts = {}
    for file, there, instead in places:
        path = folder / file
        text = texts.get(path) or path.read_text()
        if text.count(there) != 1:
            sys.exit(f"{file} has {text.count(there)} times what a bug replaces\n{there}")
        texts[path] = text.replace(there, instead, 1)
    return texts


def planted(copy, places):
    """Returns what was there before."""
    texts = changed(copy, places)
    before = {path: path.read_text() for path in texts}
    for path, text in texts.items():
        path.write_text(text)
    return before


def shown(what):
    """What was broken, without the numbers of that world."""
    what = re.sub(r" (number|client|host) \d+", r" \1 N", what)
    what = re.sub(r"\b\d+(th time| times| ms)", r"N\1", what).replace("|", "/")
    return what if len(what) < 110 else what[:107] + "..."
