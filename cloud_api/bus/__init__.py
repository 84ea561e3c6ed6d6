"""The bus: how the roles of the cloud hear gateways and answer them, whatever broker the port runs."""
