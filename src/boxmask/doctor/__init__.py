"""`boxmask check`: all checks of photos and labels, the report, and the mended copy."""
