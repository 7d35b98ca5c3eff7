"""The tests, and what they are made with; found from the folder above."""
