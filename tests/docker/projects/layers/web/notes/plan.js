// Notes that no image holds.
