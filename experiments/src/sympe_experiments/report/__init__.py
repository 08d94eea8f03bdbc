"""Tables, figures and pages made from the records of runs, never during training."""
