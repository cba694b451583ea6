"""Pages for people: report.html and its like, each one file that needs nothing else."""
