"""The projects here are run and checked from outside; they are no tests themselves."""

collect_ignore = ["service", "strict", "typed_app"]
