"""What the tests of tools/ share: a folder of their own, the tool that is run there, and what it finds."""
import importlib.machinery
import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def loaded(name):
    """A program without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "tools" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class ToolTestCase(unittest.TestCase):
    tool = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, path, text=""):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def program(self, path, text="true"):
        file = self.write(path, f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return file

    def read(self, path):
        return (self.folder / path).read_text(encoding="utf-8")

    def run_tool(self, *arguments):
        command = [sys.executable, "-B", ROOT / "tools" / self.tool, *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=self.folder)

    def findings(self, *options):
        """What a checker says of the folder, but for the last line, which is the sum."""
        ran = self.run_tool(*options, self.folder)
        self.assertEqual(ran.stderr, "")
        found = ran.stdout.splitlines()[:-1]
        self.assertEqual(ran.returncode, 1 if found else 0)
        return found

    def finds(self, words, *options):
        """Exactly one finding, which contains these words."""
        found = self.findings(*options)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def finds_in(self, path, text, line, words):
        """With `text` in `path` there is exactly one finding, at that line, and it contains those words."""
        self.write(path, text)
        found = self.findings()
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{line}: "), found)
        self.assertIn(words, found[0])

    def accepts_in(self, path, text):
        self.write(path, text)
        self.assertEqual(self.findings(), [])
