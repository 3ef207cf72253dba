"""The list of the lines that no test runs, and why. It names lines by their text, so that it survives edits elsewhere:

   src/lane/lane.cpp
      why: the reason, in one line or in several
         ... switch (kind) {
         > default: return false;

Below `...`, with the line of code that stands before them where that helps, are lines that follow each other. Of a
function that is not run at all there is only the first, behind `>>`.
"""
import textwrap
from collections import Counter, namedtuple

UNKNOWN = "reason?"

# before: the text of the line of code before them, or ""; where: the number of the first line, which no list has.
Group = namedtuple("Group", "path before lines why where")


def key(group):
    return group.path, group.before, group.lines


def groups_of(path, counted):
    """The uncovered lines of a file: a group each of those between which nothing is covered and no function begins. But
    functions that follow each other, none of which is run, are one."""
    groups = []
    open_group = []
    for line, runs in sorted(counted.runs.items()):
        begins = line in counted.functions
        if runs != 0 or (open_group and begins and open_group[0] not in counted.functions):
            open_group = []
        if runs == 0:
            if not open_group:
                groups.append(open_group)
            open_group.append(line)
    return [Group(path, "" if group[0] in counted.functions else code_before(counted.text, group[0]),
                  shortened(counted, group), "", group[0]) for group in groups]


def shortened(counted, group):
    """Lines that follow each other, of a whole function only the first."""
    lines, last = [], 0
    for line in group:
        if line <= last:
            continue
        end = counted.functions.get(line, 0)
        whole = end > line and all(runs == 0 for other, runs in counted.runs.items() if line <= other <= end)
        last = end if whole else line
        lines.append((">> " if whole else "> ") + counted.text[line - 1])
    return tuple(lines)


def code_before(text, number):
    for line in reversed(text[:number - 1]):
        if line.strip("};") and not line.startswith("//"):
            return line
    return ""


def parse(text):
    groups, path, why, open_group = [], "", "", None
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or line.startswith("#"):
            continue
        if not line.startswith(" "):
            path, why, open_group = word, "", None
        elif word.startswith("why: "):
            why, open_group = word.removeprefix("why: "), None
        elif word == "..." or word.startswith("... "):
            open_group = Group(path, word[4:], (), why, 0)
            groups.append(open_group)
        elif word.startswith(("> ", ">> ")) and open_group is not None:
            open_group = open_group._replace(lines=open_group.lines + (word,))
            groups[-1] = open_group
        elif why and open_group is None:
            why += " " + word
        else:
            raise SystemExit(f"coverage: line {number} of the list is neither a file, nor `why:`, `...` or `>`: {line}")
    for group in groups:
        if not group.lines:
            raise SystemExit(f"coverage: {group.path} in the list: no line stands below `... {group.before}`")
    return groups


def compare(listed, uncovered):
    """What is wrong, one line each."""
    known, found = Counter(map(key, listed)), Counter(map(key, uncovered))
    problems = []
    for group in uncovered:
        if known[key(group)] > 0:
            known[key(group)] -= 1
        else:
            problems.append(f"{group.path}:{group.where}: run by no test, and not listed: {brief(group)}")
    for group in listed:
        if found[key(group)] > 0:
            found[key(group)] -= 1
        else:
            problems.append(f"{group.path}: listed, but covered now, changed or gone: {brief(group)}")
        if group.why.startswith(UNKNOWN) or not group.why:
            problems.append(f"{group.path}: listed without a reason: {brief(group)}")
    return problems


def brief(group):
    more = len(group.lines) - 1
    return group.lines[0].lstrip("> ") + (f"  (and {more} more)" if more else "")


def with_known_reasons(listed, uncovered):
    """A group keeps its reason, and so does what is left of it. One with a line that is new asks for a reason anew."""
    given = []
    for group in uncovered:
        same = [old for old in listed if key(old) == key(group)]
        left = [old for old in listed if old.path == group.path and not Counter(group.lines) - Counter(old.lines)]
        given.append(group._replace(why=(same + left)[0].why if same or left else UNKNOWN))
    return given


def write(heading, groups):
    out = [heading.rstrip("\n"), ""]
    for path in sorted({group.path for group in groups}):
        out.append(path)
        here = [group for group in groups if group.path == path]
        for why in dict.fromkeys(group.why for group in here):
            out += textwrap.wrap(f"why: {why}", 117, initial_indent=" " * 3, subsequent_indent=" " * 8)
            for group in here:
                if group.why == why:
                    out.append(" " * 6 + f"... {group.before}".rstrip())
                    out += [" " * 6 + line for line in group.lines]
        out.append("")
    return "\n".join(out).rstrip("\n") + "\n"
