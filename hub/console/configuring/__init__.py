"""The company's configuration in forms: edited in a draft, compared, published as a version, and brought back."""
