"""The static site: every spec with its drawing and page, and the lectures, in one folder that needs no server."""
