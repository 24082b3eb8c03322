"""What a picture of a network shows: layers taken together as boxes, folded until they fit on a sheet."""
