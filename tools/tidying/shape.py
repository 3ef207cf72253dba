"""Sizes of files, functions and lines; white space; header guards."""
import re

FILE_LINES = 600
FUNCTION_LINES = 70
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
        if file.is_cpp:
            yield from functions(file)
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


NOT_A_FUNCTION = re.compile(r"^\s*(?:if|else|for|while|switch|do|try|catch|namespace|class|struct|union|enum|extern)\b")
DEFAULTED = re.compile(r"=\s*default\s*$")
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)


def functions(file):
    for first, last, head, _ in definitions(file):
        if last - first + 1 > FUNCTION_LINES:
            yield file.finding(first, f"{name_of(head)} has {last - first + 1} lines, more than {FUNCTION_LINES}: name "
                                      "its parts and move them out")


def definitions(file):
    """Every outermost body that follows a parameter list, namespaces and classes looked into: its first and last line,
    the text before it, and the texts before the braces that it stands in. Also what is defaulted.

    In formatted code a body has a space before its brace, and what has none (`b_{b}`) is an initialiser."""
    code = PREPROCESSOR.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), file.code)
    stack = []  # of (line where it begins, is it a function's body, the text before it, is it an initialiser)
    start = 0   # where the text before the next brace begins
    parentheses = 0
    line = 1
    for at, character in enumerate(code):
        if character == "\n":
            line += 1
        elif character == "(":
            parentheses += 1
        elif character == ")":
            parentheses -= 1
        elif character == ";" and parentheses == 0:
            head = code[start:at]
            if DEFAULTED.search(head) and not any(outer[1] for outer in stack):
                yield line, line, DEFAULTED.sub("", head), [outer[2] for outer in stack]
            start = at + 1
        elif character == "{":
            before = code[start:at]
            initialiser = parentheses > 0 or before[-1:].strip() != ""
            body = not initialiser and not any(outer[1] for outer in stack) and opens_function(before)
            stack.append((line - before.strip().count("\n"), body, before, initialiser))
            if not initialiser:
                start = at + 1
        elif character == "}" and stack:
            first, body, before, initialiser = stack.pop()
            if not initialiser:
                start = at + 1
            if body:
                yield first, line, before, [outer[2] for outer in stack]


def opens_function(before):
    text = re.sub(r"^\s*(?:public|private|protected)\s*:(?!:)", "", before.strip())
    text = re.sub(r"^\s*template\s*<[^{;]*?>\s*(?=\w|\[)", "", text)
    if "(" not in text or NOT_A_FUNCTION.match(text):
        return False
    return not re.search(r"(?<![=!<>])=\s*$", text)


NAMED = re.compile(r"\b(?!requires|noexcept|decltype|explicit|alignas)(~?[\w:]+|operator\s*\S+)\s*"
                   r"\(\s*(\w*)\s*,?\s*(\w*)")


def name_of(before):
    found = NAMED.search(re.sub(r"\brequires\s*\((?:[^()]|\([^()]*\))*\)", "", before))
    if not found:
        return "a function"
    if found.group(1).startswith("TEST"):
        return f"{found.group(2)}.{found.group(3)}"
    return found.group(1)
