"""Components on which the checks are checked: wrong ones to catch, right but nasty ones to leave alone."""
