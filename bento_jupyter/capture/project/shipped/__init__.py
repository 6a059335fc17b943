"""Files that go into a project as they are; they need nothing of bento_jupyter."""
