"""A push under faults: it ends in the image, byte for byte, or in a reason, and never in something between."""
