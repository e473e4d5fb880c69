"""The first run: from an empty database to a clinic that works, in four steps that can be left and taken up."""
