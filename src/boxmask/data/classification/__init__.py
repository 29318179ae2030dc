"""Classification data sets: one class per photo, or per object cut out of one."""
