"""Records on their way: batches and their faces, field paths, codecs."""
