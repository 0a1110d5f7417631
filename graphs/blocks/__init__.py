"""Blocks of which the published systems and a user's own graphs are made.

Read in this order: `step` (what a node may do), `flow` (nodes and edges become a machine),
`answering` (claims with quotes; the end of every graph), `policy` (one model that calls tools until
it answers), `choosing` (a role that picks pages), `judging` (how much pages help), `pooling` (pages
of two searches), `zooming` (room around a box), `gathering` (four retrieval tools by rules).
"""
