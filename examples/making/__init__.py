"""Parts of the generator of the example documents; run `examples/make_documents.py`."""
