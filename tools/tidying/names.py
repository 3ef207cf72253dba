"""Names: of files, of what is in them, of tests."""
import re

# Words that say nothing about what a thing is.
BANNED = {"util", "utils", "helper", "helpers", "manager", "managers", "common"}
NOT_OURS = {"common_type", "common_type_t", "common_reference", "common_reference_t", "common_with",
            "common_reference_with"}
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*\b")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# Folder -> what the test files in it are called. The build finds them by these names.
SUFFIXES = {"test/unit": "_test.cpp", "test/redis": "_redis_test.cpp", "test/cli": "_redis_test.cpp",
            "test/drill": "_redis_test.cpp", "test/sim": "_sim_test.cpp", "test/fuzz": "_fuzz.cpp",
            "bench": "_bench.cpp"}
IS_TEST = re.compile(r"^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\s*\(", re.MULTILINE)
IS_FUZZ = re.compile(r"\bLLVMFuzzerTestOneInput\b")
IS_BENCH = re.compile(r"^\s*BENCHMARK\w*\s*\(", re.MULTILINE)


def parts(name):
    return {part.lower() for part in PART.findall(name)}


def check(tree):
    built = {word for file in tree.files if file.path == "test/CMakeLists.txt"
             for word in re.findall(r"\w+", file.text)}
    for file in tree.files:
        for word in sorted(parts(file.path) & BANNED):
            yield file.finding(1, f"a file named \"{word}\": say what it is about")
        if file.is_cpp:
            yield from identifiers(file)
            yield from test_names(file, built)


def identifiers(file):
    seen = set()
    for number, line in enumerate(file.code_lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for name in IDENTIFIER.findall(line):
            if name in seen or name in NOT_OURS:
                continue
            seen.add(name)
            for word in sorted(parts(name) & BANNED):
                yield file.finding(number, f"{name}: \"{word}\" says nothing about what it is; name what it does")


def test_names(file, built):
    if file.suffix != ".cpp":
        return
    for folder, suffix in SUFFIXES.items():
        if not file.starts_with(folder) or file.name.endswith(suffix):
            continue
        if IS_TEST.search(file.code) or IS_FUZZ.search(file.code) or IS_BENCH.search(file.code):
            yield file.finding(1, f"a test in {folder}/ that is not built: name it *{suffix}")
    if IS_TEST.search(file.code) and not file.starts_with(*SUFFIXES):
        yield file.finding(1, "a test in a folder that is not built as tests: move it to " +
                           ", ".join(f"{folder}/ (*{suffix})" for folder, suffix in SUFFIXES.items()))
    if file.starts_with("test/unit") and file.name.endswith("_redis_test.cpp"):
        yield file.finding(1, "a test against real servers among the pure ones: move it to test/redis/")
    if file.starts_with("test/unit") and file.path.split("/")[2] not in built:
        yield file.finding(1, "test/CMakeLists.txt does not name this folder, so its tests are not built: add it there")
