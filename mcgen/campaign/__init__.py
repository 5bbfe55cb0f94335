"""Many files on many machines: productions, job arrays, reruns."""
