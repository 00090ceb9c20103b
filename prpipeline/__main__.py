"""``python -m prpipeline``: the command line."""

from prpipeline.cli.main import main

if __name__ == "__main__":
    main()
