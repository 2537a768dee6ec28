"""The Kafka runtime: chunks in through Faust, commits and results out under rules that count each event once."""
