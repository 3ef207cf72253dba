"""Which steps a test run has."""
import json
import os
import re
import subprocess
from dataclasses import replace

from testing.steps import Count, Step

# Sanitizers slow a program down; what they find, they say with the calls that led there.
SANITIZED = {"asan": 4, "tsan": 8}
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
                     "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "second_deadlock_stack=1"}


def build_folder(preset):
    return "build" if preset == "release" else f"build-{preset}"


def build_step(preset, name, target):
    # As much as can be built is, so that one run shows every error.
    command = ["make", "--no-print-directory", "build", f"PRESET={preset}", f"TARGET={target}", "BUILD_ARGS=-- -k 0"]
    return Step(name, command, limit_s=1500,
                shorten=lambda output: re.sub(r"^\[\d+/\d+\] .*\n|^-- .*\n", "", output, flags=re.MULTILINE))


def build_steps(preset, chosen=False):
    """The library and the binary come first: an error there is told before the tests are built."""
    if chosen:
        return [build_step(preset, "build", f"chosen_for_{preset}")]
    return [build_step(preset, "build", "holdfast_installable"), build_step(preset, "build_tests", "all")]


def before_the_build(root):
    """What needs nothing built: it runs beside the build."""
    return [Step("tidy", [str(root / "tools/tidy")]), Step("docs", [str(root / "tools/check_docs")]),
            Step("rows", [str(root / "tools/fault_rows")])]


def after_the_build(root, preset, chosen=False):
    build = root / build_folder(preset)
    slower = SANITIZED.get(preset, 1)
    if chosen:
        known, others = registered(build, f"chosen_for_{preset}"), []
        if not known:
            others = [Step("chosen", ["sh", "-c", f"echo 'no test is labelled chosen_for_{preset}'; exit 1"])]
    else:
        known = registered(build)
        others = drills(root, build, known)
        if not known:
            others.append(Step("tests", ["sh", "-c", "echo 'the tests are not built: HOLDFAST_TESTS is OFF'; exit 1"]))
    return [replace(step, limit_s=step.limit_s * slower,
                    environment={**(SANITIZER_OPTIONS if slower > 1 else {}), **step.environment})
            for step in known + others]


def after_the_tests(root, preset):
    """What looks back at a whole run: that the tests which the catalogue of faults counts on did run."""
    reports = build_folder(preset) + "/reports"
    return [Step("rows_ran", [str(root / "tools/fault_rows"), "--ran", str(root / reports)])]


def registered(build, label=""):
    """The tests that CMake knows, of that label if one is given."""
    command = ["ctest", "--test-dir", str(build), "-L", label, "--show-only=json-v1"]
    listing = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    return [step_of(test, build) for test in json.loads(listing)["tests"]]


def step_of(test, build):
    properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
    labels = properties.get("LABELS", [])
    command = test.get("command", [test["name"]])
    if "skipped" in labels:
        return Step(test["name"], [], skip=command[-1])  # it would only say why
    environment = dict(entry.split("=", 1) for entry in properties.get("ENVIRONMENT", []))
    count, shorten = None, str
    if "gtest" in labels:
        report = build / "reports" / (test["name"] + ".json")
        report.parent.mkdir(parents=True, exist_ok=True)
        command = command + [f"--gtest_output=json:{report}", "--gtest_color=no"]
        count = lambda status, output: count_googletest(report)  # noqa: E731
        shorten = without_successes
        report.unlink(missing_ok=True)
    elif "unittest" in labels:
        count = count_unittest
    return Step(test["name"], command, limit_s=properties.get("TIMEOUT", 120),
                alone=bool(properties.get("RUN_SERIAL", False)) and "waits" not in labels, waits="waits" in labels,
                cost_s=properties.get("COST", 0), environment=environment,
                folder=properties.get("WORKING_DIRECTORY"), count=count, shorten=shorten)


def count_googletest(report):
    """GoogleTest's own report. Without one the program died, which the exit status tells."""
    try:
        suites = json.loads(report.read_text())["testsuites"]
    except (OSError, ValueError):
        return Count()
    cases = [case for suite in suites for case in suite["testsuite"]]
    failed = sum(1 for case in cases if case.get("failures"))
    skipped = sum(1 for case in cases if case["status"] == "NOTRUN" or case.get("result") == "SKIPPED")
    return Count(len(cases) - failed - skipped, failed, skipped)


def without_successes(output):
    """GoogleTest's output without the cases that passed: what is left are those that failed, or that it died in."""
    passed = re.compile(r"^\[ RUN      \] (\S+)\n(?:(?!\[ RUN).*\n)*?\[       OK \] \1 .*\n", re.MULTILINE)
    return re.sub(r"^\[-{10}\].*\n|^\n", "", passed.sub("", output), flags=re.MULTILINE)


def count_unittest(status, output):
    """The last lines of Python's unittest: `Ran 12 tests in 0.3s`, then `OK` or `FAILED (failures=1, errors=2)`."""
    ran = re.search(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    if not ran:
        return Count()
    verdict = dict(re.findall(r"(failures|errors|skipped)=(\d+)", output[ran.end():]))
    failed = int(verdict.get("failures", 0)) + int(verdict.get("errors", 0))
    skipped = int(verdict.get("skipped", 0))
    return Count(int(ran.group(1)) - failed - skipped, failed, skipped)


def drills(root, build, known):
    """Each fault's drill is a test that CMake knows (test/drill); they may be missing only while there is no drill."""
    if any(step.name.startswith("drill_") for step in known):
        return []
    if any((root / "apps/holdfast").glob("drill*")) or offers_drill(build / "holdfast"):
        return [Step("drill", ["sh", "-c", "echo 'there is a drill, and no test drill_FAULT runs it'; exit 1"])]
    return [Step("drill", [], skip="the binary has no drill yet")]


def offers_drill(binary):
    if not os.access(binary, os.X_OK):
        return False
    told = subprocess.run([str(binary), "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          check=False)
    return re.search(r"\bdrill\b", told.stdout + told.stderr) is not None
