"""`python -m docs.site FOLDER`: the site in FOLDER/html, whole and without a warning, or an error."""

import os
import subprocess
import sys
import time
from pathlib import Path

from docs.site.assemble import ROOT, assemble
from docs.site.check import faults


def build(out: Path) -> Path:
    """Write the sources to out/sources and the pages to out/html, and follow every link; returns the latter."""
    site, html = out / "sources", out / "html"
    assemble(site)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", "-j", "auto"]
    folders = ["-c", str(ROOT / "docs" / "site"), "-d", str(out / "doctrees"), str(site), str(html)]
    done = subprocess.run(command + folders, cwd=ROOT, check=False)
    found = faults(html) if done.returncode == 0 else ["sphinx ended with warnings or an error, see above"]
    if found:
        raise SystemExit("\n".join(found))
    return html


def main() -> None:
    """Build, and say where it is and how long it took."""
    os.environ.setdefault("MPLBACKEND", "agg")
    start = time.monotonic()
    html = build(Path(sys.argv[1] if len(sys.argv) > 1 else "out/site").resolve())
    print(f"{len(list(html.rglob('*.html')))} pages in {time.monotonic() - start:.0f} seconds: {html / 'index.html'}")


if __name__ == "__main__":
    main()
