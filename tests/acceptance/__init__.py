"""The whole product on three registries: what a user asks for happens, and an independent reader proves it."""
