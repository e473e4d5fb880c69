"""How large a table may be. Within these, memory stays bounded whatever the file."""

MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_LINE = 1_000_000  # signs in one line of a CSV file
MAX_CELL = 500  # more than any field holds; the rest of such a cell is cut
MAX_UNPACKED = 300 * 1024 * 1024  # bytes of an XLSX once unpacked
MAX_SHARED_TEXT = 60 * 1024 * 1024  # of it, the table of texts that has to be in memory at once
