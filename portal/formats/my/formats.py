"""Figures in Burmese pages are written as in English ones: Django knows no formats for `my`, and would leave the commas
of thousands out."""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
