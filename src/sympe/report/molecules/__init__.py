"""Graph diffusion in reports."""
