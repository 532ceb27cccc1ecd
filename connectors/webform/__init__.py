"""Web forms: hosted pages, a snippet for other sites, and plain posts become interactions."""
