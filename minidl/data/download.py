"""Downloads that appear whole or not at all, from the first mirror that has the right bytes."""

from __future__ import annotations  # pathlib is loaded when it is needed

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from minidl.data.files import VARIABLE
from minidl.storage import DataError

if TYPE_CHECKING:
    from pathlib import Path


class Remote(NamedTuple):
    """A published file: its name, its published md5, and the folders on the web that have it."""

    name: str
    md5: str
    mirrors: tuple[str, ...]

    @property
    def urls(self) -> tuple[str, ...]:
        """One address per mirror."""
        return tuple(mirror + self.name for mirror in self.mirrors)


def download_file(remote: Remote, folder: Path) -> None:
    """Put `remote` into `folder`, or raise DataError with what each address answered.

    Every call writes to a private folder first and renames when the checksum is right, so two at once are harmless.
    """
    with _private_folder(folder) as private:
        os.replace(_first_good(remote, private, folder), folder / remote.name)


def download_archive(remote: Remote, folder: Path, members: Collection[str]) -> None:
    """Put the `members` of the tar archive `remote` into `folder`, which appears with all of them or not at all.

    Where `folder` already stands, the members that are missing from it appear one by one, each whole.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: expected a folder, found a file: move it away")
    with _private_folder(folder.parent) as private:
        archive = _first_good(remote, private, folder)
        unpacked = private / folder.name
        unpacked.mkdir()
        _unpack(archive, unpacked, members)
        try:
            unpacked.rename(folder)
        except OSError:  # there is one already: ours by hand, or of a download at the same time
            for name in members:
                if not (folder / name).exists():
                    os.replace(unpacked / name, folder / name)


@contextmanager
def _private_folder(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`, removed in the end; on one disk with it, so that renaming is atomic."""
    import tempfile
    from pathlib import Path

    try:
        folder.mkdir(parents=True, exist_ok=True)
        private = tempfile.TemporaryDirectory(dir=folder, prefix=".download-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot write here ({error})") from error
    with private as path:
        yield Path(path)


def _first_good(remote: Remote, private: Path, folder: Path) -> Path:
    """The downloaded file, from the first address that delivers the bytes of the checksum."""
    import pooch

    answers = []
    part = private / remote.name
    for url in remote.urls:
        pooch.get_logger().info("%s -> %s", url, folder)
        try:
            pooch.HTTPDownloader(progressbar=True)(url, part, None)
            found = pooch.file_hash(part, alg="md5")
            if found == remote.md5:
                return part
            answers.append(f"{url}: expected md5 {remote.md5}, found {found}")
        except (OSError, ValueError) as error:  # what requests raises is an OSError
            answers.append(f"{url}: {type(error).__name__}: {error}")
    raise DataError(f"cannot download {remote.name}:\n" + "\n".join(f"  {answer}" for answer in answers))


def _unpack(archive: Path, folder: Path, members: Collection[str]) -> None:
    """Write the contents of `members` of `archive`; every other name, and every link, stays inside.

    The names in the archive are compared, never used as paths.
    """
    import shutil
    import tarfile

    wanted = {f"{folder.name}/{name}": name for name in members}
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isreg() and member.name in wanted:
                source = tar.extractfile(member)
                with (folder / wanted.pop(member.name)).open("wb") as target:
                    shutil.copyfileobj(source, target)  # type: ignore[arg-type]  # a regular file has one
    if wanted:
        raise DataError(f"{archive.name}: expected the files {', '.join(wanted)} in it, found none of these names")


def obtain(wanted: Mapping[Path, str], fetch: Callable[[], None], *, allowed: bool) -> None:
    """Call `fetch` if that is allowed; otherwise, or when it fails, say which file to put where, and from where.

    Args:
        wanted: the files that will be there -> where each comes from, in words.
        fetch: brings them, or raises DataError.
        allowed: whether to download at all.
    """
    reason = "some files are missing, and download=False"
    if allowed:
        try:
            return fetch()
        except DataError as error:
            reason = str(error)
    missing = "\n".join(f"  {path}\n    from {source}" for path, source in wanted.items() if not path.exists())
    raise DataError(
        f"{reason}\nexpected these files: put them there by hand\n{missing}\n"
        f"or set the environment variable {VARIABLE} to a folder that has them"
    )
