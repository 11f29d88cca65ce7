"""Formats of data sets, chosen by a data set's `kind`: each module reads one, under its own name.

A module defines what `spikernel.data.reader.Reader` names. Nothing else lists it. A kind whose
images have one size is a built-in data set, which needs no `kind` where it goes by its own name.
"""
