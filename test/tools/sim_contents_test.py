"""Counts traces made by hand, and those of a simulator that is none."""
import unittest

from tool_test_case import ToolTestCase

TRACE = """planned: rebuild at 1 ms for 1 ms
    567.722  server 0    runs INCRBY c1 1
   1719.973  the world   fault: planned at 1488 ms for 19 ms (master is server 0)
   1719.973  sentinel 4  failover state wait_start
   1719.973  sentinel 3  failover state reconf_slaves
   1719.973  sentinel 4  +try-failover master mymaster 10.0.0.1 6379
   1720.000  sentinel 3  +try-failover master mymaster 10.0.0.1 6379
   1730.000  sentinel 4  failover state select_slave
   1740.000  sentinel 4  is struck: leader-kill
   1750.000  the world   fault: rebuild at 1 ms for 1 ms (master is server 0)
   1750.100  the world   the fault ends: rebuild at 1 ms for 1 ms
   1760.000  sentinel 2  +tilt #tilt mode entered
   1761.000  sentinel 2  +tilted
   1770.000  server 1    has loaded all of its master's data
"""


class SimContents(ToolTestCase):
    tool = "sim_contents"

    def traces(self, *traces):
        """A simulator whose world N has the Nth trace."""
        for number, trace in enumerate(traces, start=1):
            self.write(f"trace{number}", trace)
        return self.program("simulator", f"cat '{self.folder}/trace'$3")

    def counted(self, binary, *arguments):
        lines = self.run_tool("--binary", binary, *arguments).stdout.splitlines()[2:]
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        return {what: (times, worlds) for what, times, worlds in rows}

    def test_counts_how_often_and_in_how_many_worlds(self):
        found = self.counted(self.traces(TRACE, TRACE, "nothing\n"), "--worlds", "3")
        self.assertEqual(found["tried a failover"], ("4", "2"))
        self.assertEqual(found["died as the leader, in select_slave"], ("2", "2"))
        self.assertEqual(found["died as the leader, in reconf_slaves"], ("0", "0"))
        self.assertEqual(found["all Sentinels were rebuilt from nothing"], ("2", "2"))
        self.assertEqual(found["fell into TILT"], ("2", "2"))
        self.assertEqual(found["a replica has loaded all of its master's data"], ("2", "2"))
        self.assertEqual(found["were elected"], ("0", "0"))

    def test_groups_what_is_long(self):
        elected = "   1.000  sentinel 4  +elected-leader master mymaster 10.0.0.1 6379\n"
        self.assertEqual(self.counted(self.traces(elected * 12345), "--worlds", "1")["were elected"], ("12 345", "1"))

    def test_puts_the_table_into_its_place(self):
        self.write("page.text", "a\n<!-- table contents -->\nold\n<!-- end of table -->\nb\n")
        binary = self.traces(TRACE)
        self.assertEqual(self.run_tool("--binary", binary, "--worlds", "1", "--write", "page.text").returncode, 0)
        text = self.read("page.text")
        self.assertTrue(text.startswith("a\n<!-- table contents -->\n\n| what happened |"))
        self.assertTrue(text.endswith("|\n\n<!-- end of table -->\nb\n"))
        self.write("page.text", "no place\n")
        self.assertIn("0 places", self.run_tool("--binary", binary, "--worlds", "1", "--write", "page.text").stderr)

    def test_says_which_world_failed(self):
        broken = self.program("simulator", "echo 'a promise was broken' >&2; exit 1")
        ran = self.run_tool("--binary", broken, "--worlds", "5")
        self.assertEqual(ran.returncode, 1)
        self.assertRegex(ran.stderr, r"^sim_contents: world \d: a promise was broken\n$")
        self.assertIn("No such file", self.run_tool("--binary", self.folder / "none", "--worlds", "1").stderr)


if __name__ == "__main__":
    unittest.main()
