"""Runs benchmarks that are scripts, and makes tables and pictures of results made by hand."""
import json
import unittest
import xml.etree.ElementTree as xml

from tool_test_case import ToolTestCase

SVG = "{http://www.w3.org/2000/svg}"


def spread(median):
    return {"median": median, "min": median * 0.9, "max": median * 1.1}


def result(workload, client, ratio, **changes):
    return {"workload": workload, "title": f"the {workload}", "client": client, "client_title": client.upper(),
            "callers": 1, "growth": False, "operations_per_second": spread(12345.6), "processor_ns": 4321,
            "throughput_to_raw": spread(ratio), "processor_to_raw": spread(1 / ratio),
            "per_operation": {"instructions": 3197.4, "allocations": 0.001, "system_calls": 3}} | changes


def target(measured, **limit):
    return {"what": "a GET", "unit": "instructions", "aim": None, "measured": measured, "met": True} | limit


def results(**changes):
    grown = [result(f"threads_{n}", client, 1, callers=n, growth=True, per_operation=None,
                    operations_per_second=spread(n * 100)) for n in (1, 64) for client in ("raw", "ours")]
    held = [{"client": client, "callers": n, "resident_kib": n * 4, "descriptors": n + 3}
            for n in (1, 64) for client in ("raw", "ours")]
    return {"date": "2026-01-02", "processor": "P", "cores": 2, "kernel": "Linux 6", "compiler": "g++",
            "server": "7.0.15", "load_before": 0.26, "load_after": 1, "rounds": 3,
            "results": [result("get", "raw", 1), result("get", "ours", 0.5), *grown], "holdings": held,
            "targets": [target(2000, at_most=2300, aim=1800), target(0.4, at_least=0.45, met=False),
                        target(None, at_most=1)],
            "parts": [{"name": "read", "processor_ns": 4100.0, "element_ns": 4.1}]} | changes


class BenchTable(ToolTestCase):
    tool = "bench_table"

    def table(self, name, **changes):
        self.write("results.json", json.dumps(results(**changes)))
        self.write("page.text", "".join(f"<!-- table {one} -->\n<!-- end of table -->\n" for one in
                                        ("taken", "speed", "cost", "targets", "growth", "parts")))
        ran = self.run_tool("--write", "page.text", "results.json")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        made = self.read("page.text").split(f"<!-- table {name} -->\n")[1].split("<!-- end")[0].strip()
        lines = [line for line in made.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] or made

    def test_shows_raw_in_absolute_figures_and_all_others_as_ratios(self):
        head, _, get, threads, _, _, processor, *_ = self.table("speed")
        self.assertEqual(head, ["throughput x raw", "RAW", "OURS"])
        self.assertEqual(get, ["the get", "12 346/s", "0.50 (0.45 to 0.55)"])
        self.assertEqual(threads[0], "the threads_64")
        self.assertEqual(processor, ["the get", "4 321 ns", "2.00 (1.80 to 2.20)"])

    def test_leaves_out_what_was_not_counted(self):
        self.assertEqual(self.table("cost")[2:], [["the get", "3 197 / 0 / 3", "3 197 / 0 / 3"]])

    def test_says_of_each_target_whether_it_is_met_and_nothing_of_those_not_measured(self):
        rows = self.table("targets")[2:]
        self.assertEqual([row[2:] for row in rows], [["at most 2 300, aim 1 800", "2 000", "met"],
                                                     ["at least 0.45", "0.4", "**missed**"]])

    def test_tells_how_it_was_taken_and_what_growth_costs(self):
        self.assertIn("load 0.3 before and 1.0 after", self.table("taken"))
        self.assertEqual(self.table("growth")[-1], ["64", "6 400; 256 KiB, 67", "6 400; 256 KiB, 67"])

    def test_says_what_is_wrong(self):
        self.assertEqual(self.run_tool().returncode, 2)
        self.write("empty.json", "{}")
        self.assertIn("empty.json is not what a whole run", self.run_tool("empty.json").stderr)
        self.write("results.json", json.dumps(results()))
        self.write("page.text", "")
        self.assertIn("0 places", self.run_tool("--write", "page.text", "results.json").stderr)


class BenchPicture(ToolTestCase):
    tool = "bench_picture"

    def drawn(self, name):
        self.write("results.json", json.dumps(results()))
        return xml.fromstring(self.run_tool(name, "results.json").stdout)

    def test_draws_half_the_throughput_half_as_long_as_raw_and_twice_the_processor_time_at_its_end(self):
        bars = [rect for rect in self.drawn("ratios").iter(SVG + "rect") if rect.get("class") == "bar"]
        widths = [float(bar.get("width")) for bar in bars]
        self.assertEqual(len(widths), 4)  # a workload and 64 threads, twice
        self.assertAlmostEqual(widths[0] / widths[1], 0.5, delta=0.01)
        self.assertAlmostEqual(widths[2] / widths[3], 2, delta=0.01)

    def test_draws_growth_in_a_straight_line_as_one(self):
        for line in list(self.drawn("growth").iter(SVG + "polyline"))[2:]:  # the heap's
            (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line.get("points").split())
            foot = 16 + 26 + 220 + 26 + 150  # where the axis of the second plot is
            self.assertAlmostEqual((foot - y2) / (foot - y1), 64, delta=4)
            self.assertAlmostEqual((x2 - 84) / (x1 - 84), 64, delta=1)

    def test_says_what_is_wrong_with_its_arguments(self):
        self.assertEqual(self.run_tool("ratios").returncode, 2)
        self.assertEqual(self.run_tool("bars", "x.json").returncode, 2)
        self.assertIn("is not what a whole run", self.run_tool("ratios", "x.json").stderr)


class Bench(ToolTestCase):
    tool = "bench"

    def setUp(self):
        super().setUp()
        self.program("programs/wholes", 'if [ "$1" = --list ]; then echo get mget; exit; fi\n'
                     'echo "wholes $*"\nwhile [ "$1" != --json ]; do shift; done\necho \'{"results": []}\' >"$2"')
        median = {"run_type": "aggregate", "aggregate_name": "median", "run_name": "read_it", "cpu_time": 4000,
                  "items_per_second": 2.5e8}
        self.program("programs/reply_bench", 'case $* in *list_tests*) echo read_it; exit;; esac\n'
                     'for word; do case $word in --benchmark_out=*) cat >"${word#*=}" <<END\n'
                     + json.dumps({"benchmarks": [median]}) + "\nEND\nesac; done")
        self.program("programs/linear_bench", "echo linear")

    def bench(self, *options):
        return self.run_tool("--programs", "programs", "--json", "out.json", *options)

    def test_runs_all_and_writes_one_file(self):
        ran = self.bench("--rounds", "2")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("wholes --rounds 2", ran.stdout)
        self.assertRegex(ran.stdout, r"read_it +4000.0 ns +4.0 ns for each element")
        self.assertTrue(ran.stdout.endswith("linear\n"))
        self.assertEqual(json.loads(self.read("out.json")),
                         {"results": [], "parts": [{"name": "read_it", "processor_ns": 4000, "element_ns": 4.0}]})
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["out.json", "programs"])

    def test_runs_only_what_has_the_word_in_its_name(self):
        self.assertNotIn("linear", self.bench("--only", "mget").stdout)
        self.assertNotIn("read_it", self.bench("--only", "mget").stdout)
        self.assertNotIn("wholes", self.bench("--only", "read").stdout)
        self.assertEqual(self.bench("--only", "linear").stdout.split()[-1:], ["linear"])

    def test_says_what_is_wrong(self):
        ran = self.bench("--only", "nothing")
        self.assertEqual(ran.returncode, 2)
        self.assertIn("no name contains 'nothing'; there are: get mget read_it linear_bench", ran.stderr)
        self.assertIn("'0' is not a number from 1 to 999", self.bench("--rounds", "0").stderr)
        self.assertEqual(self.bench("--round-count", "1").returncode, 2)
        self.assertIn("not built", self.run_tool("--programs", "nowhere").stderr)
        self.program("programs/wholes", 'case $1 in --list) echo get;; *) exit 1;; esac')
        failed = self.bench()
        self.assertEqual(failed.returncode, 1)
        self.assertIn("wholes failed, exit status 1", failed.stderr)


if __name__ == "__main__":
    unittest.main()
