"""Options: declared once, and from that checked, shown, documented and kept secret."""
