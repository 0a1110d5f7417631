"""What a person or an agent touches: the Python API, the command line, the chat and the pages they show."""
