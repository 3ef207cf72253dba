"""Plants each kind of trespass in a tree of its own and asks tools/tidy to find it, and nothing else."""
import contextlib
import io
import shutil
import subprocess
import unittest

from tool_test_case import ROOT, ToolTestCase, loaded

tidy = loaded("tidy")  # started anew for each of these trees it would take its time

CLEAN = {
    "include/holdfast/error.hpp": "// What went wrong.\n#pragma once\n\nnamespace holdfast {\n\nclass error {};\n\n}\n",
    "src/core/error.cpp": "#include <holdfast/error.hpp>\n",
    "src/resp/parser.hpp": "#pragma once\n\n#include <holdfast/error.hpp>\n\n#include <string>\n",
    "src/lane/ledger.hpp": '#pragma once\n\n#include "resp/parser.hpp"\n',
    "test/CMakeLists.txt": "foreach(layer core resp policy)\nendforeach()\n",
    "test/unit/resp/parser_test.cpp": '#include "resp/parser.hpp"\n\nTEST(parser, reads) {}\n',
}


class Tidy(ToolTestCase):
    def setUp(self):
        super().setUp()
        subprocess.run(["git", "init", "-q"], cwd=self.folder, check=True)
        for path, text in CLEAN.items():
            self.write(path, text)

    def findings(self, *options):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = tidy.main([*(options or ["--no-format"]), str(self.folder)])
        found = printed.getvalue().splitlines()[:-1]  # the last line is the sum
        self.assertEqual(status, 1 if found else 0)
        return found

    def finds_each(self, path, texts, line, words):
        """Each of the texts, with `line - 1` empty lines before it; `words` may be a function of the text."""
        for text in texts:
            with self.subTest(text):
                self.finds_in(path, "\n" * (line - 1) + text + "\n", line, words(text) if callable(words) else words)

    finds, accepts = ToolTestCase.finds_in, ToolTestCase.accepts_in


class Layers(Tidy):
    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(self.findings(), [])

    def test_the_exit_status_tells_whether_there_are_findings(self):
        program = [str(ROOT / "tools" / "tidy"), "--no-format", str(self.folder)]
        self.assertEqual(subprocess.run(program, capture_output=True, check=False).returncode, 0)
        self.write("src/core/utils.hpp", "#pragma once\n")
        self.assertEqual(subprocess.run(program, capture_output=True, check=False).returncode, 1)

    def test_a_tree_without_git_is_looked_at_too(self):
        shutil.rmtree(self.folder / ".git")
        self.write("build/core/x.cpp", '#include "lane/gone.hpp"\n')
        self.finds("src/resp/x.cpp", '#include "lane/ledger.hpp"\n', 1, "lane (rank 3)")

    def test_an_include_of_a_higher_rank_is_found(self):
        self.finds("src/resp/x.cpp", '// One.\n#include "lane/ledger.hpp"\n', 2, "resp (rank 1) includes lane (rank 3)")

    def test_an_include_of_another_layer_of_the_same_rank_is_found(self):
        self.write("src/policy/backoff.hpp", "#pragma once\n")
        self.finds("src/resp/x.cpp", '#include "policy/backoff.hpp"\n', 1, "policy (rank 1)")

    def test_a_public_header_has_the_rank_of_the_layer_that_implements_it(self):
        self.write("include/holdfast/retry.hpp", "#pragma once\n")
        self.finds("src/lane/x.cpp", "\n#include <holdfast/retry.hpp>\n", 2, "runtime (rank 5)")

    def test_a_public_header_of_no_known_layer_is_found(self):
        self.finds("include/holdfast/novelty.hpp", "#pragma once\n", 1, "no known layer")

    def test_a_folder_of_no_known_layer_is_found(self):
        self.write("src/novelty/x.hpp", "#pragma once\n")
        self.assertTrue(any("no known layer" in finding for finding in self.findings()))

    def test_one_runtime_may_not_include_another(self):
        self.write("src/runtime/poll/loop.hpp", "#pragma once\n")
        self.finds("src/runtime/asio/x.cpp", '#include "runtime/poll/loop.hpp"\n', 1, "runtime/poll")

    def test_a_unit_test_includes_no_more_than_its_layer_may(self):
        self.finds("test/unit/resp/y_test.cpp", '#include "lane/ledger.hpp"\n', 1, "lane (rank 3)")

    def test_an_include_that_leads_nowhere_is_found(self):
        self.finds("src/core/x.cpp", '#include "core/gone.hpp"\n', 1, "does not exist")

    def test_an_include_in_a_comment_is_none(self):
        self.accepts("src/resp/x.cpp", '// #include "lane/ledger.hpp"\n/*\n#include "lane/ledger.hpp"\n*/\n')


class Purity(Tidy):
    def test_what_a_pure_layer_may_not_include_is_found(self):
        headers = ("thread", "mutex", "sys/socket.h", "boost/asio.hpp", "random", "ctime", "poll.h", "ares.h")
        self.finds_each("src/lane/x.cpp", [f"#include <{header}>" for header in headers], 2,
                        lambda text: "includes " + text.split()[1])

    def test_what_a_pure_layer_may_not_name_is_found(self):
        self.finds_each("src/engine/x.cpp", (
            "auto t = std::chrono::steady_clock::now();", "auto t = clock :: now ();", "std::mutex m;",
            "std::random_device seed;", "std::this_thread::yield();", "auto t = time(nullptr);",
            "boost::asio::io_context c;", "int s = ::socket(1, 2, 3);", 'auto u = getenv("USER");'), 3, "a pure layer")

    def test_a_public_header_of_a_pure_layer_is_pure(self):
        self.finds("include/holdfast/config.hpp", "#pragma once\n#include <mutex>\n", 2, "<mutex>")

    def test_the_runtime_may_name_all_of_it(self):
        self.accepts("src/runtime/poll/x.cpp", "#include <sys/socket.h>\n#include <thread>\nauto t = clock::now();\n")

    def test_words_in_comments_and_strings_are_no_code(self):
        self.accepts("src/engine/x.cpp", """// std::mutex, clock::now()
auto s = "std::mutex";
auto r = R"(boost::x)";
auto million = 1'000'000;
bool now(time_point t);
""")


class Shape(Tidy):
    def test_a_file_that_is_too_long_is_found(self):
        self.finds("src/core/x.cpp", "int x;\n" * 601, 601, "601 lines")
        self.accepts("src/core/x.cpp", "int x;\n" * 600)

    def test_a_line_that_is_too_long_is_found(self):
        self.finds("src/core/x.cpp", "int x;\n// " + "x" * 118 + "\n", 2, "121 columns")

    def test_white_space_and_the_end_of_the_file_are_looked_at(self):
        self.finds("src/core/x.cpp", "int x; \n", 1, "white space")
        self.finds("src/core/x.cpp", "int x;\n\n", 2, "empty lines")
        self.finds("src/core/x.cpp", "int x;", 1, "no newline")
        self.finds("src/core/x.cpp", "\tint x;\n", 1, "a tab")

    def test_a_header_without_a_guard_is_found(self):
        self.finds("src/core/x.hpp", "// #pragma once\n", 1, "#pragma once")


class Classes(Tidy):
    def test_a_class_in_two_files_is_found(self):
        self.write("src/resp/a.cpp", "namespace resp {\n\nint parser::size() { return 1; }\n\n}\n")
        for member in ("parser::parser(int n) : n_(n) {}", "parser::~parser() = default;",
                       "bool parser::operator()() {}", "parser::step parser::next() const {\n   return f(2);\n}",
                       "std::vector<int> parser::all() {}", "auto parser::find(int n = f(1)) -> int {}",
                       "template <class T>\nvoid parser<T>::run(T t) {}"):
            with self.subTest(member):
                self.finds("src/resp/b.cpp", f"namespace resp {{\n\n{member}\n\n}}\n", 3,
                           "resp::parser are defined here and in src/resp/a.cpp")

    def test_a_class_in_a_class_is_one_of_its_own(self):
        self.write("src/resp/a.cpp", "int parser::size() { return 1; }\nint parser::item::size() { return 1; }\n")
        self.finds("src/resp/b.cpp", "int parser::item::kind() { return 1; }\n", 1, "parser::item")

    def test_classes_of_one_name_may_be_several(self):
        self.write("src/lane/a.cpp", "namespace lane {\nint session::size() { return 1; }\n}\n")
        self.write("src/resp/a.cpp", "namespace resp {\nint session::size() { return 1; }\n}\n")
        unnamed = "namespace {\nclass reader {\n   int size();\n};\nint reader::size() { return 1; }\n}\n"
        self.write("src/resp/b.cpp", unnamed)
        self.accepts("src/resp/c.cpp", unnamed)

    def test_what_is_no_member_may_stand_anywhere(self):
        free = "std::string f(const std::string& s) {\n   return a::b(s);\n}\n" \
               "namespace a {\nint g() { return 1; }\n}\nint a::b(int x) { return std::max(x, 1); }\n"
        self.write("src/resp/a.cpp", free)
        self.accepts("src/resp/b.cpp", free)


class Names(Tidy):
    def test_empty_words_in_file_names_are_found(self):
        for name in ("utils", "string_helpers", "manager", "common"):
            with self.subTest(name):
                path = f"src/core/{name}.cpp"
                self.finds(path, "int x;\n", 1, "a file named")
                (self.folder / path).unlink()

    def test_empty_words_in_identifiers_are_found(self):
        self.finds_each("src/core/x.cpp", ("int connection_manager;", "int ConnectionManager;", "int string_utils;",
                                           "int common;"), 2, lambda text: text[4:-1])
        self.accepts("src/core/x.cpp", "using t = std::common_type_t<int, long>;  // in common\nint management;\n")

    def test_a_test_that_the_build_would_not_find_is_found(self):
        for path, words in (("test/unit/resp/parser.cpp", "_test.cpp"), ("test/redis/get_test.cpp", "_redis_test.cpp"),
                            ("test/elsewhere/get_test.cpp", "not built"),
                            ("test/unit/nowhere/get_test.cpp", "does not name this folder")):
            self.finds(path, "TEST(a, b) {}\n", 1, words)
            (self.folder / path).unlink()

    def test_support_beside_the_tests_may_be_named_freely(self):
        self.accepts("test/redis/deployment.cpp", "int x;\n")


class Words(Tidy):
    def test_unfinished_work_and_tests_switched_off_are_found(self):
        self.finds_each("test/unit/resp/y_test.cpp", ("// TO" "DO: later", "// FIX" "ME"), 2, "do it")
        self.finds_each("test/unit/resp/y_test.cpp", ("GTEST_" "SKIP();", "int DISABLED_" "x;"), 2, "run")

    def test_a_test_that_sleeps_is_found(self):
        self.finds_each("test/redis/y_redis_test.cpp",
                        ("std::this_thread::sleep_for(1s);", "usleep(10);", "sleep(1);", "::sleep(n);"), 2, "sleeps")
        self.accepts("test/redis/y_redis_test.cpp", "retry({.sleep = r.sleep(2)}, f);\nauto sleep(duration d) {}\n")

    def test_assertions_that_ndebug_switches_off_are_found(self):
        self.finds_each("src/core/x.cpp", ("assert(n < size);", "#include <cassert>", "#include <assert.h>"), 2,
                        "HOLDFAST_ASSERT")
        self.accepts("src/core/x.cpp", "static_assert(n < size);\nHOLDFAST_ASSERT(n < size);\n// assert(n)\n")

    def test_paths_of_one_machine_are_found(self):
        self.finds_each("docs/a.md", [f"Look into {path} for it." for path in (
            "/home/" "ann/holdfast", "/ro" "ot/.bashrc", "/wo" "rk/main", "/Us" "ers/ann")], 1, "one machine")
        self.accepts("docs/a.md", "framework/main, net/work, https://example.org/work/x, $PREFIX/work, /usr/local\n")

    def test_a_page_that_is_not_there_is_found(self):
        self.finds("src/core/x.cpp", "// See docs/gone.md.\n", 1, "docs/gone.md")
        self.write("docs/there.md", "Here.\n")
        self.accepts("src/core/x.cpp", "// See docs/there.md, or there.md; https://example.org/else.md is not ours.\n")


class Formatting(Tidy):
    def test_what_is_not_formatted_is_found_once_a_file(self):
        self.write(".clang-format", (ROOT / ".clang-format").read_text())
        clean = "namespace holdfast {\n\nclass error {};\n\n}  // namespace holdfast\n"
        self.write("include/holdfast/error.hpp", "#pragma once\n\n" + clean)
        self.write("src/core/x.cpp", "int  x;\nint   y;\n")
        found = self.findings("--")
        self.assertEqual([finding.split(": ")[0] for finding in found if "x.cpp" in finding], ["src/core/x.cpp:1"])
        self.assertEqual([finding for finding in found if "error.hpp" in finding], [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
