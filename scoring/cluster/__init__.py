"""Runs over folders on a cluster, whose machines see the same folders."""
