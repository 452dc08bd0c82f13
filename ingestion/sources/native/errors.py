"""The one error of reading a file."""


class UnreadableFileError(Exception):
    """A file that loads nothing: what is wrong with it, and the way out."""

    def __init__(self, reason: str, advice: str) -> None:
        """Keep both as text."""
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
