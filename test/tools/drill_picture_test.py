"""Draws pages made by hand, and looks where things have come to stand."""
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def page(per_ms, last_ms, last_text):
    """A drawing that begins at the fault, as the drill's page has it."""
    at = last_ms * per_ms
    return ('<html><svg viewBox="0 0 900 160" role="img">\n<rect class="ground" width="900" height="46"/>\n'
            f'<rect class="ok" x="{at:.1f}" y="6.0" width="3.00" height="40.0"/>\n'
            '<g class="fault"><line x1="0.0" x2="0.0" y1="0" y2="62.0"/><text x="5.0" y="62.0" text-anchor="start">'
            '0.0 ms: the fault: kill</text></g>\n'
            f'<g class="back"><line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="78.0"/><text x="5" y="78.0" '
            f'text-anchor="start">{last_ms:.1f} ms: {last_text}</text></g>\n</svg></html>\n')


class DrillPicture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def draw(self, *arguments):
        command = [sys.executable, "-B", str(ROOT / "tools/drill_picture"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)

    def test_draws_runs_of_different_lengths_on_one_scale_of_time(self):
        (self.folder / "short.html").write_text(page(0.9, 500, "back"), encoding="utf-8")
        (self.folder / "long.html").write_text(page(0.09, 5000, "back &amp; well"), encoding="utf-8")
        drawn = xml.fromstring(self.draw("ours <3=short.html", "theirs=long.html").stdout)
        captions = [text.text for text in drawn.iter(SVG + "text") if text.get("class") == "caption"]
        self.assertEqual(captions, ["ours <3", "theirs"])
        marks = [float(line.get("x1")) for group in drawn.iter(SVG + "g") if group.get("class") == "back"
                 for line in group.iter(SVG + "line")]
        zero = 16.0
        self.assertAlmostEqual((marks[1] - zero) / (marks[0] - zero), 10, delta=0.1)

    def test_says_what_is_wrong_with_its_arguments(self):
        self.assertEqual(self.draw().returncode, 2)
        (self.folder / "empty.html").write_text("<html></html>", encoding="utf-8")
        self.assertIn("no drawing in empty.html", self.draw("x=empty.html").stderr)

    def test_the_picture_of_the_readme_is_one(self):
        drawn = xml.parse(ROOT / "docs/drill.svg").getroot()
        self.assertEqual(drawn.tag, SVG + "svg")


if __name__ == "__main__":
    unittest.main()
