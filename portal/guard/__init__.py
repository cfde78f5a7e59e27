"""The secret guard's pure half: bytes and a name in, credentials and their places out. It knows no Django."""
