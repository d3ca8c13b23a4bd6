"""What the files of a project say: Compose, bake, Dockerfiles, contexts, variables."""
