"""The bundled encoder as a module of sentence-transformers.

`modules.json` in the model folder names this class, so that the folder opens as
any other model; it must be importable, and from release 6 on sentence-transformers
wants `trust_remote_code=True` for every class that is not its own. Torch is
imported here and nowhere else; the service does without.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from search.analysis import words
from search.encoders.static import Rows, read_folder, weigh, write_folder


class BagOfTokens(nn.Module):  # type: ignore[misc, unused-ignore]
    """Weighted sum of token vectors, of length 1; the same as `StaticEncoder`."""

    modalities: ClassVar = ["text"]
    save_in_root = True

    def __init__(self, name: str, tokens: Sequence[str], table: Tensor) -> None:
        super().__init__()
        self.name = name
        self.tokens = list(tokens)
        self.embedding = nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum")
        self._rows = Rows(self.tokens, table.shape[0] - len(self.tokens))

    def preprocess(self, inputs: Sequence[str], prompt: str | None = None, **_: object) -> dict[str, Tensor]:
        """Distinct rows of each text, their weights, and where each text begins."""
        bags = [self._rows.of(words((prompt or "") + text)) for text in inputs]
        rows, weights, starts = weigh(bags)
        return {
            "input_ids": torch.from_numpy(rows),
            "weights": torch.from_numpy(weights),
            "offsets": torch.from_numpy(starts),
        }

    def tokenize(self, texts: Sequence[str], **_: object) -> dict[str, Tensor]:
        """`preprocess` under the name that releases before 5.3 ask for."""
        return self.preprocess(texts)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Adds "sentence_embedding", shape (texts, dim); a text without tokens gives a zero row."""
        sums = self.embedding(features["input_ids"], features["offsets"], features["weights"])
        features["sentence_embedding"] = nn.functional.normalize(sums, dim=1)
        return features

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self.embedding.embedding_dim)

    def get_sentence_embedding_dimension(self) -> int:
        """`get_embedding_dimension` under its older name."""
        return self.get_embedding_dimension()

    def save(self, output_path: str, *_: object, **__: object) -> None:
        """Write the folder as `StaticEncoder` reads it, one byte a number."""
        table = self.embedding.weight.detach().cpu().numpy()
        write_folder(
            Path(output_path), self.name, self.tokens, table, {"trained_with": "sentence-transformers"}
        )

    @staticmethod
    def load(input_path: str) -> "BagOfTokens":
        """The module in a model folder.

        Raises:
            EncoderUnavailable: as for `StaticEncoder`.
        """
        config, tokens, vectors, scales = read_folder(Path(input_path))
        table = torch.from_numpy(vectors).float() * torch.from_numpy(scales)[:, None]
        return BagOfTokens(str(config["name"]), tokens, table)
