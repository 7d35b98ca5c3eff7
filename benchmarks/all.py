"""Every benchmark, one after the other, on the page of this kind of processor: `make bench`, under an hour.

    python benchmarks/all.py                     # everything
    python benchmarks/all.py --only layers memory    # sections whose script or title has one of these words
    python benchmarks/all.py --quick             # small and few, printed only, to see that everything works

docs/performance/<kind of processor>.md gets the sections that were run and keeps its others; pages of other kinds stay
as they are. docs/performance.md gets the notes, and a link to each page.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from processors import file_name, kind, libraries

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PARTS = {
    "One training step beside other systems": ("training_step.py", []),
    "Where the time goes": ("step_parts.py", []),
    "What was tried and left out": ("tried.py", []),
    "How the cost grows": ("training_step.py", ["--scaling", "--repetitions", "3"]),
    "Resident memory beside other systems": ("resident.py", []),
    "Memory, and long runs": ("memory.py", []),
    "One run on two processes": ("ranks.py", []),
    "What the Trainer, the import and the first step cost": ("overhead.py", []),
    "Single layers beside PyTorch": ("layers.py", []),
}
NOTES, HEADING = "performance_notes.md", "\n## "


def main() -> None:
    """Run the parts and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and few, printed only")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="sections with one of these words")
    options = parser.parse_args()
    sections = {}
    for title, (script, more) in PARTS.items():
        if not any(word in f"{title} {script}" for word in options.only):
            continue
        command = [script, *more, *(["--quick"] if options.quick else [])]
        print(f"\n## {title}\n\n`python benchmarks/{' '.join(command)}`\n", flush=True)
        done = subprocess.run(
            [sys.executable, HERE / command[0], *command[1:]], stdout=subprocess.PIPE, text=True, check=True
        )
        print(done.stdout, flush=True)
        sections[title] = f"`python benchmarks/{' '.join(command)}`\n\n{done.stdout.strip()}"
    if not options.quick:
        write(sections, DOCS, kind(), libraries())


def write(sections: Mapping[str, str], docs: Path, processor: str, behind: list[str]) -> None:
    """The sections on the page of this processor, and the page that leads to all."""
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    page = folder / file_name(processor)
    kept = sections_of(page.read_text(encoding="utf-8")) if page.exists() else {}
    together = kept | dict(sections)
    head = [
        f"# Performance: {processor}",
        "Written by `make bench` on this kind of processor; [performance.md](../performance.md) says how to read it.",
        "\n".join(f"- {line}." for line in behind),
    ]
    body = [f"## {title}\n\n{together[title]}" for title in PARTS if title in together]
    page.write_text("\n\n".join([*head, *body]) + "\n", encoding="utf-8")
    notes = (HERE / NOTES).read_text(encoding="utf-8").strip()
    links = "\n".join(f"- [{title_of(one)}](performance/{one.name})" for one in sorted(folder.glob("*.md")))
    (docs / "performance.md").write_text(f"# Performance\n\n## Tables\n\n{links}\n\n{notes}\n", encoding="utf-8")
    print(f"wrote {page}")


def sections_of(text: str) -> dict[str, str]:
    """What stands below each heading of a page that was written before."""
    parts = (part.partition("\n\n") for part in text.split(HEADING)[1:])
    return {title: body.strip() for title, _, body in parts}


def title_of(page: Path) -> str:
    """The processor in its heading."""
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# Performance: ")


if __name__ == "__main__":
    main()
