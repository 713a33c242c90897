# SPDX-License-Identifier: BSD-3-Clause
"""The pages show what their commands print, to the letter; their links and paths exist; the snippets of README.md work.

usage: test_readme.py REPLAY SOURCE_ROOT [--update]    --update: puts into the pages what the commands print now
"""
import glob
import itertools
import os
import pathlib
import re
import shlex
import subprocess
import sys

REPLAY, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
LIBRARY = pathlib.Path(REPLAY).parents[1] / "lib" / "libmoepredict.so.0"
README, EXAMPLES = ROOT / "README.md", ROOT / "examples" / "README.md"
PAGES = [README, EXAMPLES] + [ROOT / page for page in (
    "examples/data/README.md", "tests/README.md", "tests/bench/README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
TRACE, UNSEEN = (ROOT / "examples" / "data" / f"{name}.npy" for name in ("small16-seed1", "mid32-seed5"))
SCRIPTS = {"windows": 50, "methods": 100, "kinds": 180, "plans": 50}  # each prints more numbers than this
MOST_LINES = 150  # of README.md


def printed(*command, **options):
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, **options)
    assert run.returncode == 0, f"{command}: {run.stderr}"
    return run.stdout


# ---- links and paths ----

SUFFIXES = (".c", ".h", ".py", ".sh", ".md", ".map", ".png", ".json", ".toml")
PLACEHOLDER = re.compile("NAME|TRACE|FILE|FOLDER|METHOD|TEST|YOUR")  # a word of a path that stands for another
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def source_names():
    """Of files, and, with a slash, of folders."""
    names = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "build")]
        names.update(files, (name + "/" for name in folders))
    return names


def spellings(path):
    """Of a path with braces, each path that it stands for."""
    parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"(\{[^{}]*\})", path)]
    return ["".join(choice) for choice in itertools.product(*parts)]


def code_words(text):
    """The words of inline code and of shell commands; names without a folder where they stand alone."""
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)) + [code for name, code in FENCE.findall(text) if name == "sh"]:
        words = code.split()
        yield from (word for word in words if "/" in word or (len(words) == 1 and word.endswith(SUFFIXES)))


def is_path(word):
    """No option, nothing that a build makes, no path of the machine's."""
    return bool(re.fullmatch(r"[\w.][\w.*{},/+-]*", word)) and not PLACEHOLDER.search(word) and not re.match(
        r"(\./)?build(/|$)", word)


def anchors(page):
    """Of its headings, as GitHub makes them."""
    headings = re.findall("^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def missing_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        if "://" not in target and (not linked.exists() or (anchor and anchor not in anchors(linked))):
            yield target


def missing_paths(page, names):
    """A path begins at the root, in lib as includes do, or in the page's folder."""
    text = page.read_text()
    for path in (path for word in code_words(text) if is_path(word) for path in spellings(word)):
        here = any(glob.glob(str(base / path)) for base in (ROOT, ROOT / "lib", page.parent))
        if not here and path not in names:
            yield path


def benchmarks():
    """The names that run.sh lists, and those of the table in README.md beside it."""
    folder = ROOT / "tests" / "bench"
    return (re.findall(r"^#   (\w+) ", (folder / "run.sh").read_text(), re.MULTILINE),
            re.findall(r"^\| `(\w+)` \|", (folder / "README.md").read_text(), re.MULTILINE))


# ---- snippets ----

def snippet(language):
    found = [code for name, code in FENCE.findall(README.read_text()) if name == language]
    assert len(found) == 1, f"README.md has {len(found)} snippets of {language}"
    return found[0]


def check_c():
    """Compiled as the body of a function: its variables that it does not declare, and its host's two functions."""
    code = snippet("c")
    includes = re.findall("^#include .*\n", code, re.MULTILINE)
    body = re.sub("^#include .*\n", "", code, flags=re.MULTILINE)
    program = "".join(includes) + ("int train_one_step(int64_t *counts);\nint time_to_place_experts(void);\n"
                                   "void run(size_t layers, size_t experts, int64_t *counts, double *shares);\n"
                                   "void run(size_t layers, size_t experts, int64_t *counts, double *shares)\n"
                                   "{\n" + body + "}\n")
    printed(*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
            "-I", ROOT / "include", "-x", "c", "-", input=program)


def check_python():
    """Run with the library that was built with replay; a build of the static library alone has none for Python."""
    if not LIBRARY.exists():
        return
    wanted = ("assert shares.shape == (6, 16) and abs(shares.sum(1) - 1).max() < 1e-12\n"
              "assert stable.shape == (6,) and stable.any()\n")
    printed(sys.executable, "-c", snippet("python") + wanted, cwd=ROOT, env={
        **os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python"), "MOEPREDICT_LIBRARY": str(LIBRARY)})


# ---- tables ----

def blocks(output):
    return output.strip("\n").split("\n\n")


def updated(text, block):
    """A page with the block in place of the one that begins with the same line."""
    first = re.escape(block.splitlines()[0])
    text, found = re.subn(rf"^{first}\n(?:(?!```).+\n)*", lambda old: block + "\n", text, flags=re.MULTILINE)
    assert found == 1, f"{found} blocks of the page begin with {first}"
    return text


def cells(row):
    """Of a row of a table."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def beside_the_best_window(table):
    """AUTO's figures in the words of README.md, from the last cells of the table's rows."""
    more = sorted(int(cells(row)[-1].split(" / ")[0]) for row in table.splitlines()[2:])
    assert len(more) == 4 and more[2] < 0 < more[3], more
    return (f"AUTO is {-more[2]} to {-more[0]} % better than the best window on three runs, and {more[3]} % worse on the "
            f"fourth")


def expect(page, wanted):
    """That the page is as wanted already; with --update it becomes so."""
    if "--update" in sys.argv:
        page.write_text(wanted)
    for is_line, line in zip(page.read_text().splitlines(), wanted.splitlines()):
        assert is_line == line, f"{page} shows\n{is_line}\nbut now (--update puts it in) this is printed:\n{line}"
    assert page.read_text() == wanted, f"{page} is not as long as what is printed now; --update puts that in"


def check_tables():
    """A build of the static library alone has none for Python, and so none for plans.sh."""
    if not LIBRARY.exists():
        SCRIPTS.pop("plans")
    tools = {**os.environ, "REPLAY": REPLAY, "PYTHON": sys.executable, "MOEPREDICT_LIBRARY": str(LIBRARY)}
    tables = {name: printed("sh", ROOT / "examples" / f"{name}.sh", env=tools) for name in SCRIPTS}
    for name, numbers in SCRIPTS.items():
        assert len(re.findall(r"\d\.\d", tables[name])) > numbers, tables[name]
    of_readme = blocks(tables["kinds"])[0]
    wanted = updated(README.read_text(), of_readme)
    expect(README, updated(wanted, blocks(tables["plans"])[0]) if "plans" in tables else wanted)
    assert (words := beside_the_best_window(of_readme)) in " ".join(README.read_text().split()), words
    examples = EXAMPLES.read_text()
    capacity = printed(pathlib.Path(REPLAY).with_name("capacity"), "--ranks", 8, "--slots", 24, "--plan", TRACE)
    for output in (printed(REPLAY, UNSEEN), capacity, *tables.values()):
        for block in blocks(output):
            examples = updated(examples, block)
    expect(EXAMPLES, examples)


def check_late_windows():
    text = " ".join(EXAMPLES.read_text().split())
    for window in (200, 1000):
        output = printed(REPLAY, "--method", "sw_avg", "--first", 5000, "--window", window, TRACE)
        of_mean = next(line.split()[5] for line in output.splitlines() if line.split()[:1] == ["all"])
        assert f"{of_mean} % with window {window}" in text, of_mean


lines = len(README.read_text().splitlines())
assert lines <= MOST_LINES, f"README.md has {lines} lines, more than {MOST_LINES}"
names = source_names()
missing = [f"{page.relative_to(ROOT)}: {path}" for page in PAGES
           for path in (*missing_links(page), *missing_paths(page, names))]
assert not missing, "these do not exist:\n" + "\n".join(missing)
listed, shown = benchmarks()
assert listed == shown, f"tests/bench/run.sh lists {listed}, README.md beside it {shown}"
check_c()
check_python()
check_late_windows()
check_tables()
