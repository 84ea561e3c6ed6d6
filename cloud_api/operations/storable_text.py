"""Text of peers as a database can hold it."""


def storable(text: str, length: int) -> str:
    """Cut a peer's text and take from it what a database's text cannot hold (NUL, lone surrogates).

    Args:
        text: anything.
        length: of the column, characters.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")[:length]
