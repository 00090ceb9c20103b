"""The command line. Calls ``app`` only, and imports what a command needs when it runs."""
