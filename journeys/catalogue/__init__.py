"""Shipped journey templates as data, one TOML file each; see CONTRIBUTING.md to add one."""
