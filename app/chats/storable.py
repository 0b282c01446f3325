"""What a database can keep of a text."""


def storable(text: str) -> str:
    """Without NUL characters, which PostgreSQL refuses: one would keep all that is saved with it from being saved."""
    return text.replace("\x00", "")
