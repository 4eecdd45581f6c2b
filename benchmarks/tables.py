"""Put the tables of benchmarks/results into README and docs, between their markers; --check fails where they differ.

A marker may ask for some rows and some columns alone, in this order: ``table: rnn; ensemble = input noise | unlabelled
inputs; show = method | 90 %``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARKER = re.compile(r"(<!-- table: (\w+)(.*?) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def table(name: str, choice: str = "") -> str:
    """Write one result file as a Markdown table, with what it was measured on."""
    file = ROOT / "benchmarks" / "results" / f"{name}.json"
    if not file.exists():
        return f"Not measured yet: `benchmarks/results/{name}.json` is missing.\n"
    found = json.loads(file.read_text(encoding="utf-8"))
    rows, where = chosen(found["rows"], choice), found["environment"]
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join("" if value is None else str(value) for value in row.values()) + " |" for row in rows]
    note = (
        f"`benchmarks/results/{name}.json`, {where['date']}, {where['processor']}, {where['threads']} threads, "
        f"NumPy {where['numpy']}, SciPy {where['scipy']}"
    )
    return "\n".join([*lines, "", note, ""])


def chosen(rows: list[dict[str, object]], choice: str) -> list[dict[str, object]]:
    """Keep the rows and columns that a marker asks for; a choice that leaves nothing is a mistake."""
    for part in filter(None, map(str.strip, choice.split(";"))):
        column, _, text = part.partition(" = ")
        values = [value.strip() for value in text.split(" | ")]
        if column == "show":
            rows = [{name: row[name] for name in values} for row in rows]
        else:
            rows = [row for row in rows if str(row[column]) in values]
    if not rows:
        sys.exit(f"no rows are left by the marker with {choice!r}")
    return rows


def main() -> None:
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fresh = MARKER.sub(lambda match: match[1] + table(match[2], match[3]) + match[4], text)
        if fresh != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(fresh, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"tables differ from benchmarks/results in {', '.join(stale)}: run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
