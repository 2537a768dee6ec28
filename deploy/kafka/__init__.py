"""A real Apache Kafka of one node for tests, benchmarks and faults."""
