"""Development certificate authority: a root, an issuer for clients and one for servers, and their register."""
