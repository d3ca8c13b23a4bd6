"""Replicas on a swarm, and manifests for Kubernetes, from the same Compose file."""
