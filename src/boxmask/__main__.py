"""python -m boxmask, the same as the program `boxmask`."""

from boxmask.cli import main

if __name__ == "__main__":
    main()
