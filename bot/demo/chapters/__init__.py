"""The chapters of the story, each a function of the scene it plays on."""
