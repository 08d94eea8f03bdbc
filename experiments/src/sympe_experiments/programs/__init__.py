"""Integer programs with interchangeable bins: predict a good solution that no equivariant network can name."""
