"""Sizes of files and lines; white space; header guards."""

FILE_LINES = 600
COLUMNS = 120

TEXT = {".cpp", ".hpp", ".py", ".sh", ".cmake", ".md", ".json", ".txt", ".in", ".yml"}
SIZED = {".cpp", ".hpp", ".py", ".sh", ".cmake"}
WITHOUT_SUFFIX = ("Makefile", "tools/", ".ci/")
DATA = ("test/fuzz/corpus/", "test/data/")


def is_prose_or_code(file):
    return file.is_text and not file.path.startswith(DATA) and (file.suffix in TEXT or is_program(file))


def is_program(file):
    return not file.suffix and file.path.startswith(WITHOUT_SUFFIX)


def is_generated(file):
    return file.text.startswith("// Generated") or file.text.startswith("# Generated")


def check(tree):
    for file in tree.files:
        if not is_prose_or_code(file):
            continue
        yield from lines(file)
        if (file.suffix in SIZED or is_program(file)) and not is_generated(file) and len(file.lines) > FILE_LINES:
            yield file.finding(len(file.lines), f"{len(file.lines)} lines, more than {FILE_LINES}: carve a "
                                                "machine out of it")
        if file.suffix == ".hpp" and "#pragma once" not in file.code_lines:
            yield file.finding(1, "a header without `#pragma once`: add it after the opening comment")


def lines(file):
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield file.finding(number, "white space at the end of the line: remove it")
        if "\t" in line and file.suffix in {".cpp", ".hpp", ".py"}:
            yield file.finding(number, "a tab: indent with spaces")
        if len(line) > COLUMNS and file.suffix in SIZED and not is_generated(file):
            yield file.finding(number, f"{len(line)} columns, more than {COLUMNS}: break the line")
    if file.text and not file.text.endswith("\n"):
        yield file.finding(len(file.lines), "no newline at the end of the file: add one")
    if file.text.endswith("\n\n"):
        yield file.finding(len(file.lines), "empty lines at the end of the file: remove them")
