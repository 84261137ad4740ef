"""Images on disk: an index of byte ranges over a tar, and what `docker save` means by its members.

The law of this layer: nothing is extracted and nothing is believed; a hostile archive costs bounded memory and ends
in `TarUnreadable` (the container is broken) or `InvalidImage` (it holds no valid image), naming the member.
"""
