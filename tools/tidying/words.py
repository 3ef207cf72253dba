"""What may not stand in the text: unfinished work, sleeping tests, paths of one machine, pages that are not there."""
import posixpath
import re

CODE = {".cpp", ".hpp", ".py", ".sh", ".cmake", ""}
# These name what they look for.
THEMSELVES = ("tools/tidying/", "test/tools/tidy_test.py", "test/tools/check_docs_test.py")

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
SWITCHED_OFF = re.compile(r"\bGTEST_SKIP\b|\bDISABLED_\w+|\bRC_DISABLED\w*")
SLEEP = re.compile(r"\bsleep_(?:for|until)\b|(?:^|[;{}=]|::)\s*sleep\s*\(\s*[^)\s]|\b(?:usleep|nanosleep)\b|"
                   r"\btime\.sleep\b")
MACHINE = re.compile(r"(?<![\w.}\)/])/(?:home|root|work|Users|mnt|media|srv)(?:/\w|\b(?!\.))")
PAGE = re.compile(r"(?<![\w/:*<>.{}\-])((?:\.{1,2}/)*[\w\-]+(?:/[\w.\-]+)*\.md)\b")
# The user's NDEBUG would switch off an assertion of ours, and its message names a path of the machine that built it.
ASSERT = re.compile(r"\bassert\s*\(|^\s*#\s*include\s*<(?:cassert|assert\.h)>")
LINK = re.compile(r"\w+://\S+")


def check(tree):
    for file in tree.files:
        if not file.is_text or file.path.startswith(THEMSELVES) or file.starts_with("test/fuzz/corpus"):
            continue
        for number, line in enumerate(file.lines, 1):
            yield from unfinished(file, number, line)
            yield from assertions(file, number)
            yield from elsewhere(tree, file, number, LINK.sub("", line))


def assertions(file, number):
    if file.is_cpp and file.starts_with("src", "include", "sim") and number <= len(file.code_lines):
        if ASSERT.search(file.code_lines[number - 1]):
            yield file.finding(number, "an assertion that NDEBUG switches off: HOLDFAST_ASSERT (core/assertion.hpp)")


def unfinished(file, number, line):
    if file.suffix in CODE or file.name == "CMakeLists.txt":
        found = UNFINISHED.search(line)
        if found:
            yield file.finding(number, f"{found.group(0)}: do it, or say in docs/decisions.md why not")
        found = SWITCHED_OFF.search(line)
        if found:
            yield file.finding(number, f"{found.group(0)}: a test that does not run proves nothing; run or remove it")
    if file.starts_with("test") and (file.is_cpp or file.suffix == ".py"):
        text = file.code_lines[number - 1] if file.is_cpp and number <= len(file.code_lines) else line
        if SLEEP.search(text):
            yield file.finding(number, "a test that sleeps: wait for the event itself (lab/await.hpp)")


def elsewhere(tree, file, number, line):
    found = MACHINE.search(line)
    if found:
        yield file.finding(number, f"a path of one machine ({found.group(0)}...): name it relative to the project")
    if "/fixtures/" in file.path:
        return
    for page in PAGE.findall(line):
        here = posixpath.dirname(file.path)
        places = {posixpath.normpath(posixpath.join(folder, page)) for folder in (here, "", "docs")}
        if not places & tree.paths:
            yield file.finding(number, f"{page} is not in this project: say it here, or write that page")
