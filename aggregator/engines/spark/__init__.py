"""Steps as tasks of Apache Spark, on the machines of a cluster. Nothing here is imported unless it is asked for."""
