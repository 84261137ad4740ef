"""The tests of registry_fp, laid out like its layers."""
