"""The runner must notice what goes wrong: a runner that is wrong says that all is well."""
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from testing import plan, progress, steps  # noqa: E402
from testing.steps import Count, Step  # noqa: E402


def shell(text, **rest):
    return Step("step", ["sh", "-c", text], **rest)


def ran(results):
    """What a run with these results prints, and its exit status."""
    stream = io.StringIO()
    view = progress.View(stream)
    for result in results:
        view.started(result.step)
        view.finished(result)
    return view.finish(results), stream.getvalue().splitlines()


class Steps(unittest.TestCase):
    def test_a_step_is_judged_by_its_exit_status(self):
        self.assertEqual(steps.run(shell("exit 0")).count, Count(passed=1))
        failed = steps.run(shell("echo why; exit 3"))
        self.assertEqual((failed.count, failed.why, failed.output), (Count(failed=1), "exit status 3", "why\n"))

    def test_a_step_that_dies_says_by_which_signal(self):
        self.assertEqual(steps.run(shell("kill -SEGV $$")).why, "ended by signal SIGSEGV")

    def test_a_step_that_hangs_is_stopped_with_all_it_started_and_its_output_is_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            pid_file = Path(folder) / "pid"
            hung = steps.run(shell(f"sleep 600 & echo $! > {pid_file}; echo so far; wait", limit_s=0.3))
            self.assertEqual(hung.count, Count(failed=1))
            self.assertIn("hung", hung.why)
            self.assertEqual(hung.output, "so far\n")
            self.assertTrue(steps.gone(int(pid_file.read_text())))

    def test_a_step_that_leaves_a_process_behind_has_failed_and_the_process_is_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            pid_file = Path(folder) / "pid"
            left = steps.run(shell(f"sleep 600 & echo $! > {pid_file}"))
            self.assertEqual(left.count, Count(failed=1))
            self.assertRegex(left.why, "^left running: (sleep|sh)$")  # sh, before it has become sleep
            self.assertTrue(steps.gone(int(pid_file.read_text())))

    def test_a_program_that_cannot_be_started_has_failed(self):
        self.assertEqual(steps.run(Step("step", ["/nowhere/to/be/found"])).count, Count(failed=1))

    def test_a_step_has_nothing_to_read_and_no_terminal(self):
        self.assertEqual(steps.run(shell("read line")).count, Count(failed=1))
        self.assertEqual(steps.run(shell("test -t 0 || test -t 1 || test -t 2")).count, Count(failed=1))

    def test_a_step_that_counts_no_test_has_failed(self):
        self.assertEqual(steps.run(shell("exit 0", count=lambda status, output: Count())).count, Count(failed=1))

    def test_an_exit_status_is_believed_over_a_count_without_failures(self):
        self.assertEqual(steps.run(shell("exit 1", count=lambda status, output: Count(passed=4))).count,
                         Count(passed=4, failed=1))

    def test_what_cannot_be_run_yet_is_counted_as_skipped(self):
        self.assertEqual(steps.run(Step("step", [], skip="not yet")).count, Count(skipped=1))

    def test_a_step_that_must_be_alone_runs_when_all_others_have_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            several = [Step(name, ["sh", "-c", f"echo {name} >> {log}"], alone=name == "alone")
                       for name in ("alone", "a", "b", "c")]
            results = steps.run_all(several, progress.View(io.StringIO()))
            self.assertEqual(log.read_text().split()[-1], "alone")
            self.assertEqual(sorted(result.step.name for result in results), ["a", "alone", "b", "c"])

    def test_what_waits_runs_side_by_side_when_what_computes_has_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            gate = Path(folder) / "gate"
            os.mkfifo(gate)  # opens when both ends are there
            log = Path(folder) / "log"
            several = [Step("w1", ["sh", "-c", f"cat {gate} >> {log}"], waits=True),
                       Step("w2", ["sh", "-c", f"echo met > {gate}"], waits=True),
                       Step("c", ["sh", "-c", f"echo c >> {log}"]),
                       Step("alone", ["sh", "-c", f"echo alone >> {log}"], alone=True)]
            results = steps.run_all(several, progress.View(io.StringIO()))
            self.assertEqual(log.read_text().split(), ["c", "met", "alone"])
            self.assertEqual([result.count for result in results], [Count(passed=1)] * 4)

    def test_of_what_runs_side_by_side_the_longest_begins_first(self):
        begun = []

        class Noted(progress.View):
            def started(self, step):
                begun.append(step.name)

        for waits, limit in ((True, (steps, "WAITING_SIDE_BY_SIDE")), (False, (os, "cpu_count"))):
            begun.clear()
            several = [Step(name, ["true"], waits=waits, cost_s=cost)
                       for name, cost in (("short", 5), ("long", 40), ("unknown", 0), ("middle", 10))]
            one_at_a_time = 1 if waits else (lambda: 1)
            with unittest.mock.patch.object(*limit, one_at_a_time):
                steps.run_all(several, Noted(io.StringIO()))
            self.assertEqual(begun, ["long", "middle", "short", "unknown"])

    def test_an_interrupted_run_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "told"
            os.mkfifo(told)
            program = ("import io, signal, sys; sys.path.insert(0, 'tools'); from testing import progress, steps\n"
                       "signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))\n"
                       f"step = steps.Step('s', ['sh', '-c', 'sleep 600 & echo $! > {told}; wait'])\n"
                       "try: steps.run_all([step], progress.View(io.StringIO()))\n"
                       "except KeyboardInterrupt: steps.stop_all()\n")
            runner = subprocess.Popen([sys.executable, "-B", "-c", program], cwd=ROOT)
            with open(told, encoding="ascii") as fifo:
                pid = int(fifo.read())
            runner.send_signal(signal.SIGTERM)
            runner.wait(30)
            self.assertTrue(steps.gone(pid))


class Counting(unittest.TestCase):
    def test_single_cases_of_googletest_are_counted(self):
        case = {"name": "a", "status": "RUN", "result": "COMPLETED"}
        report = {"testsuites": [{"testsuite": [case, {**case, "failures": [{"failure": "x"}]},
                                                {**case, "result": "SKIPPED"}, {**case, "status": "NOTRUN"}]},
                                 {"testsuite": [case]}]}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report.json"
            file.write_text(json.dumps(report))
            self.assertEqual(plan.count_googletest(file), Count(passed=2, failed=1, skipped=2))
            file.write_text('{"testsu')
            self.assertEqual(plan.count_googletest(file), Count())

    def test_of_a_program_that_died_the_case_that_it_died_in_is_shown(self):
        good = "[ RUN      ] a.works\nit says a lot\n[       OK ] a.works (0 ms)\n"
        died = "[ RUN      ] a.dies\nits last words\n"
        self.assertEqual(plan.without_successes(f"[----------] 2 tests from a\n{good}{good}{died}"), died)
        failed = "[ RUN      ] a.fails\nx.cpp:1: Failure\n[  FAILED  ] a.fails (0 ms)\n"
        self.assertEqual(plan.without_successes(failed + good + failed), failed + failed)

    def test_single_cases_of_unittest_are_counted(self):
        told = "...\nRan 9 tests in 0.1s\n\n"
        self.assertEqual(plan.count_unittest(0, told + "OK"), Count(passed=9))
        self.assertEqual(plan.count_unittest(0, told + "OK (skipped=2)"), Count(passed=7, skipped=2))
        self.assertEqual(plan.count_unittest(1, told + "FAILED (failures=1, errors=2)"), Count(passed=6, failed=3))
        self.assertEqual(plan.count_unittest(1, "Traceback"), Count())

    def test_a_test_for_which_something_is_missing_is_skipped_and_says_what(self):
        test = {"name": "rows_valkey", "command": ["cmake", "-E", "echo", "there is no valkey-server"],
                "properties": [{"name": "LABELS", "value": ["skipped"]}]}
        result = steps.run(plan.step_of(test, Path("build")))
        self.assertEqual((result.count, result.why), (Count(skipped=1), "there is no valkey-server"))

    def test_a_drill_that_the_sources_have_is_never_skipped(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            self.assertEqual([steps.run(step).count for step in plan.drills(root, root, [])], [Count(skipped=1)])
            (root / "apps/holdfast/drill").mkdir(parents=True)
            self.assertEqual([steps.run(step).count for step in plan.drills(root, root, [])], [Count(failed=1)])
            self.assertEqual(plan.drills(root, root, [Step("drill_kill", [])]), [])

    def test_a_drill_that_the_binary_offers_is_never_skipped(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            binary = root / "holdfast"
            binary.write_text("#!/bin/sh\necho '  drill   kills masters'\n")
            binary.chmod(0o755)
            self.assertEqual([steps.run(step).count for step in plan.drills(root, root, [])], [Count(failed=1)])


class Verdict(unittest.TestCase):
    def test_the_last_line_says_how_many_passed_and_failed(self):
        good = steps.run(shell("exit 0"))
        bad = steps.run(shell("echo it broke; exit 1"))
        status, lines = ran([good, bad])
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertIn("      | it broke", lines)
        status, lines = ran([good, steps.run(Step("later", [], skip="not yet"))])
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_a_run_in_which_nothing_passed_is_no_success(self):
        status, lines = ran([])
        self.assertEqual((status, lines[-1]), (1, "0 passed, 0 failed"))
        self.assertEqual(ran([steps.run(Step("later", [], skip="not yet"))])[0], 1)

    def test_much_output_is_cut_in_the_middle(self):
        shown = progress.indented("\n".join(str(n) for n in range(1000)), most=8).splitlines()
        self.assertEqual([line.strip(" |") for line in shown],
                         ["0", "1", "[... 992 lines left out ...]", "994", "995", "996", "997", "998", "999"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
