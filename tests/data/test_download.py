import hashlib
import io
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pooch
import pytest

from minidl.data import DataError, cifar10, mnist
from minidl.data.download import Remote, download_archive, download_file

NOWHERE = "http://127.0.0.1:1/"
FOLDER = "cifar-10-batches-bin"


def md5(content):
    return hashlib.md5(content).hexdigest()


def packed(files, links=()):
    """A .tar.gz of {name: contents} and of links (name, target)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return stream.getvalue()


@pytest.fixture
def mnist_online(web, place, mnist_files, monkeypatch):
    """A server with the tiny MNIST behind one broken mirror and one that lacks the files; returns its folder."""
    folder, address = web
    place(folder / "good", mnist_files)
    monkeypatch.setattr("minidl.data.idx.CHECKSUMS", {name: md5(content) for name, content in mnist_files.items()})
    monkeypatch.setattr("minidl.data.idx.MIRRORS", (NOWHERE, f"{address}lacking/", f"{address}good/"))
    return folder / "good"


@pytest.fixture
def cifar_online(web, cifar_files, monkeypatch):
    """A server with the tiny CIFAR-10, and members in its archive that nobody asked for."""
    folder, address = web
    files = {f"{FOLDER}/{name}": content for name, content in cifar_files.items()}
    archive = packed(files | {"../escaped": b"x", f"{FOLDER}/readme.html": b"x"}, [(f"{FOLDER}/link", "/etc")])
    remote = Remote("cifar-10-binary.tar.gz", md5(archive), (NOWHERE, address))
    (folder / remote.name).write_bytes(archive)
    monkeypatch.setattr("minidl.data.cifar.ARCHIVE", remote)
    return remote


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_mnist_comes_from_the_first_mirror_that_works(tmp_path, mnist_online, mnist_files):
    train, test = mnist(tmp_path / "data")
    assert (len(train), len(test)) == (10, 4)
    assert names(tmp_path / "data") == sorted(["mnist", *mnist_files])


def test_nothing_is_downloaded_twice(tmp_path, mnist_online):
    mnist(tmp_path / "data")
    for path in mnist_online.iterdir():
        path.unlink()
    assert len(mnist(tmp_path / "data")[0]) == 10


def test_only_missing_files_are_downloaded(tmp_path, mnist_online, mnist_files, place):
    place(tmp_path / "data", {name: mnist_files[name] for name in list(mnist_files)[:3]})
    mnist(tmp_path / "data")
    assert names(tmp_path / "data" / "mnist") == ["t10k-labels-idx1-ubyte.gz"]


def test_progress_is_shown_and_the_log_of_pooch_names_address_and_folder(tmp_path, mnist_online, capsys, caplog):
    logger = pooch.get_logger()
    logger.addHandler(caplog.handler)
    try:
        mnist(tmp_path / "data")
    finally:
        logger.removeHandler(caplog.handler)
    assert f"good/train-images-idx3-ubyte.gz -> {tmp_path / 'data' / 'mnist'}" in caplog.text
    shown = capsys.readouterr()
    assert "100%" in shown.err
    assert shown.out == ""


def test_cifar_is_unpacked_with_the_expected_files_only(tmp_path, cifar_online, cifar_files):
    train, test = cifar10(tmp_path / "data")
    assert (len(train), len(test)) == (10, 2)
    assert names(tmp_path / "data") == sorted([FOLDER, *cifar_files])
    assert not (tmp_path / "escaped").exists()


def test_files_already_unpacked_are_kept(tmp_path, cifar_online, cifar_files, place):
    other = cifar_files["test_batch.bin"][::-1]
    folder = place(tmp_path / "data" / FOLDER, {"test_batch.bin": other})
    download_archive(cifar_online, folder, cifar_files)
    assert (folder / "test_batch.bin").read_bytes() == other
    assert names(folder) == sorted(cifar_files)


def test_downloads_at_the_same_time_do_not_hurt_each_other(tmp_path, cifar_online, mnist_online, cifar_files):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda load: load(tmp_path / "data"), [cifar10, mnist] * 4))
    assert all(len(train) == 10 for train, _ in results)
    assert not list((tmp_path / "data").rglob(".*"))


def test_a_wrong_checksum_keeps_nothing_and_tries_the_next_mirror(tmp_path, web, place):
    folder, address = web
    place(folder / "bad", {"file": b"bad"})
    place(folder / "good", {"file": b"good"})
    into = tmp_path / "into"
    with pytest.raises(DataError, match=f"expected md5 {md5(b'good')}, found {md5(b'bad')}"):
        download_file(Remote("file", md5(b"good"), (f"{address}bad/",)), into)
    assert names(into) == []
    download_file(Remote("file", md5(b"good"), (f"{address}bad/", f"{address}good/")), into)
    assert (into / "file").read_bytes() == b"good"
    assert names(into) == ["file"]


@pytest.mark.parametrize("content", [{}, {f"{FOLDER}/test_batch.bin": b"x"}, {"test_batch.bin": b"x"}])
def test_an_archive_without_the_files_leaves_no_folder(tmp_path, web, content):
    folder, address = web
    archive = packed(content, [(f"{FOLDER}/data_batch_1.bin", "test_batch.bin")])
    (folder / "archive").write_bytes(archive)
    with pytest.raises(DataError, match=f"{FOLDER}/data_batch_1.bin"):
        download_archive(
            Remote("archive", md5(archive), (address,)), tmp_path / FOLDER, ["data_batch_1.bin", "test_batch.bin"]
        )
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize(
    ("load", "patch", "files"),
    [
        (mnist, ("minidl.data.idx.MIRRORS", (NOWHERE, NOWHERE)), ["mnist/train-images-idx3-ubyte.gz", "mnist/t10k-"]),
        (
            cifar10,
            ("minidl.data.cifar.ARCHIVE", Remote("cifar-10-binary.tar.gz", "", (NOWHERE,))),
            [f"{FOLDER}/data_batch_1.bin", f"{FOLDER}/test_batch.bin", f"{NOWHERE}cifar-10-binary.tar.gz"],
        ),
    ],
)
def test_without_network_the_error_says_which_files_to_put_where(tmp_path, monkeypatch, load, patch, files):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(*patch)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert all(file in message for file in [*files, NOWHERE, str(tmp_path), "MINIDL_DATA", "ConnectionError"])
    assert not list(tmp_path.rglob("*.*"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write here"):
        download_file(Remote("name", "", (NOWHERE,)), tmp_path / "file" / "below")


def test_a_file_in_place_of_the_unpacked_folder_is_refused_before_any_download(tmp_path):
    (tmp_path / FOLDER).touch()
    with pytest.raises(DataError, match="expected a folder, found a file"):
        download_archive(Remote("name", "", (NOWHERE,)), tmp_path / FOLDER, [])
