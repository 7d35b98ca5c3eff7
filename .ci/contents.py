"""Whether the sdist in dist/ holds every file under git and the wheel the whole package, and neither anything else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

TOP = Path(__file__).parents[1]
MADE = ("PKG-INFO", "setup.cfg", "minidl.egg-info/")  # by setuptools


def main() -> None:
    """Compare both with `git ls-files`."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True)
    wanted = {name for name in answer.stdout.split("\0") if name}
    (sdist,), (wheel,) = (TOP / "dist").glob("*.tar.gz"), (TOP / "dist").glob("*.whl")
    with tarfile.open(sdist) as archive:
        files = {file.name.partition("/")[2] for file in archive if file.isfile()}
    found = compare(sdist.name, {name for name in files if not name.startswith(MADE)}, wanted)
    with zipfile.ZipFile(wheel) as package:
        files = {name for name in package.namelist() if ".dist-info/" not in name}
    found += compare(wheel.name, files, {name for name in wanted if name.startswith("minidl/")})
    sys.exit("\n".join(found) or 0)


def compare(name: str, files: set[str], wanted: set[str]) -> list[str]:
    """What is wrong with the files of an archive."""
    print(f"{name}: {len(files)} files")
    lacks = [f"{name} lacks {file}; name it in MANIFEST.in" for file in sorted(wanted - files)]
    return lacks + [f"{name} holds {file}, which is not under git" for file in sorted(files - wanted)]


if __name__ == "__main__":
    main()
