#!/usr/bin/env python3
"""journal-sockets.py SOCKET OUTPUT: stands in for the program that listens at
SOCKET, syslogd or systemd-journald. Each datagram goes to OUTPUT as it came,
followed by a line of two minus signs. Ends with a datagram that says "end"."""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
    listener.bind(sys.argv[1])
    with open(sys.argv[2], "wb") as output:
        while (datagram := listener.recv(1 << 20)) != b"end":
            output.write(datagram.rstrip(b"\n") + b"\n--\n")
            output.flush()
