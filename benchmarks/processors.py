"""Which kind of processor this is, and the matrix library behind each system on it.

python benchmarks/processors.py    # what the head of this processor's page says
"""

import argparse
import json
import platform
import re
from pathlib import Path

from processes import answer
from table import installed

FIELDS = {"model name": "name", "cpu family": "family", "model": "model"}


def kind() -> str:
    """The name of the processor, with family and model where it has them, since hypervisors shorten names."""
    found = described(Path("/proc/cpuinfo"))
    name = re.sub(r"\((R|TM)\)", "", found.get("name") or platform.processor() or platform.machine(), flags=re.I)
    name = " ".join(re.sub(r"@.*|\bCPU\b", "", name).split())
    numbers = [f"{word} {found[word]}" for word in ("family", "model") if word in found]
    return ", ".join([name, *numbers])


def described(path: Path) -> dict[str, str]:
    """Of the first processor in a file like /proc/cpuinfo."""
    if not path.exists():
        return {}
    first = path.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    pairs = [[part.strip() for part in line.partition(":")[::2]] for line in first]
    return {FIELDS[key]: value for key, value in pairs if key in FIELDS}


def file_name(kind: str) -> str:
    """The name of its page: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") + ".md"


def libraries() -> list[str]:
    """A line for each system: what multiplies its matrices here, as a process of the benchmarks finds it."""
    return [line for package in ("numpy", "torch", "jax") if installed(package) for line in asked(package)]


def asked(package: str) -> list[str]:
    """Of a new process with the settings of the benchmarks."""
    return json.loads(answer(1, __file__, "--of", package))


def of_numpy() -> list[str]:
    """The library that is loaded with numpy, and the instructions it chose."""
    import numpy as np
    from threadpoolctl import threadpool_info

    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not found:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return [f"minidl, scikit-learn and the floor, by numpy {np.__version__}: {built['name']} {built['version']}"]
    words = [f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', 'unknown')})" for pool in found]
    return [f"minidl, scikit-learn and the floor, by numpy {np.__version__}: {', '.join(words)}"]


def of_torch() -> list[str]:
    """What PyTorch was built with, and the instructions it chose."""
    import torch

    built = torch.__config__.show()
    patterns = {"MKL": r"Math Kernel Library Version (\S+?)-", "oneDNN": r"MKL-DNN v(\S+)"}
    found = {name: re.search(pattern, built) for name, pattern in patterns.items()}
    words = [f"{name} {match[1]}" for name, match in found.items() if match]
    return [f"PyTorch {torch.__version__}: {', '.join(words)} ({torch.backends.cpu.get_cpu_capability()})"]


def of_jax() -> list[str]:
    """XLA brings its own."""
    return [f"JAX {installed('jax')}: XLA of jaxlib {installed('jaxlib')}"]


def main() -> None:
    """Print the kind and the libraries, or what one package uses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("numpy", "torch", "jax"), help=argparse.SUPPRESS)
    package = parser.parse_args().of
    if package:
        print(json.dumps({"numpy": of_numpy, "torch": of_torch, "jax": of_jax}[package]()))
        return
    print("\n".join([kind(), "", *(f"- {line}." for line in libraries())]))


if __name__ == "__main__":
    main()
