"""Typed rows of a file as a table expression of DuckDB: the peer's own, and what --verify holds outputs against."""


def relation(data, form, columns):
    """Nothing is sniffed, so that no time goes there."""
    types = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in columns.items()) + "}"
    match form:
        case "csv":
            layout = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"'"
            return f"read_csv('{data}', {layout}, columns = {types})"
        case "ndjson":
            return f"read_json('{data}', format = 'newline_delimited', columns = {types})"
        case _:
            return f"read_parquet('{data}')"
