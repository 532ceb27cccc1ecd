"""The only place that knows everything: wiring, runners, service, HTTP, console, command line."""
