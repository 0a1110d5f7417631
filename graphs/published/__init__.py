"""The published systems, one file each, over our tools, roles and library; docs/GRAPHS.md."""
