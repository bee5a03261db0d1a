"""The product behind and beside the programs that it is run with: proxies, Prometheus, replicas, backups."""
