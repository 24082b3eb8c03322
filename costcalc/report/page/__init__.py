"""One HTML file about a network and its knobs: tables, pictures, formulas, and sliders that evaluate the closed forms.

It asks no network for anything, and its one script is named by its hash.
"""
