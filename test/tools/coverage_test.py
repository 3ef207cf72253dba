"""Compiles and runs a little program with gcov's counters, and plants each kind of untruth in the list of what it does
not cover: a line that is missing there, one that is covered by now, one without a reason."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from covering import counts, listing  # noqa: E402  (found by the path above)

SIGN = """int sign(int value) {
   if (value > 0) {
      return 1;
   }
   // Nobody asks for this.
   if (value < 0) {
      value = -1;
      return value;
   }
   if (value == 0) return 0;
   return 7;
}
int nobody() {
   return 7;
}
"""
UNUSED = "int unused() { return 1; }\n"
MAIN = "int sign(int);\nint main() { return sign(1) - 1 + sign(0); }\n"
LIST = """# heading

src/core/sign.cpp
   why: numbers below zero are
        rare
      ... if (value < 0) {
      > value = -1;
      > return value;
   why: it cannot be reached
      ... if (value == 0) return 0;
      > return 7;
   why: nobody calls it
      ...
      >> int nobody() {

src/lane/unused.cpp
   why: it is in no program
      ...
      > int unused() { return 1; }
"""


class Coverage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name).resolve()
        cls.build = cls.root / "build"
        cls.put("src/core/sign.cpp", SIGN)
        cls.put("src/lane/unused.cpp", UNUSED)
        cls.put("test/main.cpp", MAIN)
        for path in ("src/core/sign.cpp", "src/lane/unused.cpp", "test/main.cpp"):
            target = cls.build / "CMakeFiles/target.dir" / f"{path}.o"
            target.parent.mkdir(parents=True, exist_ok=True)
            cls.compiler("--coverage", "-c", str(cls.root / path), "-o", str(target))
        parts = ("src/core/sign.cpp", "test/main.cpp")
        objects = [str(cls.build / "CMakeFiles/target.dir" / f"{path}.o") for path in parts]
        cls.compiler("--coverage", *objects, "-o", str(cls.build / "main"))
        subprocess.run([str(cls.build / "main")], check=True)

    @classmethod
    def put(cls, path, text):
        file = cls.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    @classmethod
    def compiler(cls, *arguments):
        subprocess.run(["g++", "-O0", *arguments], cwd=cls.build, check=True)

    def uncovered(self):
        files = counts.read(self.root, self.build)
        return [group for path in sorted(files) for group in listing.groups_of(path, files[path])]

    def problems(self, text):
        return listing.compare(listing.parse(text), self.uncovered())

    def test_a_true_list_is_left_in_peace(self):
        self.assertEqual(self.problems(LIST), [])

    def test_only_the_layers_count_and_what_no_program_contains_counts_as_uncovered(self):
        rows = {name: (lines, covered) for name, lines, covered in counts.table(counts.read(self.root, self.build))}
        self.assertEqual(rows["core"], (10, 5), "lone braces do not count")
        self.assertEqual(rows["lane"], (1, 0))
        self.assertEqual(rows["total"], (11, 5))

    def test_what_was_built_of_a_source_that_is_gone_does_not_count(self):
        source = self.root / "src/lane/unused.cpp"
        source.unlink()
        self.addCleanup(self.put, "src/lane/unused.cpp", UNUSED)
        self.assertEqual(list(counts.read(self.root, self.build)), ["src/core/sign.cpp"])

    def test_a_line_that_is_not_listed_is_found_with_its_number(self):
        text = LIST.replace("      > return value;\n", "")
        self.assertEqual(self.problems(text), [
            "src/core/sign.cpp:7: run by no test, and not listed: value = -1;  (and 1 more)",
            "src/core/sign.cpp: listed, but covered now, changed or gone: value = -1;"])

    def test_a_listed_line_that_is_covered_is_found(self):
        text = LIST + "   why: it was\n      ... if (value > 0) {\n      > return 1;\n"
        self.assertEqual(self.problems(text),
                         ["src/lane/unused.cpp: listed, but covered now, changed or gone: return 1;"])

    def test_the_same_text_elsewhere_does_not_stand_for_it(self):
        text = LIST.replace("... if (value < 0) {", "... if (value > 0) {")
        self.assertEqual(len(self.problems(text)), 2)

    def test_a_reason_is_asked_for_until_there_is_one(self):
        written = listing.write("# heading", listing.with_known_reasons([], self.uncovered()))
        told = [problem.split(": ")[1] for problem in self.problems(written)]
        self.assertEqual(told, ["listed without a reason"] * 4)

    def test_writing_a_true_list_changes_nothing(self):
        text = LIST.replace("are\n        rare", "are rare")
        known = listing.parse(LIST)
        self.assertEqual(listing.write("# heading", listing.with_known_reasons(known, self.uncovered())), text)

    def test_what_is_left_of_a_group_keeps_its_reason_and_a_new_line_asks_for_one(self):
        text = LIST.replace("> return 7;", "> return 7;\n      > more();").replace("      > return value;\n", "")
        groups = listing.with_known_reasons(listing.parse(text), self.uncovered())
        self.assertEqual([group.why for group in groups],
                         [listing.UNKNOWN, "it cannot be reached", "nobody calls it", "it is in no program"])

    def test_what_is_no_list_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "line 2 of the list"):
            listing.parse("src/core/sign.cpp\n   return 7;\n")
        with self.assertRaisesRegex(SystemExit, "no line stands below `... if "):
            listing.parse(LIST.replace("      > return 7;\n", ""))


if __name__ == "__main__":
    unittest.main()
