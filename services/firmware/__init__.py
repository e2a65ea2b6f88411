"""firmware: which stations there are, what they are, whether they are here, what they report of themselves."""
