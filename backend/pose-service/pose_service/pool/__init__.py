"""Engine processes: started, supervised, and lent to one request at a time."""
