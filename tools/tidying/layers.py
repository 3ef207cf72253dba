"""Which file may include which, and what the pure layers may not name (docs/architecture.md)."""
import re

# A file includes only its own layer or lower ranks.
RANKS = {"core": 0, "resp": 1, "policy": 1, "link": 2, "commands": 2, "config": 2, "view": 2, "topology": 3, "lane": 3,
         "engine": 4, "runtime": 5, "runtime/shared": 5, "runtime/poll": 5, "runtime/asio": 5, "client": 6,
         "client/async": 6,
         "lab": 7, "sim": 7, "apps": 8}
PURE = 4  # up to this rank: no socket, thread, clock, entropy or Boost

# A public header belongs to the layer that implements it.
PUBLIC = {"time": "core", "endpoint": "core", "error": "core", "result": "core", "delivery": "core", "random": "core",
          "event": "core", "text_list": "core", "stats": "core",
          "command_observer": "core", "value": "resp", "command": "resp", "policy/": "policy",
          "config": "config", "uri": "config",
          "retry": "runtime", "client": "client", "deployment": "client", "call_options": "client",
          "calls": "client", "set_options": "client", "shared_client": "client", "dedicated_client": "client",
          "detail/everyday_commands": "client",
          "holdfast": "client", "async": "client/async", "async_retry": "client/async",
          "detail/async_call": "client/async", "detail/error_text": "core", "detail/requirements": "core",
          "detail/value_conversion": "resp", "detail/reply_reader": "resp"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)

IMPURE_HEADERS = re.compile(
    r"^(?:boost/.*|asio.*|sys/.*|netinet/.*|arpa/.*|net/.*|linux/.*|openssl/.*|ares\.h|netdb\.h|unistd\.h|poll\.h|"
    r"fcntl\.h|signal\.h|csignal|pthread\.h|time\.h|ctime|thread|mutex|shared_mutex|condition_variable|future|"
    r"semaphore|latch|barrier|stop_token|random|fstream|iostream|filesystem)$")
IMPURE_WORDS = [
    (re.compile(r"::\s*now\s*\("), "reads a clock", "take the time as an argument"),
    (re.compile(r"\b(?:gettimeofday|clock_gettime|localtime|gmtime)\b|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)"),
     "reads a clock", "take the time as an argument"),
    (re.compile(r"\bstd::random_device\b|\bgetrandom\b|(?<![\w.>])s?rand\s*\("), "names entropy",
     "take a holdfast::random_source as an argument"),
    (re.compile(r"\bstd::(?:j?thread|mutex|condition_variable\w*|async|this_thread)\b|\bsleep_(?:for|until)\b"),
     "names a thread", "leave it to the runtime"),
    (re.compile(r"\bboost::"), "names Boost", "leave it to runtime/asio"),
    (re.compile(r"(?<![\w.>:])::(?:socket|connect|send|recv|read|write|poll|close|getaddrinfo)\s*\("), "names a socket",
     "leave it to the runtime"),
    (re.compile(r"\bgetenv\b"), "reads the environment", "take it as configuration"),
]


def layer_of(path):
    """The layer that a file belongs to; None where it belongs to none (tests, examples)."""
    parts = path.split("/")
    if path.startswith("include/holdfast/"):
        name = path[len("include/holdfast/"):-len(".hpp")]
        return PUBLIC.get(name, PUBLIC.get(parts[2] + "/"))
    if parts[0] == "src" and len(parts) > 2:
        nested = "/".join(parts[1:3])
        return nested if nested in RANKS else parts[1]
    if parts[0] in ("lab", "sim", "apps"):
        return parts[0]
    return None


def belongs_somewhere(file):
    return file.starts_with("include", "src", "lab", "sim", "apps")


def resolve(tree, file, public, private):
    """The path in this tree that an include means; None for what is not ours."""
    if public:
        path = "include/" + public
        return path if public.startswith("holdfast/") else None
    here = file.path.rsplit("/", 1)[0]
    for folder in ("src/", "", "test/", "apps/holdfast/", here + "/"):
        if folder + private in tree.paths:
            return folder + private
    return "src/" + private


def check(tree):
    for file in tree.cpp:
        layer = layer_of(file.path)
        if belongs_somewhere(file) and layer not in RANKS:
            yield file.finding(1, "belongs to no known layer: add it to the table in tools/tidying/layers.py")
            continue
        yield from includes(tree, file, layer)
        if layer is not None and RANKS[layer] <= PURE:
            yield from purity(file)


def includes(tree, file, layer):
    limit = layer
    if file.starts_with("test/unit"):
        path = file.path[len("test/unit/"):].replace("runtime_", "runtime/").replace("client_", "client/")
        limit = layer_of("src/" + path)
    for match in INCLUDE.finditer(file.code):
        line = file.code.count("\n", 0, match.start(1) if match.group(1) else match.start(2)) + 1
        target = resolve(tree, file, match.group(1), match.group(2))
        if target is None:
            continue
        if target not in tree.paths:
            yield file.finding(line, f"includes {match.group(1) or match.group(2)}, which does not exist: name it from "
                                     "src/ (\"layer/file.hpp\") or as <holdfast/file.hpp>")
            continue
        theirs = layer_of(target)
        if limit in RANKS and theirs in RANKS and not may_include(limit, theirs):
            yield file.finding(line, f"{limit} (rank {RANKS[limit]}) includes {theirs} (rank {RANKS[theirs]}): "
                                     "move what is needed down, or this file up")


def may_include(ours, theirs):
    shared = theirs == "runtime/shared" and ours.startswith("runtime/")
    return RANKS[theirs] < RANKS[ours] or theirs == ours or ours.startswith(theirs + "/") or shared


def purity(file):
    for match in INCLUDE.finditer(file.code):
        header = match.group(1) or match.group(2)
        if IMPURE_HEADERS.match(header):
            line = file.code.count("\n", 0, match.start(1) if match.group(1) else match.start(2)) + 1
            yield file.finding(line, f"a pure layer includes <{header}>: no socket, thread, clock, entropy or Boost up "
                                     f"to rank {PURE}; leave it to the runtime")
    for number, line in enumerate(file.code_lines, 1):
        for pattern, what, instead in IMPURE_WORDS:
            if pattern.search(line):
                yield file.finding(number, f"a pure layer {what}: {instead}")
