"""Put the tables of benchmarks/results into README and docs, between their markers; --check fails where they differ."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARKER = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def table(name: str) -> str:
    """Write one result file as a Markdown table, with what it was measured on."""
    found = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    rows, where = found["rows"], found["environment"]
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join("" if value is None else str(value) for value in row.values()) + " |" for row in rows]
    note = (
        f"`benchmarks/results/{name}.json`, {where['date']}, {where['processor']}, {where['threads']} threads, "
        f"NumPy {where['numpy']}, SciPy {where['scipy']}"
    )
    return "\n".join([*lines, "", note, ""])


def main() -> None:
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fresh = MARKER.sub(lambda match: match[1] + table(match[2]) + match[3], text)
        if fresh != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(fresh, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"tables differ from benchmarks/results in {', '.join(stale)}: run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
