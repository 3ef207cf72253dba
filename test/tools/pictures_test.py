"""Draws drills and fleets made by hand, and looks where things have come to stand."""
import json
import unittest
import xml.etree.ElementTree as xml

from tool_test_case import ROOT, ToolTestCase

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


def world(dials, questions):
    return json.dumps([{"clients": 7, "outage_ms": 250, "half_back_ms": 3, "last_back_ms": 9, "step_ms": 10,
                        "dials_of_the_new_master": dials, "questions_to_a_sentinel": questions}])


class Picture(ToolTestCase):
    def drawn(self, *arguments):
        return xml.fromstring(self.run_tool(*arguments).stdout)

    def captions(self, drawn):
        return [text.text.partition(":")[0] for text in drawn.iter(SVG + "text") if text.get("class") == "caption"]


class DrillPicture(Picture):
    tool = "drill_picture"

    def test_draws_runs_of_different_lengths_on_one_scale_of_time(self):
        self.write("short.html", page(0.9, 500, "back"))
        self.write("long.html", page(0.09, 5000, "back &amp; well"))
        drawn = self.drawn("ours <3=short.html", "theirs=long.html")
        self.assertEqual(self.captions(drawn), ["ours <3", "theirs"])
        marks = [float(line.get("x1")) for group in drawn.iter(SVG + "g") if group.get("class") == "back"
                 for line in group.iter(SVG + "line")]
        zero = 16.0
        self.assertAlmostEqual((marks[1] - zero) / (marks[0] - zero), 10, delta=0.1)

    def test_says_what_is_wrong_with_its_arguments(self):
        self.assertEqual(self.run_tool().returncode, 2)
        self.write("empty.html", "<html></html>")
        self.assertIn("no drawing in empty.html", self.run_tool("x=empty.html").stderr)


class FleetPicture(Picture):
    tool = "fleet_picture"

    def test_draws_fleets_on_one_scale_of_time_and_of_rates(self):
        self.write("a.json", world([0] * 25 + [100], [10] * 26))
        self.write("b.json", world([0] * 25 + [10] * 25, [10] * 50))
        drawn = self.drawn("at <once=a.json", "spread=b.json")
        self.assertEqual(self.captions(drawn), ["at <once", "spread"])
        dials = [bar for bar in drawn.iter(SVG + "rect") if bar.get("class") == "dials"]
        self.assertEqual(len(dials), 26)
        self.assertEqual(dials[0].get("x"), dials[1].get("x"))
        # Ten times as many are one decade more, of the three that are drawn.
        self.assertAlmostEqual(float(dials[0].get("height")) / float(dials[1].get("height")), 3 / 2, delta=0.01)

    def test_says_what_is_wrong_with_its_arguments(self):
        self.assertEqual(self.run_tool().returncode, 2)
        self.write("other.json", "[{}]")
        self.assertIn("other.json is none", self.run_tool("x=other.json").stderr)


class Committed(unittest.TestCase):
    def test_pictures_of_the_pages_are_drawings(self):
        for name in ("drill", "fleet"):
            self.assertEqual(xml.parse(ROOT / f"docs/{name}.svg").getroot().tag, SVG + "svg")


if __name__ == "__main__":
    unittest.main()
