"""What each step of the study computes: files in, files out."""
