"""Text and page encoders and chat models: the only layer that imports torch and transformers."""
