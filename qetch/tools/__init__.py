"""What helps the people who write site files: below the command line, and usable without it."""
