"""The specification's own suite judges the registry that our tests are run against."""
