"""auth: who may connect and who may charge: stations with their passwords, idTokens, certificates."""
