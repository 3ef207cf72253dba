"""Plants each kind of untruth in a page of its own and asks tools/check_docs to find it, and nothing else."""
import unittest

from tool_test_case import ToolTestCase

PROGRAM = """#include <x.hpp>
int main() {
   // [call]
   int n = 1;
   if (n)
      f(n);
   // [call]
}
"""
SHOWN = "int n = 1;\nif (n)\n   f(n);\n"


def block(first, text):
    return f"```{first}\n{text}```\n"


class CheckDocs(ToolTestCase):
    tool = "check_docs"

    def setUp(self):
        super().setUp()
        self.write("examples/call.cpp", PROGRAM)
        self.write("Makefile", "build_dir = x\nPREFIX ?= /usr\n.PHONY: build\nbuild:  ## all of it\ndev asan: build\n")
        self.write("docs/other.md", "# Other\n\n## How far it was `written`\n")

    def finds(self, text, line, words):
        self.finds_in("README.md", text, line, words)

    def accepts(self, text):
        self.accepts_in("README.md", text)

    def test_accepts_a_block_that_equals_its_region_without_the_common_indentation(self):
        self.accepts("# Read\n\n" + block("cpp examples/call.cpp#call", SHOWN))

    def test_finds_a_block_that_differs_from_its_region(self):
        self.finds(block("cpp examples/call.cpp#call", SHOWN.replace("1", "2")), 1, "not what examples/call.cpp has")
        self.finds("\n" + block("cpp examples/call.cpp#call", SHOWN + "g();\n"), 2, "is not what")
        self.finds(block("cpp examples/call.cpp#call", ""), 1, "is not what")

    def test_finds_a_region_or_a_file_that_is_not_there(self):
        self.finds(block("cpp examples/call.cpp#other", SHOWN), 1, "has no region 'other'")
        self.finds(block("cpp examples/gone.cpp#call", SHOWN), 1, "not in this project")

    def test_finds_a_region_that_is_opened_but_not_closed(self):
        self.write("examples/call.cpp", PROGRAM.replace("   // [call]\n}", "}"))
        self.finds(block("cpp examples/call.cpp#call", SHOWN), 1, "has no region")

    def test_finds_a_header_whose_comment_differs_from_its_region(self):
        comment = "".join(f"//    {line}\n" for line in SHOWN.splitlines())
        header = "// Calls it (examples/call.cpp#call):\n//\n" + comment + "//\n// And that was it.\n#pragma once\n"
        self.write("include/x.hpp", header)
        self.accepts("# Read\n")
        self.write("include/x.hpp", header.replace("n = 1", "n = 2"))
        self.assertEqual(self.findings(), ["include/x.hpp:1: is not what examples/call.cpp has between its two [call]: "
                                           "copy it again"])
        self.write("include/x.hpp", "// Calls it (examples/call.cpp#gone):\n")
        self.assertEqual(len(self.findings()), 1)

    def test_finds_cpp_and_cmake_that_are_typed_into_the_page(self):
        self.finds(block("cpp", "int n;\n"), 1, "make it a region")
        self.finds(block("cmake", "project(x)\n"), 1, "make it a region")
        self.accepts(block("sh", "ls\n") + block("", "a diagram\n"))

    def test_finds_links_and_pictures_that_lead_nowhere(self):
        self.finds("[a](docs/gone.md)\n", 1, "docs/gone.md")
        self.finds("\n![a picture](docs/gone.svg)\n", 2, "docs/gone.svg")
        self.finds("[a](../secret)\n", 1, "not in this project")
        self.accepts("[a](docs/other.md), [b](https://example.org/x), [c](examples)\n")

    def test_finds_links_to_headings_that_are_not_there(self):
        self.accepts("# Top\n\n[a](docs/other.md#how-far-it-was-written) [b](#top)\n")
        self.finds("[a](docs/other.md#how-far)\n", 1, "no such heading")
        self.finds("# Top\n[a](#bottom)\n", 2, "no such heading")
        self.finds("# Top\n" + block("", "# bottom\n") + "[a](#bottom)\n", 5, "no such heading")

    def test_finds_make_targets_that_the_makefile_does_not_have(self):
        self.accepts("`make build`, `make asan PREFIX=x`, make it so\n" + block("sh", "make dev    # builds\n"))
        self.finds("`make gone`\n", 1, "make gone")
        self.finds(block("sh", "make gone\n"), 1, "make gone")


if __name__ == "__main__":
    unittest.main()
