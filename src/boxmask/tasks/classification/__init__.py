"""One class per photo, or per object cut out of one."""
