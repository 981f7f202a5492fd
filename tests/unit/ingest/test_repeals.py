"""What a text says is no longer in force, and which texts may say so."""

import pytest

from ingest.metadata import Sidecar
from ingest.read import read_document
from kb.model import Kind, Source

TEXT = "# 值班的新办法\n\n本办法自2031年1月1日起施行，《旧值班办法》同时废止。\n"


@pytest.mark.parametrize(
    ("kind", "repealed"),
    [
        (Kind.LAW, ("旧值班办法",)),
        (Kind.POLICY, ("旧值班办法",)),
        (Kind.ARTICLE, ()),
        (Kind.CASE, ()),
    ],
)
def test_only_rules_repeal_rules(kind: Kind, repealed: tuple[str, ...]) -> None:
    """A law or policy that says so repeals another text; a study or a case that tells of it does not."""
    source = Source("办法.md", "text/markdown", TEXT.encode())
    assert read_document(source, sidecar=Sidecar(kind=kind)).meta.repeals == repealed
