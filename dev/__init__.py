"""`make run` and `make test` on a fresh machine: servers out of wheels, all processes supervised."""
