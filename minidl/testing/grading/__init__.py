"""Grading: points for what is handed in, from the properties that it has.

A teacher writes an `Assignment` in a file; `grade` asks one submission, `grade_all` a folder of them, each in a process
of its own with a limit of time. On the command line: `python -m minidl.testing.grading ASSIGNMENT SUBMISSION`.
See docs/course.md.
"""

from minidl.testing.grading.assignments import Assignment, Checks, Example, load_assignment
from minidl.testing.grading.grades import Criterion, Grade, grade_report, summary
from minidl.testing.grading.submissions import grade, grade_all

__all__ = [
    "Assignment",
    "Checks",
    "Criterion",
    "Example",
    "Grade",
    "grade",
    "grade_all",
    "grade_report",
    "load_assignment",
    "summary",
]
