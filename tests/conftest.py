"""For every test: an interrupt interrupts."""

import signal

# A shell that starts a program in the background lets it ignore Ctrl-C, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
