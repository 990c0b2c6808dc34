"""Writes the list of files at the end of ARCHITECTURE.md from the first line of each module: `make map`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "lamina"
BEGIN, END = "<!-- map: written by tools/architecture_map.py -->\n", "<!-- end of map -->"


def purpose(path: Path) -> str:
    """The first line of the module's docstring, fit for a cell of a table."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if not docstring:
        raise SystemExit(f"{path.relative_to(ROOT)} does not begin by saying what it is for")
    return docstring.splitlines()[0].replace("``", "`").replace("|", "\\|")


def table() -> str:
    paths = sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.parent != PACKAGE, path))
    modules = [path for path in paths if path.name != "__init__.py"]
    rows = [f"| `{path.relative_to(PACKAGE).as_posix()}` | {purpose(path)} |" for path in modules]
    return "\n".join(["| file of `src/lamina/` | what it is for |", "|---|---|", *rows]) + "\n"


def main() -> None:
    path = ROOT / "ARCHITECTURE.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
