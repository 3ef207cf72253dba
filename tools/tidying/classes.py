"""One class, one file: the members of a class of src/ are defined in one .cpp, or in its header."""
import re

NAMESPACE = re.compile(r"\bnamespace(?:\s+([\w:]+))?\s*$")
TEMPLATE_ARGUMENTS = re.compile(r"<[^<>()]*>")
FIRST_NAME = re.compile(r"((?:\w+\s*::\s*)*)(?:operator\s*\(\s*\)|operator[^(]*|~?\w+)\s*\(")


def check(tree):
    sources = [file for file in tree.cpp if file.starts_with("src") and file.suffix == ".cpp"]
    members = [(file, *member) for file in sources for member in members_of(file)]
    namespaces = {scope for _, _, scope, _ in members}
    files = {}  # class -> {path: (file, line of its first member there)}
    for file, line, scope, qualifier in members:
        name = "::".join(filter(None, (scope, qualifier)))
        if qualifier and name not in namespaces:
            files.setdefault(name, {}).setdefault(file.path, (file, line))
    for name, places in files.items():
        for path in sorted(places)[1:]:
            file, line = places[path]
            yield file.finding(line, f"members of {name} are defined here and in {min(places)}: a class is one file; "
                                     "carve an object with a subject of its own out of it")


def members_of(file):
    """Line, namespace and class (empty for a free function) of each function that is defined in `file`."""
    for line, _, head, around in definitions(file):
        scopes = [NAMESPACE.search(text) for text in around]
        if not all(scopes):
            continue  # inside a class
        scope = "::".join(found.group(1) or file.path for found in scopes)  # an unnamed one is the file's own
        text = head
        while TEMPLATE_ARGUMENTS.search(text):
            text = TEMPLATE_ARGUMENTS.sub("", text)
        found = FIRST_NAME.search(text)
        if found:
            yield line, scope, "::".join(re.findall(r"\w+", found.group(1)))


NOT_A_FUNCTION = re.compile(r"^\s*(?:if|else|for|while|switch|do|try|catch|namespace|class|struct|union|enum|extern)\b")
DEFAULTED = re.compile(r"=\s*default\s*$")
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)


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
