import pytest

from connectors.kit.uploads import Upload, UploadLimits, check_uploads, store
from schemas.ids import sha256

LIMITS = UploadLimits(files=2, file_bytes=10, total_bytes=15, types=("text/plain", "image/*"))
PNG = b"\x89PNG\r\n\x1a\n"


def upload(content: bytes = b"words", name: str = "a.txt", media_type: str = "text/plain") -> Upload:
    return Upload("files", name, media_type, content)


def codes(*uploads: Upload) -> list[str]:
    return [problem.code for problem in check_uploads(uploads, LIMITS)]


def test_files_within_the_limits_come_in() -> None:
    assert codes() == codes(upload()) == codes(upload(PNG), upload()) == []


def test_number_and_size_are_limited() -> None:
    assert codes(upload(), upload(), upload()) == ["too-many-files"]
    assert codes(upload(b"x" * 11)) == ["file-too-large"]
    assert codes(upload(b"x" * 10), upload(b"x" * 10)) == ["files-too-large"]
    assert codes(upload(b"")) == ["empty-file"]


def test_the_type_is_judged_by_the_bytes_and_not_by_the_name() -> None:
    assert codes(upload(b"MZ\x90\x00", name="holiday.png", media_type="image/png")) == ["type-not-allowed"]
    assert codes(upload(PNG, name="setup.exe", media_type="application/x-msdownload")) == []


def test_a_stored_file_has_a_safe_name_its_own_type_and_its_digest() -> None:
    attachment, blob = store(upload(PNG, name="../../etc/pass\r\nwd\u202e.png", media_type="text/html"))

    assert "/" not in attachment.name
    assert "\r" not in attachment.name
    assert "\u202e" not in attachment.name
    assert attachment.media_type == "image/png"
    assert attachment.blob == blob.ref
    assert (blob.ref.sha256, blob.ref.size, blob.content) == (sha256(PNG), len(PNG), PNG)


@pytest.mark.parametrize(
    ("name", "content", "stored"),
    [
        ("setup.exe", PNG, "setup.exe.png"),
        ("photo.PNG", PNG, "photo.PNG"),
        ("run.bat", b"del *", "run.bat.txt"),
        ("table.csv", b"a,b", "table.csv"),
        ("page.html", b"<p>words</p>", "page.html"),
    ],
)
def test_a_name_ends_as_the_file_is(name: str, content: bytes, stored: str) -> None:
    assert store(upload(content, name=name))[0].name == stored
