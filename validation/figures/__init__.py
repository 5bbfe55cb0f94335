"""What `validation.benchmarks` measures, by names that any version of mcgen has."""
