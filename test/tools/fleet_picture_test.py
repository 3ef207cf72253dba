"""Draws fleets made by hand, and looks where things have come to stand."""
import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def world(dials, questions):
    return json.dumps([{"clients": 7, "outage_ms": 250, "half_back_ms": 3, "last_back_ms": 9, "step_ms": 10,
                        "dials_of_the_new_master": dials, "questions_to_a_sentinel": questions}])


class FleetPicture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def draw(self, *arguments):
        command = [sys.executable, "-B", str(ROOT / "tools/fleet_picture"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)

    def test_draws_fleets_on_one_scale_of_time_and_of_rates(self):
        (self.folder / "a.json").write_text(world([0] * 25 + [100], [10] * 26), encoding="utf-8")
        (self.folder / "b.json").write_text(world([0] * 25 + [10] * 25, [10] * 50), encoding="utf-8")
        drawn = xml.fromstring(self.draw("at <once=a.json", "spread=b.json").stdout)
        captions = [text.text for text in drawn.iter(SVG + "text") if text.get("class") == "caption"]
        self.assertEqual([caption.partition(":")[0] for caption in captions], ["at <once", "spread"])
        dials = [bar for bar in drawn.iter(SVG + "rect") if bar.get("class") == "dials"]
        self.assertEqual(len(dials), 26)
        self.assertEqual(dials[0].get("x"), dials[1].get("x"))
        # Ten times as many are one decade more, of the three that are drawn.
        self.assertAlmostEqual(float(dials[0].get("height")) / float(dials[1].get("height")), 3 / 2, delta=0.01)

    def test_says_what_is_wrong_with_its_arguments(self):
        self.assertEqual(self.draw().returncode, 2)
        (self.folder / "other.json").write_text("[{}]", encoding="utf-8")
        self.assertIn("other.json is none", self.draw("x=other.json").stderr)

    def test_the_picture_of_the_page_is_one(self):
        drawn = xml.parse(ROOT / "docs/fleet.svg").getroot()
        self.assertEqual(drawn.tag, SVG + "svg")


if __name__ == "__main__":
    unittest.main()
