# SPDX-License-Identifier: BSD-3-Clause
"""The public header can be read from top to bottom, and its prose is short.

No line has more than 118 columns and no sentence more than 30 words. The contents list names the sections that there
are, in their order. Types are declared before they are mentioned. Every function, type and field has a comment.

usage: check_header.py HEADER
"""
import re
import sys

COLUMNS, WORDS = 118, 30
COMMENT = re.compile(r"/\*.*?\*/", flags=re.S)
FUNCTION = re.compile(r"^MOEP_API .*?(moep_\w+)\(", flags=re.M)
SECTION = re.compile(r"^/\* ---- (.+?) -+ \*/$", flags=re.M)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def long_lines(text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns, more than {COLUMNS}"


def parts(comment):
    """Paragraphs and items of lists, without formulas and code. An item's next lines begin where its text does."""
    part, column, verbatim = [], 0, False
    for line in comment.split("\n"):
        line = re.sub(r"^( \* ?|/\* ?)", "", line).rstrip(" */")
        indent = len(line) - len(line.lstrip())
        if not line or indent != column or line.startswith(("- ", "Errors:", "Cost:")):
            yield " ".join(part)
            item = re.match(r" *(- |\S.*? {2,})", line)
            part, column, verbatim = [], item.end() if item else indent, indent >= 4 and not item
        if not verbatim:
            part.append(line)
    yield " ".join(part)


def sentences(comment):
    for part in parts(comment):
        yield from re.split(r"(?<=[\w)`\"%][.?!])\s+", part)


def long_sentences(text):
    for comment in COMMENT.finditer(text):
        for sentence in sentences(comment[0]):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            if len(words) > WORDS:
                yield line_of(text, comment.start()), f"{len(words)} words: {' '.join(words[:8])} ..."


def contents_faults(text):
    listed = re.search(r"^ \* Contents\b.*?\n((?: \*     .*\n)+)", text, flags=re.M)
    names = re.findall(r"^ \*     (\S+)  +\S", listed[1], flags=re.M) if listed else []
    sections = [section[1] for section in SECTION.finditer(text)]
    if not names or names != sections:
        yield 1, f"the contents list has {names}, the sections are {sections}"


def early_mentions(text):
    """Types that are named before the place, or the comment of the place, where they are declared."""
    first = SECTION.search(text)
    begin = first.end() if first else 0
    for declared in re.finditer(r"(?:/\*(?:(?!\*/).)*\*/\n)?^typedef (?:struct |int32_t )(moep_\w+)", text, flags=re.M | re.S):
        mention = re.search(rf"\b{declared[1]}\b", text[begin:])
        if begin + mention.start() < declared.start():
            yield line_of(text, begin + mention.start()), f"{declared[1]} is mentioned before it is declared"


def without_comment(text):
    lines = text.split("\n")
    inside = False
    for number, line in enumerate(lines, 1):
        above = lines[number - 2]
        explained = re.match(r" *(/\*| \*).*\*/$", above)
        if inside and re.match(r" {4}\w", line) and "/*" not in line and not explained:
            yield number, f"a field without a comment: {line.strip()}"
        if line.startswith(("MOEP_API", "typedef")) and not explained and not above.endswith(";"):
            yield number, f"no comment before: {line}"
        inside = (inside or line.startswith("typedef struct") and line.endswith("{")) and not line.startswith("}")


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    checks = (long_lines, long_sentences, contents_faults, early_mentions, without_comment)
    faults = [fault for check in checks for fault in check(text)]
    for number, fault in sorted(faults):
        print(f"{path}:{number}: {fault}")
    print(f"{text.count(chr(10))} lines, {len(SECTION.findall(text))} sections, {len(FUNCTION.findall(text))} functions")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
