"""What is true of any function: slopes by differences, kinks, patterns of mistakes, points to look at, float32.

The ground floor of the checks: it knows no kind of thing, no report and no hypothesis.
"""
