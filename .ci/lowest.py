"""The lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
for requirement in [*project["dependencies"], *extras["test"]]:
    lowest = re.match(r"([\w-]+)>=([\w.]+)", requirement)
    if lowest is None:
        raise ValueError(f"pyproject.toml: expected name>=version, received {requirement!r}; give it a lower bound")
    print(f"{lowest[1]}=={lowest[2]}")
