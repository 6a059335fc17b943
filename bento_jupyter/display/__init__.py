"""Cards, tables and progress: text/plain complete on its own, text/html that follows the theme, JSON.

Nothing here runs scripts or loads anything, so a saved notebook is safe and looks the same later.
"""
