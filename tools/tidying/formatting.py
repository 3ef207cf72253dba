"""clang-format, as .clang-format says; two at a time, beside the other checks."""
import os
import re
import shutil
import subprocess

from tidying.sources import Finding

TOOL = "clang-format-19"  # pinned: another version formats otherwise


def start(tree):
    """Starts the work; what is returned are functions that wait for it and give the findings."""
    files = sorted(tree.cpp, key=lambda file: -len(file.data))
    if not files:
        return []
    if shutil.which(TOOL) is None:
        return [lambda: [Finding(".clang-format", 1, f"{TOOL} is not installed: tools/setup installs it")]]
    count = min(os.cpu_count() or 1, len(files))
    return [batch(tree.root, [file.path for file in files[first::count]]) for first in range(count)]


def batch(root, paths):
    process = subprocess.Popen([TOOL, "--dry-run", "-Werror", "--style=file", "--ferror-limit=1", *paths], cwd=root,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def findings():
        told = process.communicate()[1]
        found = {}
        for path, line in re.findall(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", told, re.MULTILINE):
            found.setdefault(path, int(line))
        if process.returncode and not found:
            return [Finding(".clang-format", 1, f"{TOOL} failed: {told.strip()[:200]}")]
        return [Finding(path, line, f"not formatted: run `{TOOL} -i {path}`, or `make format`")
                for path, line in found.items()]

    return findings
