"""Every benchmark, one after the other, printed and written to docs/performance.md: `make bench`, about half an hour.

python benchmarks/all.py            # everything
python benchmarks/all.py --quick    # small and few, printed only, to see that everything works
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
PARTS = {
    "One training step beside other systems": ("training_step.py", []),
    "Where the time goes": ("step_parts.py", []),
    "What was tried and left out": ("tried.py", []),
    "How the cost grows": ("training_step.py", ["--scaling"]),
    "Memory, and long runs": ("memory.py", []),
    "What the Trainer and the import cost": ("overhead.py", []),
    "Single layers beside PyTorch": ("layers.py", []),
    "Other networks beside PyTorch": ("networks.py", []),
}
NOTES = "performance_notes.md"


def main() -> None:
    """Run the parts and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and few, printed only")
    quick = parser.parse_args().quick
    sections = []
    for title, (script, options) in PARTS.items():
        command = [script, *options, *(["--quick"] if quick else [])]
        print(f"\n## {title}\n\n`python benchmarks/{' '.join(command)}`\n", flush=True)
        done = subprocess.run(
            [sys.executable, HERE / command[0], *command[1:]], stdout=subprocess.PIPE, text=True, check=True
        )
        print(done.stdout, flush=True)
        sections.append(f"## {title}\n\n`python benchmarks/{' '.join(command)}`\n\n{done.stdout.strip()}")
    if not quick:
        notes = (HERE / NOTES).read_text(encoding="utf-8").strip()
        PAGE.write_text("\n\n".join(["# Performance", notes, *sections]) + "\n", encoding="utf-8")
        print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
