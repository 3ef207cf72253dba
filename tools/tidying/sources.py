"""The files of a tree, and C++ text without its comments and literals."""
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CPP = {".cpp", ".hpp"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class File:
    def __init__(self, root, path):
        self.path = path  # relative, with slashes
        self.name = path.rsplit("/", 1)[-1]
        self.suffix = Path(path).suffix
        self.is_cpp = self.suffix in CPP
        self.data = (root / path).read_bytes()
        self.is_text = b"\0" not in self.data[:8000]
        self.text = self.data.decode("utf-8", "replace") if self.is_text else ""

    @cached_property
    def lines(self):
        return self.text.splitlines()

    @cached_property
    def code(self):
        """C++ with comments and literals blanked; every line and column stays where it is."""
        return blanked(self.text)

    @cached_property
    def code_lines(self):
        return self.code.splitlines()

    def starts_with(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    def finding(self, line, text):
        return Finding(self.path, line, text)


class Tree:
    def __init__(self, root):
        self.root = Path(root).resolve()
        paths = sorted(path for path in listed(self.root) if (self.root / path).is_file())
        self.files = [File(self.root, path) for path in paths]
        self.paths = {file.path for file in self.files}

    @property
    def cpp(self):
        return [file for file in self.files if file.is_cpp]


def listed(root):
    """What git tracks or would track; in a tree without git, all but what is hidden or built."""
    # A checkout may belong to another user than the one who tests it, as in a container.
    git = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "-c", "-o", "--exclude-standard"],
                         cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if git.returncode == 0:
        return set(git.stdout.decode().split("\0")) - {""}
    paths = (path.relative_to(root) for path in root.rglob("*"))
    return {str(path) for path in paths if not path.parts[0].startswith((".", "build")) and path.suffix != ".pyc"}


TOKEN = re.compile(
    r"""//(?:[^\n\\]|\\.|\\\n)*            # a comment to the end of the line
      | /\*.*?\*/                          # a comment
      | (?:u8|[uUL])?R"(?P<mark>[^()\s\\"]{0,16})\(.*?\)(?P=mark)"    # a raw string
      | (?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"   # a string
      | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'  # a character; 1'000'000 is none
    """, re.VERBOSE | re.DOTALL)


def blanked(text):
    def blank(match):
        found = match.group(0)
        if found.startswith('"') and is_include(text, match.start()):
            return found
        return re.sub(r"[^\n]", " ", found)

    return TOKEN.sub(blank, text)


def is_include(text, at):
    return re.match(r"\s*#\s*include\s*$", text[text.rfind("\n", 0, at) + 1:at]) is not None
