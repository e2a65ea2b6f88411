"""REST of the settings of stations and groups."""
