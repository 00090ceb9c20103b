"""The command line. Calls ``app`` only, and imports what a command needs when it runs."""

import gc

# Imports make objects but no garbage; looking for it takes a twentieth of a short command.
gc.set_threshold(50_000)
