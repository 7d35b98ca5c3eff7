"""The compiled forms of the kernels, with numba: a module and a function for each of those one floor up."""
