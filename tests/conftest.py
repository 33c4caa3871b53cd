"""For all tests: an interruption reaches what they start, however they were started themselves."""

import signal

# A shell that runs the tests in the background has them ignore SIGINT, and every process that they start inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)
