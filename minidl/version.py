"""The version, in the one place that pyproject reads too."""

__version__ = "0.1.0"
