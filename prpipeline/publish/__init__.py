"""The file that people open: what is in it, and how it comes to be shown."""
