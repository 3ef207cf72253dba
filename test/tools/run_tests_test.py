"""tools/run_tests over a project whose tests fail in each way: a runner that is wrong says that all is well."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from tool_test_case import ROOT, ToolTestCase, loaded

run_tests = loaded("run_tests")

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(tried LANGUAGES NONE)
enable_testing()
function(test name text)
   add_test(NAME ${name} COMMAND sh -c "${text}")
endfunction()
test(tidy "exit 0")
set_tests_properties(tidy PROPERTIES LABELS sources)
test(good "exit 0")
"""
BUILT = 'add_custom_target(holdfast_installable COMMAND sh -c "exit 0" VERBATIM)\n'
PRESETS = {"version": 6,
           "configurePresets": [{"name": "release", "generator": "Ninja", "binaryDir": "${sourceDir}/build"}],
           "buildPresets": [{"name": "release", "configurePreset": "release"}],
           "testPresets": [{"name": "release", "configurePreset": "release", "execution": {"timeout": 60},
                            "output": {"outputOnFailure": True}}]}


class Runs(ToolTestCase):
    def setUp(self):
        super().setUp()
        self.program("tools/fault_rows")
        shutil.copy(ROOT / "tools/run_tests", self.folder / "tools")
        self.write("CMakePresets.json", json.dumps(PRESETS))

    def start(self, tests, built=BUILT):
        self.write("CMakeLists.txt", PROJECT + built + tests)
        subprocess.run(["cmake", "--preset", "release"], cwd=self.folder, check=True, capture_output=True)
        return subprocess.Popen([self.folder / "tools/run_tests"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def ran(self, tests, built=BUILT):
        process = self.start(tests, built)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0 if ", 0 failed" in output.splitlines()[-1] else 1, output)
        return output

    def assert_ended(self, pid_file):
        self.assertFalse(Path("/proc", self.read(pid_file).strip()).exists())

    def test_the_last_line_counts_checks_tests_and_the_proof_of_the_rows(self):
        output = self.ran('test(later "echo not here")\n'
                          "set_tests_properties(later PROPERTIES SKIP_REGULAR_EXPRESSION here)\n")
        self.assertEqual(output.splitlines()[-1], "3 passed, 0 failed, 1 skipped")

    def test_what_a_failed_test_said_is_shown(self):
        output = self.ran('test(bad "echo it broke; exit 3")\n')
        self.assertIn("it broke\n", output)
        self.assertEqual(output.splitlines()[-1], "3 passed, 1 failed, 0 skipped")

    def test_what_does_not_build_is_not_tested(self):
        output = self.ran("", BUILT.replace("exit 0", "echo no such header; exit 1"))
        self.assertIn("no such header\n", output)
        self.assertEqual(output.splitlines()[-1], "1 passed, 1 failed, 0 skipped")

    def test_a_test_that_hangs_is_ended_with_all_that_it_started(self):
        output = self.ran(f'test(hung "echo so far; sleep 600 & echo $! > {self.folder}/pid; wait")\n'
                          "set_tests_properties(hung PROPERTIES TIMEOUT 1)\n")
        self.assertIn("so far\n", output)
        self.assertEqual(output.splitlines()[-1], "3 passed, 1 failed, 0 skipped")
        self.assert_ended("pid")

    def test_a_process_that_a_test_leaves_behind_is_ended_and_is_a_failure(self):
        output = self.ran(f'test(leaves "sleep 600 >/dev/null 2>&1 & echo $! > {self.folder}/pid")\n')
        self.assertIn("left running by a test: sleep\n", output)
        self.assertEqual(output.splitlines()[-1], "4 passed, 1 failed, 0 skipped")
        self.assert_ended("pid")

    def test_an_interrupted_run_leaves_nothing_behind(self):
        os.mkfifo(self.folder / "told")
        process = self.start(f'test(slow "sleep 600 & echo $! > {self.folder}/pid; echo > {self.folder}/told; wait")\n')
        self.read("told")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assert_ended("pid")


class Counts(unittest.TestCase):
    def counted(self, status, output="", report=None):
        with tempfile.TemporaryDirectory() as folder:
            junit = Path(folder) / "tests.xml"
            junit.write_text(f'<testsuite><testcase name="t" status="{status}"><system-out>{output}</system-out>'
                             "</testcase></testsuite>")
            if report:
                (Path(folder) / "t.json").write_text(json.dumps(report))
            return run_tests.counted(junit, Path(folder))

    def test_cases_are_counted_by_the_report_of_googletest(self):
        self.assertEqual(self.counted("run", report={"tests": 5, "failures": 0}), (5, 0, 0))
        self.assertEqual(self.counted("fail", report={"tests": 5, "failures": 2}), (3, 2, 0))

    def test_a_program_that_died_or_ran_no_case_has_failed(self):
        self.assertEqual(self.counted("fail", report={"tests": 5, "failures": 0}), (4, 1, 0))
        self.assertEqual(self.counted("fail"), (0, 1, 0))
        self.assertEqual(self.counted("run", report={"tests": 0, "failures": 0}), (0, 1, 0))

    def test_cases_of_unittest_are_counted(self):
        self.assertEqual(self.counted("run", "...\nRan 9 tests in 0.1s\n\nOK"), (9, 0, 0))
        self.assertEqual(self.counted("fail", "...\nRan 9 tests in 0.1s\n\nFAILED (errors=1)"), (8, 1, 0))

    def test_of_a_program_that_died_the_case_that_it_died_in_is_shown(self):
        good = ["[ RUN      ] a.works\n", "it says a lot\n", "[       OK ] a.works (0 ms)\n"]
        died = ["[ RUN      ] a.dies\n", "its last words\n"]
        end = [" 2/3 Test  #1: a ......***Exception\n", "      Start 2: b\n", "3/3 Test #2: b .... Passed\n"]
        self.assertEqual(list(run_tests.without_passed(good + good + died + end)), died + [end[0], end[2]])
        failed = ["[ RUN      ] a.fails\n", "x.cpp:1: Failure\n", "[  FAILED  ] a.fails (0 ms)\n"]
        self.assertEqual(list(run_tests.without_passed(failed + good + failed)), failed + failed)


if __name__ == "__main__":
    unittest.main(verbosity=1)
