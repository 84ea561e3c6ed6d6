"""Makes and wires the parts of the cloud's roles, which ``cloud_api.app`` runs. Only here are adapters named."""
