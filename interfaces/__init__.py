"""What a person or an agent touches: the Python API, the command line, the notebook chat."""
