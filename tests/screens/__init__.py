"""Pictures of the console: one office, ten pages and the component page, each in four views; made by `make screenshots`."""
