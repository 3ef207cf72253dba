"""One class, one file: the members of a class of src/ are defined in one .cpp, or in its header."""
import re

from tidying.shape import definitions

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
