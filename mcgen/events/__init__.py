"""Events: their record and metadata, what weights mean, decays, formats, many files as one."""
