"""format=flowed (RFC 3676): lines that end in a blank go on in the next line of the same quote depth."""


def unflow(text: str, delete_space: bool = False) -> str:
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        stripped = line.lstrip(">")
        depth = len(line) - len(stripped)
        content = stripped.removeprefix(" ")  # space-stuffing
        is_signature = content == "-- "
        if open_depth == depth and not is_signature:
            lines[-1] += content
        else:
            lines.append((">" * depth + " " if depth else "") + content)
        open_depth = None
        if content.endswith(" ") and not is_signature:
            open_depth = depth
            if delete_space:
                lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
