"""The LangGraph machines: explore (the main one), its state and its budget."""
