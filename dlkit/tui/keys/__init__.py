"""Keys: the line that names them, the palette, help, and the file of one's own."""
