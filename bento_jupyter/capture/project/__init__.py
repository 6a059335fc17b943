"""The readable project that a plan becomes, and the Bento that is built from it."""
