"""One screen per file, widgets only: no science, no SQL, and no file is opened here."""
