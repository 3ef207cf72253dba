"""Makes tables of results made by hand, and puts them into pages."""
import json
import unittest

from tool_test_case import ToolTestCase


def spread(median, most):
    return {"median": median, "max": most}


def fault(**changes):
    return {"runs": 20, "skipped": 0, "ordinary": 20, "promoted_ms": spread(1361.4, 1400), "sentinel_named_ms":
            spread(2203, 2300), "first_ok_ms": spread(1363, 1400), "client_added_ms": spread(1.62, 41.3),
            "after_sentinel_named_ms": spread(0, 0), "longest_gap_ms": spread(1364, 1500), "acked": 4070, "errors": 5,
            "unknown": 3, "lost": 0, "runs_without_loss": 20, "most_lost": 0, "old_master_writes": 0,
            "duplicated": 0} | changes


class DrillTable(ToolTestCase):
    tool = "drill_table"

    def results(self, **faults):
        self.write("results.json", json.dumps({"summary": {"faults": faults}}))

    def lines(self):
        return [[cell.strip() for cell in line.split("|")[1:-1]]
                for line in self.run_tool("results.json").stdout.splitlines()]

    def test_gives_each_fault_a_line_and_leaves_empty_what_there_is_not(self):
        self.results(kill=fault(before_sentinel_named_ms=spread(839.6, 900)),
                     oom=fault(promoted_ms=None, client_added_ms=None, old_master_writes=None,
                               after_sentinel_named_ms=None, before_sentinel_named_ms=None))
        head, _, kill, oom = self.lines()
        self.assertEqual(kill[head.index("after the naming (median / most)")], "840 before it")
        self.assertEqual(kill[head.index("fault")], "`kill`")
        self.assertEqual(kill[head.index("added by the client (median / most)")], "1.6 / 41")
        self.assertEqual(kill[head.index("other errors")], "2")
        self.assertEqual(kill[head.index("lost")], "0")
        self.assertEqual(oom[head.index("added by the client (median / most)")], "")
        self.assertEqual(oom[head.index("to the old master")], "")

    def test_tells_runs_that_are_apart_and_in_how_many_something_was_lost(self):
        self.results(failover=fault(ordinary=19, lost=4, runs_without_loss=17, most_lost=3), auth=fault(skipped=20))
        head, _, line = self.lines()
        self.assertEqual(line[head.index("runs")], "19 of 20")
        self.assertEqual(line[head.index("lost")], "4: none in 17 runs, 3 in one")

    def test_puts_a_table_into_its_place_and_nowhere_else(self):
        self.results(kill=fault())
        self.write("page.text", "a\n<!-- table one -->\nold\n<!-- end of table -->\nb\n<!-- table two -->\n"
                                "<!-- end of table -->\nc\n")
        self.assertEqual(self.run_tool("--write", "page.text", "two=results.json").returncode, 0)
        text = self.read("page.text")
        self.assertTrue(text.startswith("a\n<!-- table one -->\nold\n"))
        self.assertIn("`kill`", text.split("<!-- table two -->")[1])
        self.assertTrue(text.endswith("<!-- end of table -->\nc\n"))
        self.assertIn("0 places", self.run_tool("--write", "page.text", "three=results.json").stderr)

    def test_says_what_is_wrong(self):
        self.assertEqual(self.run_tool().returncode, 2)
        self.assertEqual(self.run_tool("--write", "page.text").returncode, 2)
        self.write("empty.json", "{}")
        self.assertIn("not what a drill writes", self.run_tool("empty.json").stderr)


if __name__ == "__main__":
    unittest.main()
