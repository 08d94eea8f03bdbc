"""What reports say of the Ising task."""
