"""What is wrong with a file or folder that is scored from, or to."""

from __future__ import annotations

from pathlib import Path

from rules.titles import Title, system_title
from scoring.facts.ingest.errors import IngestError

ANOTHER_OUT = Title("请另行指定结果的位置", "name another place for the results"), "--out"


class FileError(IngestError):
    """A file or folder that can't be scored from, or to."""

    def __reduce__(self) -> tuple[type[FileError], tuple[str, Title, Title, str]]:
        return type(self), (self.file, self.reason, self.hint, self.option)  # a task on a cluster sends it


def not_read(path: Path | str, said: str | None) -> FileError:
    """What the system says keeps a file or folder from being read."""
    why = system_title(" ".join((said or "").split()))
    reason = Title(f"无法读取:{why.zh}", f"can't be read: {why.en}")
    return FileError(path, reason, Title("请核对路径和权限", "check the path and its permissions"))


def not_written(path: Path | str, said: str | None) -> FileError:
    """What the system says keeps a file or folder from being written."""
    why = system_title(" ".join((said or "").split()))
    reason = Title(f"无法写入:{why.zh}", f"can't be written: {why.en}")
    return FileError(
        path, reason, Title("请核对权限和磁盘空间", "check the permissions and the room on the disk")
    )


def no_parquet(path: Path, said: str) -> FileError:
    """A file that is none of Parquet.

    :param said: what the reader says of it.
    """
    reason = Title(f"不是Parquet文件,或已损坏({said})", f"this is no Parquet file, or a damaged one ({said})")
    return FileError(path, reason, Title("请重新导出该文件", "have the file exported anew"))


def no_records(path: Path, vocabulary: str) -> FileError:
    """Records for a vocabulary that has none."""
    reason = Title(f"词汇表{vocabulary}没有记录", f"the vocabulary {vocabulary} has no records")
    return FileError(path, reason, Title("请去掉记录文件", "leave out the records"), "--records")
