"""The transport against real sockets: servers that stop, lie, drip and never end, and a clock that tests hold."""
