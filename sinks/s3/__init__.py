"""Large blobs in a store that speaks S3."""
