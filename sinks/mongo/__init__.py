"""The states on MongoDB, or on a server that speaks its protocol."""
