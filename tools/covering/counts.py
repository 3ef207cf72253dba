"""What gcov counted: for each line of the layers' files, whether any test ran it."""
import json
import os
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tidying.layers import layer_of

LAYERS = ["core", "resp", "policy", "link", "commands", "config", "view", "topology", "lane", "engine"]


class Counted:
    """The lines of one file that hold code, and where its functions are."""

    def __init__(self, text):
        self.text = [line.strip() for line in text.splitlines()]
        self.runs = defaultdict(int)  # line -> how often; of a template or an inline function: all copies together
        self.functions = {}  # first line -> last line

    def count(self, line, runs):
        # What gcov counts on a lone brace is the way out of a function, and often only that of an exception.
        if self.text[line - 1] not in ("}", "};"):
            self.runs[line] += runs

    def uncovered(self):
        return sorted(line for line, runs in self.runs.items() if runs == 0)


def read(root, build):
    """path -> Counted, of all that was compiled from `root` into `build`."""
    notes = [note for note in sorted(build.rglob("*.gcno")) if compiled_from(root, build, note)]
    files = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for report in pool.map(gcov, notes):
            for told in report:
                add(root, files, told)
    return files


def compiled_from(root, build, note):
    """Whether that source still exists: what was built of one that is gone stays in the build folder."""
    name = str(note.relative_to(build)).split(".dir/", 1)
    below = name[0].split("/")[:-2]  # CMakeFiles/TARGET
    source = name[1].removesuffix(".gcno") if len(name) == 2 else ""
    return (root / "/".join(below) / source.replace("__/", "../")).is_file()


def gcov(note):
    """A note without counts (what is in a library and was linked into no test) tells lines that ran zero times."""
    ran = subprocess.run(["gcov", "--json-format", "--stdout", str(note)], cwd=note.parent, stdin=subprocess.DEVNULL,
                         capture_output=True, check=False)
    if ran.returncode != 0 or not ran.stdout.strip():
        raise SystemExit(f"coverage: gcov cannot read {note}:\n{ran.stderr.decode(errors='replace')}")
    reports = [json.loads(line) for line in ran.stdout.splitlines() if line.strip()]
    return [dict(file, folder=report["current_working_directory"]) for report in reports for file in report["files"]]


def add(root, files, told):
    path = os.path.normpath(os.path.join(told["folder"], told["file"]))
    if not path.startswith(f"{root}/"):
        return
    path = str(Path(path).relative_to(root))
    if layer_of(path) not in LAYERS:
        return
    if path not in files:
        files[path] = Counted((root / path).read_text(encoding="utf-8"))
    for line in told["lines"]:
        files[path].count(line["line_number"], line["count"])
    for function in told["functions"]:
        first = function["start_line"]
        files[path].functions[first] = max(function["end_line"], files[path].functions.get(first, 0))


def table(files):
    """[layer, lines, covered], the last row being the total."""
    rows = []
    for layer in LAYERS:
        counted = [file for path, file in files.items() if layer_of(path) == layer]
        lines = sum(len(file.runs) for file in counted)
        rows.append([layer, lines, lines - sum(len(file.uncovered()) for file in counted)])
    return rows + [["total", sum(row[1] for row in rows), sum(row[2] for row in rows)]]
