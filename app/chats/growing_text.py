"""A text that only grows, such as a reply: read from anywhere on, it costs what is read and not what is there."""


class GrowingText:
    """Kept in the parts in which it came, until somebody wants it whole."""

    def __init__(self, text: str = "") -> None:
        self._parts = [text]
        self.length = len(text)
        """In characters, as positions are."""

    def add(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)

    @property
    def whole(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    def since(self, position: int) -> str:
        """What came after so many characters; nothing when there are not more."""
        begins, newest_first = self.length, []
        for part in reversed(self._parts):
            if begins <= position:
                break
            begins -= len(part)
            newest_first.append(part if begins >= position else part[position - begins :])
        return "".join(reversed(newest_first))
