"""Plain text: every line as it stands; reflow finds the paragraphs."""

import re
from collections.abc import Mapping

from ingest import sniff
from ingest.encoding import decode
from kb.model import Block, Reading, Source

LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


class TextReader:
    """Reads .txt: a block of role "line" per line.

    Leading spaces stay, since they may mark a paragraph. A run of blank lines
    between text is one block without text.
    """

    media_types: Mapping[str, str] = {".txt": "text/plain", ".text": "text/plain"}

    def read(self, source: Source) -> Reading:
        """Lines of the source; see `kb.ports.Reader`."""
        sniff.require(source, "plain text", sniff.TEXT, sniff.HTML)
        blocks: list[Block] = []
        for line in LINE_ENDS.split(decode(source)):
            text = line.rstrip()
            if text or (blocks and blocks[-1].text):
                blocks.append(Block(text, role="line"))
        if blocks and not blocks[-1].text:
            blocks.pop()
        return Reading(tuple(blocks))


READER = TextReader()
