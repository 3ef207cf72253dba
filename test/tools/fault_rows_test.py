"""Plants each kind of untruth among the catalogue of faults, its tests and their reports, and asks tools/fault_rows to
find it, and nothing else."""
import json
import unittest

from tool_test_case import ToolTestCase

CATALOGUE = """# rows
## Gates
1.1 | READONLY
1.2 | LOADING
## The network
2.1 | refused
2.2 | TLS | it is not built yet
"""
TESTS = """#include "catalogue/server_fixture.hpp"
TEST(gates, a_replica_is_left) {
   covers("1.1", "1.2");
   scene s;
}
TEST_F(network, is_tried_again) {
   covers("2.1");
}
"""
PAGE = """# Faults

<!-- Made by tools/fault_rows of test/catalogue/catalogue.txt and the tests; do not edit. -->
<!-- The end of what tools/fault_rows made. -->

The end.
"""


def case(name, rows, **other):
    return {"name": name, "status": "RUN", "result": "COMPLETED", "rows": rows, **other}


class FaultRows(ToolTestCase):
    tool = "fault_rows"

    def setUp(self):
        super().setUp()
        self.write("test/catalogue/catalogue.txt", CATALOGUE)
        self.write("test/redis/rows_redis_test.cpp", TESTS)
        self.write("docs/faults.md", PAGE)
        self.findings("--write")

    def report(self, *cases):
        gates = {"name": "gates", "testsuite": [c for c in cases if c["name"] != "is_tried_again"]}
        network = {"name": "network", "testsuite": [c for c in cases if c["name"] == "is_tried_again"]}
        self.write("reports/rows_redis_test.json", json.dumps({"testsuites": [gates, network]}))
        return ["--ran", self.folder / "reports"]

    def test_writes_a_line_for_each_row_with_its_test_or_why_there_is_none(self):
        page = self.read("docs/faults.md")
        test = "[`a_replica_is_left`](../test/redis/rows_redis_test.cpp)"
        self.assertIn(f"| 1.1 | READONLY | {test} |\n| 1.2 | LOADING | {test} |\n", page)
        self.assertIn("### The network\n", page)
        self.assertIn("| 2.2 | TLS | no test: it is not built yet |\n", page)
        self.assertTrue(page.startswith("# Faults\n") and page.endswith("\n\nThe end.\n"))
        self.assertEqual(self.findings(), [])

    def test_finds_a_table_that_is_not_what_the_tests_say(self):
        self.write("docs/faults.md", self.read("docs/faults.md").replace("READONLY", "READ ONLY"))
        self.finds("docs/faults.md:3: its table is not what")
        self.findings("--write")
        self.assertEqual(self.findings(), [])

    def test_finds_a_page_without_a_place_for_the_table(self):
        self.write("docs/faults.md", "# Faults\n")
        self.finds("has no place for the table")

    def test_finds_a_row_with_neither_a_test_nor_a_reason(self):
        self.write("test/catalogue/catalogue.txt", CATALOGUE + "2.3 | reset\n")
        self.finds("test/catalogue/catalogue.txt:8: row 2.3: no test covers it", "--write")

    def test_finds_a_row_with_both(self):
        self.write("test/catalogue/catalogue.txt", CATALOGUE.replace("| refused", "| refused | for no reason"))
        self.finds("row 2.1: network.is_tried_again shows it", "--write")

    def test_finds_a_test_that_names_no_row(self):
        self.write("test/redis/rows_redis_test.cpp", TESTS.replace('"2.1"', '"2.1", "9.9"'))
        self.finds("test/redis/rows_redis_test.cpp:7: network.is_tried_again covers 9.9, which is no row", "--write")

    def test_takes_no_comment_for_a_test(self):
        self.write("test/redis/rows_redis_test.cpp", TESTS.replace('   covers("2.1")', '   // covers("2.1")'))
        self.finds("row 2.1: no test covers it", "--write")
        self.write("test/redis/rows_redis_test.cpp", TESTS.replace("TEST_F", "/* TEST_F") + "*/\n")
        self.finds("row 2.1: no test covers it", "--write")

    def test_finds_rows_outside_of_a_test_and_rows_named_twice(self):
        self.write("test/redis/rows_redis_test.cpp", 'void f() { covers("1.1"); }\n' + TESTS)
        self.finds("covers() outside of a test")
        self.write("test/redis/rows_redis_test.cpp", TESTS.replace("scene s;", 'covers("1.2");'))
        self.finds("covers() twice")

    def test_finds_what_is_no_row(self):
        self.write("test/catalogue/catalogue.txt", CATALOGUE + "2.3 reset\n")
        self.finds("test/catalogue/catalogue.txt:8: not a row")
        self.write("test/catalogue/catalogue.txt", CATALOGUE + "2.2 | TLS | again\n")
        self.finds("row 2.2 is here twice", "--write")

    def test_believes_a_run_in_which_each_test_said_its_rows(self):
        ran = self.report(case("a_replica_is_left", "1.1 1.2"), case("is_tried_again", "2.1"))
        self.assertEqual(self.findings(*ran), [])

    def test_finds_a_test_that_did_not_run(self):
        good = case("a_replica_is_left", "1.1 1.2")
        self.finds("not among the tests that were built", *self.report(good))
        self.finds("did not run to a good end", *self.report(good, case("is_tried_again", "2.1", status="NOTRUN")))
        self.finds("did not run to a good end", *self.report(good, case("is_tried_again", "2.1", result="SKIPPED")))
        failed = case("is_tried_again", "2.1", failures=[{"failure": "x"}])
        self.finds("did not run to a good end", *self.report(good, failed))

    def test_finds_a_test_that_ended_before_it_said_its_rows(self):
        good = case("a_replica_is_left", "1.1 1.2")
        self.finds("did not get as far", *self.report(good, case("is_tried_again", "")))
        self.finds("did not get as far", *self.report(good, case("is_tried_again", "1.1")))

    def test_finds_a_program_that_left_no_report(self):
        found = self.findings("--ran", self.folder / "reports")
        self.assertEqual(len(found), 2, found)
        self.assertIn("there is no report of rows_redis_test", found[0])


if __name__ == "__main__":
    unittest.main()
