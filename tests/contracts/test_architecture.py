"""What must be true of the source as a whole: how imports go, what an import loads, names, words, the map."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lamina"
MODULES = sorted(PACKAGE.rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STAGES = [name.strip("()") for name in reversed(PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"])]

# The only places that may import a library beyond NumPy and Python's own.
LIBRARIES = {
    "duckdb": ("tables/",),
    "h5py": ("saving/",),
    "keras": ("bridge/",),
    "matplotlib": ("utils/plotting.py",),
    "tensorflow": ("utils/datasets.py",),
    "rich": ("cli/", "callbacks/progress.py", "models/summary.py"),
    "sklearn": ("wrappers/",),
    "typer": ("cli/",),
}
# Modules named after a library would hide it; the others say nothing about what they hold.
OTHERS = ["numpy", "jax", "keras", "torch", "tensorflow", "onnx", "sklearn", "pandas", "ray", "matplotlib"]
BAD_NAMES = {*LIBRARIES, *OTHERS, "utils", "util", "helpers", "common", "misc"}
# Words of the workshop that do not belong in the house; written so that they do not find themselves.
BAD_WORDS = re.compile(
    r"[/]work/|[/]tmp/|[T]ODO|[F]IXME|[N]otImplementedError|(?i:\bissue [#]?\d|[s]ubagent|[c]oding agent)"
)


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def stage_of(path: Path) -> str:
    """`graph` for graph/node.py, `engine` for engine.py."""
    return relative(path).split("/")[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that the file imports when it runs, in full (`lamina.graph`), with its line."""
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node)
            names = [f"{base}.{alias.name}" for alias in node.names] if base == "lamina" else [base]
            yield from ((name, node.lineno) for name in names)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it but what stands under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from running(child)


def absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = ("lamina", *path.relative_to(PACKAGE).parts[:-1])
    above = folder[: len(folder) - node.level + 1]
    return ".".join([*above, *filter(None, [node.module])])


def test_the_stages_are_all_the_modules() -> None:
    found = {stage_of(path) for path in MODULES} - {"__init__"}
    homeless = found - set(STAGES)
    assert not homeless, f"give {sorted(homeless)} a place in the layers of pyproject.toml"


def test_imports_go_one_way() -> None:
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in MODULES
        if stage_of(path) != "__init__"
        for name, line in imports(path)
        if name.startswith("lamina.") and name.split(".")[1] in STAGES
        if STAGES.index(name.split(".")[1]) > STAGES.index(stage_of(path))
    ]
    assert not wrong


def test_no_module_imports_the_whole() -> None:
    assert not [relative(path) for path in MODULES for name, _ in imports(path) if name == "lamina"]


def test_only_one_file_knows_the_core() -> None:
    importers = {relative(path) for path in MODULES for name, _ in imports(path) if "lamina._core" in name}
    assert importers == {"plan/run.py"}


def test_libraries_are_imported_in_their_own_place_only() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "lamina", "__future__"}
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in MODULES
        for name, line in imports(path)
        if (top := name.split(".")[0]) not in allowed
        if not relative(path).startswith(LIBRARIES.get(top, ()))
    ]
    assert not wrong


def test_import_loads_numpy_and_nothing_else() -> None:
    code = "import lamina, sys; print(*{name.split('.')[0] for name in sys.modules})"
    bare = run_python("import numpy, sys; print(*{name.split('.')[0] for name in sys.modules})")
    extra = set(run_python(code).split()) - set(bare.split()) - set(sys.stdlib_module_names)
    assert extra == {"lamina"}


def test_import_prints_nothing() -> None:
    assert run_python("import lamina") == ""


def run_python(code: str) -> str:
    """What the code prints on either stream in a fresh interpreter, where a warning is an error."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_no_module_has_a_name_that_hides_or_says_nothing() -> None:
    assert not [relative(path) for path in MODULES if path.stem in BAD_NAMES]


def tracked_text() -> list[Path]:
    """Every file of the repository that is text, of those that belong to it."""
    folders = ("src", "core", "tests", "benchmarks", "examples", "tools", "docs", ".ci")
    suffixes = {".py", ".pyi", ".md", ".toml", ".cpp", ".hpp", ".h", ".def", ".txt", ""}
    below = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    beside = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    return [path for path in below + beside if path.suffix in suffixes and "__pycache__" not in path.parts]


def test_the_repository_speaks_of_lamina_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found.group()}"
        for path in tracked_text()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := BAD_WORDS.search(line))
    ]
    assert not wrong


def test_every_module_has_its_line_in_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = [relative(path) for path in MODULES if path.name != "__init__.py"]
    assert not [name for name in names if f"| `{name}` |" not in text], "run `make map`"


def test_every_file_of_the_core_has_its_line_in_the_map() -> None:
    text = (ROOT / "core" / "README.md").read_text(encoding="utf-8")
    files = [path for path in (ROOT / "core").rglob("*.*") if path.suffix in {".cpp", ".hpp", ".def"}]
    named = {Path(word).name for word in re.findall(r"`([\w./]+)`", text)}
    assert not [path.name for path in files if not {path.name, f"{path.stem}.cpp"} & named]
