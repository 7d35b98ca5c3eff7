"""The order of the site: its sections, their pages, and a line on each."""

from collections.abc import Collection, Mapping

REST = "More guides"
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Tutorials": {
        "tutorials/first_model": "From nothing to a network that reads digits, and what each line does.",
        "tutorials/real_data": "MNIST, CIFAR-10, and arrays of your own.",
        "layers": "From a formula to a layer that trains, with a mistake on the way.",
        "tutorials/trust_a_gradient": "How a derivative is checked, by hand and by the checks.",
        "images": "A convolutional network in fifteen lines.",
        "sequences": "Tokens, recurrence, attention, padding.",
        "tutorials/tables": "From a table with text and gaps to a network, with pandas.",
        "experiments": "One run turned into a grid of them, as a table.",
        "distributed": "One line changed, `mpiexec` in front, and what it gains.",
        "course": "Assignments, and points for each property.",
    },
    "How-to": {
        "how_to": "Questions, and where the answer stands.",
        "training": "When evaluations happen, how a run ends, checkpoints, callbacks, schedules.",
        "recipes": "Freezing, mixup, rare classes, rules of other libraries.",
        "inside": "What happens in the layers while they train.",
        "inputs": "What may be given as data.",
        "formats": "Weights and models in files that others read.",
        "sklearn": "minidl beside scikit-learn.",
        "company": "Optuna, TensorBoard, MLflow.",
        "custom_gradients": "Gradients of your own.",
    },
    "Conventions": {
        "conventions": "Learning rate, decay and loss scale of a textbook, scikit-learn and PyTorch, in ours.",
        "glossary": "Our words, and what others call them.",
    },
    "Explanation": {
        "derivations/training": "How training works: the chain rule, and one notation for all that follows.",
        "derivations/rows": "Linear layers and activations, derived.",
        "derivations/images": "Convolution and pooling, derived.",
        "derivations/sequences": "Embedding, recurrence and attention, derived.",
        "derivations/blocks": "Normalization, dropout and containers, derived.",
        "derivations/losses": "The formula and the gradient of each loss, and of L2, L1 and ElasticNet.",
        "derivations/optimizers": "The rules that move the weights.",
        "testing": "What the checks try, and how a derivative is judged.",
        "design": "Decisions and their reasons.",
        "promises": "What holds whatever happens, each line with its test.",
        "not": "What is left out on purpose.",
        "kernels": "Compiled kernels: which form is used, and what to expect.",
        "dependencies": "What it is built of, and why.",
        "performance": "Timings beside PyTorch, JAX and scikit-learn.",
    },
    "Reference": {"reference/index": "Every public name, with its signature and docstring."},
    "Gallery": {
        "gallery": "Figures, and the lines that make them.",
        "examples/index": "The scripts to start from.",
        "results": "Five course reports, reproduced figure by figure.",
    },
    REST: {},
    "Project": {
        "public": "What is public, and how it changes.",
        "audit": "What the checks say about minidl's own classes.",
        "project/CHANGELOG": "What changed.",
        "project/CONTRIBUTING": "Which files to touch to add something.",
        "project/RELEASING": "How a release is made.",
        "project/SECURITY": "What a hole is, and how to report one.",
    },
}


def sections(pages: Collection[str]) -> dict[str, dict[str, str]]:
    """The sections with those of their pages that are there; a page that no section names comes under `REST`.

    Args:
        pages: names of pages that stand at the first or second level, such as "training" or "tutorials/tables".
    """
    named = {page for section in SECTIONS.values() for page in section}
    found = {
        title: {page: line for page, line in section.items() if page in pages} for title, section in SECTIONS.items()
    }
    found[REST].update(dict.fromkeys(sorted(set(pages) - named - {"index"}), ""))
    return {title: section for title, section in found.items() if section}


def toctrees(pages: Collection[str]) -> str:
    """The end of the home page: each section as a list to read, and as a hidden toctree for the sidebar."""
    lines = []
    for title, section in sections(pages).items():
        lines += [f"## {title}", ""]
        lines += [f"- [](/{page}.md){': ' if line else ''}{line}" for page, line in section.items()]
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *section, "```", ""]
    return "\n".join(lines)
