"""Scoring a country: partitioned Parquet in and out, bucket by bucket, resumed where it was stopped."""
