"""Lines that must pass `mypy --strict` and lines that must fail it; the former run, too."""
